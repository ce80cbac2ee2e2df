"""Keeping what models took with the namespace that they worked for, whether or not anything came of it."""

import asyncio
import logging
from collections.abc import AsyncIterator, Callable, Coroutine, Sequence
from contextlib import asynccontextmanager
from typing import Any

from extract.metering import collect_usage
from extract.outcome import log_fields
from graph.errors import NotFound, StructMemError
from graph.store.port import Memory, UsageEntry

_log = logging.getLogger(__name__)


@asynccontextmanager
async def store_usage(memory: Memory) -> AsyncIterator[list[UsageEntry]]:
    """A list that fills with the usage of the calls inside. What `write_with_usage` did not store is stored at the end."""
    with collect_usage() as unstored:
        try:
            yield unstored
        finally:
            if unstored:
                # A job that is cancelled has been paid for all the same.
                await asyncio.shield(_store(memory, tuple(unstored)))


async def write_with_usage(unstored: list[UsageEntry], write: Callable[[Sequence[UsageEntry]], Coroutine[Any, Any, Any]]) -> None:
    """Writes what came of the calls together with what they took, so that both are there or neither is. Raises what `write` raises."""
    writing = asyncio.ensure_future(write(tuple(unstored)))
    try:
        await asyncio.shield(writing)
    except asyncio.CancelledError:
        # A store ends what it began: only then is it known whether the calls are counted.
        await asyncio.wait({writing})
        if not writing.cancelled() and writing.exception() is None:
            unstored.clear()
        raise
    unstored.clear()


async def _store(memory: Memory, usage: Sequence[UsageEntry]) -> None:
    """The work itself tells what ended it: trouble with its usage must not hide it."""
    try:
        await memory.add_usage(usage)
    except NotFound:
        pass  # the namespace is gone, and its usage with it
    except StructMemError as error:
        _log.warning("usage was not counted", extra={"namespace": memory.name, **log_fields(error)})
