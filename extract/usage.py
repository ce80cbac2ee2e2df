"""Keeping what models took with the namespace that they worked for, whether or not anything came of it."""

import asyncio
import logging
from collections.abc import AsyncIterator, Callable, Coroutine, Sequence
from contextlib import asynccontextmanager
from typing import Any

from extract.metering import metered
from extract.outcome import told_of
from graph.errors import NotFound, StructMemError
from graph.store.port import Store, UsageEntry

_log = logging.getLogger(__name__)


@asynccontextmanager
async def usage_kept(store: Store, namespace: str) -> AsyncIterator[list[UsageEntry]]:
    """A list that fills with what is spent inside. What `written_with` did not take of it is kept by itself, however the block ends."""
    with metered() as unkept:
        try:
            yield unkept
        finally:
            if unkept:
                # A job that is cancelled has been paid for all the same.
                await asyncio.shield(_keep(store, namespace, tuple(unkept)))


async def written_with(unkept: list[UsageEntry], write: Callable[[Sequence[UsageEntry]], Coroutine[Any, Any, Any]]) -> None:
    """Writes what came of the calls together with what they took, so that both are there or neither is. Raises what `write` raises."""
    writing = asyncio.ensure_future(write(tuple(unkept)))
    try:
        await asyncio.shield(writing)
    except asyncio.CancelledError:
        # A store ends what it began: only then is it known whether the calls are counted.
        await asyncio.wait({writing})
        if not writing.cancelled() and writing.exception() is None:
            unkept.clear()
        raise
    unkept.clear()


async def _keep(store: Store, namespace: str, usage: Sequence[UsageEntry]) -> None:
    """The work itself tells what ended it: trouble with its usage must not take that place."""
    try:
        await store.namespace(namespace).add_usage(usage)
    except NotFound:
        pass  # the namespace is gone, and its usage with it
    except StructMemError as error:
        _log.warning("usage was not counted", extra={"namespace": namespace, **told_of(error)})
