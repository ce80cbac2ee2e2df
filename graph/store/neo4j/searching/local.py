"""Searching a namespace in this process: the embedded store's search index, built from Neo4j and kept current by the changes."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from graph.model import MEMORY_KINDS
from graph.store.candidates import CandidateQuery, Candidates
from graph.store.neo4j.driver.connection import Connection
from graph.store.neo4j.rows.node_properties import PASSAGE_KEY_SHIFT
from graph.store.neo4j.schema import NODE_LABELS
from graph.store.neo4j.searching.changes import Change, Head
from graph.store.neo4j.searching.memories import MEMORY_VALUES, FoundMemory, found_memory, index_entry, is_searched, vectors_of
from graph.store.rules.index_queries import ResolvedNames, index_query
from graph.store.search import SearchIndex
from graph.store.search.cache_budget import CacheBudget

# So many are decoded at once, on the event loop, while other calls wait.
_BATCH = 1_000
# Vectors are kept with the index, whose bytes are bounded as a whole.
_UNBOUNDED = CacheBudget(1 << 62)
_ALL = """MATCH (m:{label}) WHERE m.namespace = $namespace AND m.key > $after AND m.retired_at IS NULL
    WITH m ORDER BY m.namespace, m.key LIMIT {batch} RETURN collect({values})"""
_SOME = " UNION ALL ".join(
    f"UNWIND $at.keys AS key MATCH (m:{NODE_LABELS[kind]} {{namespace: $namespace, key: key}}) WHERE m.retired_at IS NULL "
    f"RETURN {MEMORY_VALUES} AS found"
    for kind in sorted(MEMORY_KINDS)
)
_VECTORS = f"""CALL () {{ UNWIND $at.pairs AS pair MATCH (m:Message|Fact|Relation {{namespace: $namespace, key: pair[0]}}) WHERE pair[1] = 0
    RETURN pair, m.v16 AS v16 UNION ALL
    UNWIND $at.pairs AS pair MATCH (m:Passage {{namespace: $namespace, owner_key: pair[0], ordinal: pair[1]}}) RETURN pair, m.v16 AS v16 }}
    RETURN collect([pair[0] * {1 << PASSAGE_KEY_SHIFT} + pair[1], v16])"""


class LocalIndex:
    """The search index of one namespace. One task at a time brings it up to date; searches run beside each other in threads."""

    def __init__(self, connection: Connection, namespace: str, head: Head) -> None:
        self._connection = connection
        self._namespace = namespace
        self._index = SearchIndex(head.dimension, _UNBOUNDED)
        self._lock = asyncio.Lock()
        self.uid = head.uid
        self.dimension = head.dimension

    @classmethod
    async def built(cls, connection: Connection, namespace: str, head: Head) -> "LocalIndex":
        """The index of the namespace as it is now, said to be of the head's revision: what came since is applied once more with the next
        changes, which alters nothing."""
        made = cls(connection, namespace, head)
        async for memories in _all_memories(connection, namespace):
            await asyncio.to_thread(made._add, memories)
        made._index.revision = head.revision
        return made

    @property
    def revision(self) -> int:
        """The revision that the index is of."""
        return self._index.revision

    @property
    def passages(self) -> int:
        """Current passages."""
        return self._index.passage_count

    @property
    def nbytes(self) -> int:
        """Bytes in memory."""
        return self._index.nbytes

    def _add(self, memories: Sequence[FoundMemory]) -> None:
        self._index.add([index_entry(memory) for memory in memories])
        self._set_vectors(memories)

    def _set_vectors(self, memories: Sequence[FoundMemory]) -> None:
        # A passage's vector never changes; one that is here already would only make the index forget all that it has at hand.
        if self.dimension:
            keys, vectors = vectors_of(memories, self.dimension)
            lacking = self._index.lacking(keys)
            self._index.set_vectors(keys[lacking], vectors[lacking])

    async def apply(self, changes: Sequence[Change]) -> None:
        """Brings the index to the revision of the last change. Keys are never used twice, so what each was last is what Neo4j says now.

        Whoever is cancelled meanwhile leaves it to its end: the thread that writes cannot be stopped, and the next one must wait for it.
        """
        applying = asyncio.ensure_future(self._apply(changes))
        applying.add_done_callback(lambda done: done.cancelled() or done.exception())
        await asyncio.shield(applying)

    async def _apply(self, changes: Sequence[Change]) -> None:
        async with self._lock:
            news = [change for change in changes if change.revision > self.revision]
            if not news:
                return
            gone = _keys(change.removed for change in news), _keys(change.retired for change in news)
            added, embedded = _keys(change.added for change in news), _keys(change.embedded for change in news)
            wanted = np.unique(np.concatenate([added, embedded >> PASSAGE_KEY_SHIFT]))
            found = await _memories(self._connection, self._namespace, wanted)
            await asyncio.to_thread(self._take, np.concatenate(gone), set(added.tolist()), found, news[-1].revision)

    def _take(self, gone: NDArray[np.int64], added: set[int], found: Sequence[FoundMemory], revision: int) -> None:
        self._index.remove(gone)
        self._index.add([index_entry(memory) for memory in found if memory.key in added])
        self._set_vectors(found)
        self._index.revision = revision

    async def search(self, query: CandidateQuery, resolved: ResolvedNames) -> Candidates:
        """The candidates at the index's revision."""
        loop = asyncio.get_running_loop()

        def read(keys: NDArray[np.int64]) -> NDArray[np.float16]:
            # Called in the search's thread, for vectors that the index has let go of.
            reading = _read_vectors(self._connection, self._namespace, keys, self.dimension)
            return asyncio.run_coroutine_threadsafe(reading, loop).result()

        asked = index_query(query, resolved)
        return await asyncio.to_thread(lambda: self._index.search(asked, read))


