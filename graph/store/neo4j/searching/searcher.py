"""Which way a namespace is searched, and what is kept of each between searches."""

import asyncio
import logging
import os
import time
from collections import OrderedDict
from dataclasses import dataclass

from graph.errors import InvalidArgument, StructMemError
from graph.store.candidates import CandidateQuery, Candidates
from graph.store.neo4j.driver.connection import Connection
from graph.store.neo4j.driver.faults import IndexMissing
from graph.store.neo4j.migrations import make_indexes, wanted_indexes
from graph.store.neo4j.searching.changes import read_head
from graph.store.neo4j.searching.indexed import search_indexes
from graph.store.neo4j.searching.local import LocalIndex
from graph.store.neo4j.searching.query_keys import resolved_head
from graph.store.neo4j.searching.statistics import NamespaceStatistics, read_statistics

# So few passages are read while the first search waits.
_AT_ONCE_PASSAGES = 4_000
# A larger namespace is read once it has been searched so often.
_SEARCHES_BEFORE_READING = 3
# Of a passage beside the two bytes of each of its vector's numbers; by this it is judged whether an index has room. Measured: 363 with
# 12 terms a passage, 448 with 40, 673 with 150.
_PASSAGE_BYTES = 430
# What nobody asked for so long makes room for others.
_IDLE_SECONDS = 300.0
# A reading that takes longer hangs, and would keep others from theirs.
_LONGEST_READING_SECONDS = 600.0
# A namespace changes its way when it has outgrown a threshold by a quarter, or shrunk below it by one: not at every write about there.
_SLACK = 4
_log = logging.getLogger(__name__)


@dataclass(slots=True)
class _Kept:
    """What is kept of a namespace: its search index, or the statistics that searches by Neo4j's indexes need.

    Attributes:
        not_before: when its index may be tried to read again; that failed before.
    """

    way: LocalIndex | NamespaceStatistics
    used_at: float
    searches: int = 0
    not_before: float = 0.0


