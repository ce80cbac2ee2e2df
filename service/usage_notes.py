"""Usage of models that queries cause. It is written after the answer: nobody waits for it, and a full disk refuses no query."""

import asyncio
from collections.abc import Iterator, Sequence
from contextlib import contextmanager

import structlog

from extract.metering import collect_usage
from graph.errors import StructMemError
from graph.store.port import Store, UsageEntry

_log = structlog.get_logger(__name__)


class UsageNotes:
    """Notes what is spent while a namespace is asked."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._writing: set[asyncio.Task[None]] = set()

    @contextmanager
    def of(self, namespace: str) -> Iterator[None]:
        """What is spent inside counts as this namespace's; where several are asked at once, as the first one's."""
        with collect_usage() as spent:
            try:
                yield
            finally:
                if spent:
                    task = asyncio.create_task(self._write(namespace, spent))
                    self._writing.add(task)
                    task.add_done_callback(self._writing.discard)

    async def written(self) -> None:
        """Waits for what is still being written."""
        await asyncio.gather(*self._writing)

    async def _write(self, namespace: str, spent: Sequence[UsageEntry]) -> None:
        try:
            await self._store.namespace(namespace).add_usage(spent)
        except StructMemError as error:
            _log.warning("usage was not counted", namespace=namespace, reason=error.reason)