def _keys(blobs: Any) -> NDArray[np.int64]:
    return np.frombuffer(b"".join([blob for blob in blobs if blob]), "<i8")


async def _all_memories(connection: Connection, namespace: str) -> AsyncIterator[list[FoundMemory]]:
    """All current memories in batches, those of a kind in the order of their keys."""
    for kind in sorted(MEMORY_KINDS):
        query = _ALL.format(label=NODE_LABELS[kind], batch=_BATCH, values=MEMORY_VALUES)
        after, count = 0, _BATCH
        while count == _BATCH:
            [[rows]] = await connection.rows(query, {"namespace": namespace, "after": after})
            count = len(rows)
            if rows:
                after = rows[-1][0]
                yield [found_memory(row) for row in rows if is_searched(row)]


async def _memories(connection: Connection, namespace: str, keys: NDArray[np.int64]) -> list[FoundMemory]:
    if not len(keys):
        return []
    query = f"CALL () {{ {_SOME} }} RETURN collect(found)"
    [[rows]] = await connection.rows(query, {"namespace": namespace, "at": {"keys": keys.tolist()}})
    return [found_memory(row) for row in sorted(rows, key=lambda row: row[0]) if is_searched(row)]


async def _read_vectors(connection: Connection, namespace: str, keys: NDArray[np.int64], dimension: int) -> NDArray[np.float16]:
    """The vectors of these passages, (m, dimension), in their order; NaN where there is none."""
    mask = (1 << PASSAGE_KEY_SHIFT) - 1
    pairs = [[key >> PASSAGE_KEY_SHIFT, key & mask] for key in keys.tolist()]
    [[rows]] = await connection.rows(_VECTORS, {"namespace": namespace, "at": {"pairs": pairs}})
    found = np.full((len(keys), dimension), np.nan, np.float16)
    place = {key: number for number, key in enumerate(keys.tolist())}
    for key, blob in rows:
        if blob:
            found[place[key]] = np.frombuffer(blob, "<f2")
    return found