class Searcher:
    """Searches the namespaces of one database.

    A small namespace is read at its first search and then searched in this process, by the index that the embedded store has, too. A larger
    one is searched by Neo4j's indexes at first; one that is searched again and again is read meanwhile, when there is room for it. What has
    no room, or is larger still, stays with Neo4j's indexes.

    Measured with 1,500 passages: the index is read and built in 180 ms and then searched in 1.4 ms and a round trip; Neo4j's indexes take
    15 ms. With 100,000 it takes 100 MB and 7 s to build, and 7 ms instead of 23.
    """

    def __init__(self, connection: Connection, in_process_passages: int, memory_bytes: int) -> None:
        """Args:
        in_process_passages: namespaces of at most so many passages may be searched in this process.
        memory_bytes: what is kept of all namespaces may take; the least recently used are let go, and what alone takes more.
        """
        self._connection = connection
        self._most = in_process_passages
        self._at_once = min(in_process_passages, _AT_ONCE_PASSAGES)
        self._memory = memory_bytes
        # More at once only take the interpreter and the processor's cache from each other: 16 at once took 1.5 times as long.
        self._searching = asyncio.Semaphore(max(1, (os.cpu_count() or 1) - 1))
        self._closed = False
        self._kept: OrderedDict[str, _Kept] = OrderedDict()
        self._opening: dict[str, asyncio.Lock] = {}
        self._reading: dict[str, asyncio.Task[None]] = {}
        self._mending: asyncio.Task[None] | None = None
        # What the index that is being read is going to take.
        self._coming = 0

    async def candidates(self, namespace: str, query: CandidateQuery) -> tuple[str, Candidates]:
        """The uid of the namespace that was searched, and what `Memory.candidates` answers."""
        while True:
            known = self._kept.get(namespace)
            kept = known or await self._open(namespace)
            way = kept.way
            if query.vector is not None and query.vector.shape != (way.dimension,):
                raise InvalidArgument.of("vector", f"has {query.vector.size} numbers, the namespace's vectors have {way.dimension}")
            if isinstance(way, LocalIndex):
                found = await self._searched_here(namespace, way, query, fresh=known is None)
            else:
                found = await self._searched_there(namespace, way, query)
            if found is not None:
                self._used(namespace, kept)
                return way.uid, found
            # It was of another namespace of this name, or fell too far behind, or the namespace has outgrown its way.
            if self._kept.get(namespace) is kept:
                del self._kept[namespace]

    async def close(self) -> None:
        """Ends what is being read or made; nothing more is."""
        self._closed = True
        working = [*self._reading.values(), *([self._mending] if self._mending else [])]
        for task in working:
            task.cancel()
        await asyncio.gather(*working, return_exceptions=True)

    async def _searched_here(self, namespace: str, index: LocalIndex, query: CandidateQuery, *, fresh: bool) -> Candidates | None:
        head, resolved = await resolved_head(self._connection, namespace, index.revision, query)
        if head.uid != index.uid or head.missing:
            return None
        await index.apply(head.changes)
        if not fresh and self._outgrown(index):
            return None
        await self._searching.acquire()
        # Whoever is cancelled leaves a thread behind that searches to its end, and holds its place until then.
        searching = asyncio.ensure_future(index.search(query, resolved))
        searching.add_done_callback(self._searched)
        return await asyncio.shield(searching)

    def _searched(self, searching: asyncio.Future[Candidates]) -> None:
        self._searching.release()
        if not searching.cancelled():
            searching.exception()  # somebody may have to ask for it, and whoever waited may be gone

    def _outgrown(self, index: LocalIndex) -> bool:
        if index.passages > self._most + self._most // _SLACK:
            return True
        return index.passages > self._at_once and index.nbytes > self._memory

    async def _searched_there(self, namespace: str, statistics: NamespaceStatistics, query: CandidateQuery) -> Candidates | None:
        if statistics.passages < self._at_once - self._at_once // _SLACK:
            return None
        try:
            _, found = await search_indexes(self._connection, namespace, query, statistics)
        except IndexMissing:
            if self._mending is None and not self._closed:
                self._mending = asyncio.create_task(self._mend())
            raise
        return found

    async def _mend(self) -> None:
        """Makes the indexes that are missing, while searches are told to come again."""
        try:
            await make_indexes(self._connection, await wanted_indexes(self._connection))
        except StructMemError as error:
            _log.warning("missing indexes could not be made (%s)", type(error).__name__)
        finally:
            self._mending = None

    async def _open(self, namespace: str) -> _Kept:
        """What a search needs, read anew; by one task, while others that want the same wait."""
        lock = self._opening.setdefault(namespace, asyncio.Lock())
        try:
            async with lock:
                kept = self._kept.get(namespace)
                if kept is None:
                    kept = self._kept[namespace] = _Kept(await self._fresh(namespace), time.monotonic())
                return kept
        finally:
            if not lock.locked():
                self._opening.pop(namespace, None)

    async def _fresh(self, namespace: str) -> LocalIndex | NamespaceStatistics:
        while True:
            statistics = await read_statistics(self._connection, namespace)
            if statistics.passages > self._at_once:
                return statistics
            index = await self._read(namespace, statistics)
            if index is not None:
                return index

    async def _read(self, namespace: str, statistics: NamespaceStatistics) -> LocalIndex | None:
        """The index of the namespace that the statistics are of; None when the name was given to another one since."""
        head = await read_head(self._connection, namespace, statistics.revision)
        if head.uid != statistics.uid:
            return None
        return await LocalIndex.built(self._connection, namespace, head)

    def _used(self, namespace: str, kept: _Kept) -> None:
        kept.used_at = time.monotonic()
        kept.searches += 1
        if self._kept.get(namespace) is kept:
            self._kept.move_to_end(namespace)
        self._let_go()
        if isinstance(kept.way, NamespaceStatistics) and self._worth_reading(namespace, kept, kept.way):
            kept.searches = 0
            self._coming = _bytes_of_index(kept.way)
            self._let_go()
            reading = asyncio.create_task(self._take_over(namespace, kept, kept.way))
            self._reading[namespace] = reading
            reading.add_done_callback(lambda _: self._has_read(namespace))

    def _has_read(self, namespace: str) -> None:
        self._reading.pop(namespace, None)
        self._coming = 0

    def _worth_reading(self, namespace: str, kept: _Kept, statistics: NamespaceStatistics) -> bool:
        if self._kept.get(namespace) is not kept or statistics.passages > self._most:
            return False
        # One at a time, so that they do not all count with the same room.
        if kept.searches < _SEARCHES_BEFORE_READING or self._closed or self._reading or time.monotonic() < kept.not_before:
            return False
        return self._taken() + _bytes_of_index(statistics) <= self._memory

    def _let_go(self) -> None:
        """Forgets the least recently used, all but the last, until there is room for what is kept and what is coming."""
        taken = self._coming + sum(each.way.nbytes for each in self._kept.values())
        for name, each in list(self._kept.items())[:-1]:
            if taken <= self._memory:
                return
            if name not in self._reading:
                del self._kept[name]
                taken -= each.way.nbytes

    def _taken(self) -> int:
        """The bytes of what was used lately."""
        since = time.monotonic() - _IDLE_SECONDS
        return sum(each.way.nbytes for each in self._kept.values() if each.used_at >= since)

    async def _take_over(self, namespace: str, kept: _Kept, statistics: NamespaceStatistics) -> None:
        """Reads a namespace's index, and puts it in the place of the statistics."""
        index, current = None, False
        try:
            async with asyncio.timeout(_LONGEST_READING_SECONDS):
                index = await self._read(namespace, statistics)
                current = index is not None and await self._caught_up(namespace, index)
        except Exception as error:  # noqa: BLE001 - searches go on without it, and tell what is wrong with the database
            _log.warning("a search index could not be read (%s)", type(error).__name__)
        # What is larger than was expected would be let go at once, and read again.
        if index is None or not current or index.nbytes > self._memory:
            kept.not_before = time.monotonic() + _IDLE_SECONDS
        elif self._kept.get(namespace) is kept:
            self._kept[namespace] = _Kept(index, time.monotonic())
            self._kept.move_to_end(namespace)

    async def _caught_up(self, namespace: str, index: LocalIndex) -> bool:
        """Whether the index has all changes that came while it was read; False when the namespace is another one or changed too much."""
        while True:
            head = await read_head(self._connection, namespace, index.revision)
            if head.uid != index.uid or head.missing:
                return False
            if not head.changes:
                return True
            await index.apply(head.changes)


def _bytes_of_index(statistics: NamespaceStatistics) -> int:
    """What the search index of a namespace is going to take."""
    return statistics.passages * (_PASSAGE_BYTES + 2 * statistics.dimension)
