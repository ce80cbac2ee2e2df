"""The search index of one namespace: what the store feeds and asks."""

import threading
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from graph.store.candidates import Candidates
from graph.store.search.batch import batch_of
from graph.store.search.cache_budget import CacheBudget
from graph.store.search.candidate_rows import to_candidates, with_related
from graph.store.search.columns import Totals, group_of
from graph.store.search.compaction import compacted_arrays
from graph.store.search.dense import nearest_memories
from graph.store.search.entries import IndexQuery, MemoryEntry
from graph.store.search.filtering import passages_of, passing
from graph.store.search.lexical import best_matches
from graph.store.search.postings import build, compacted, with_segment
from graph.store.search.query_postings import QueryPostings
from graph.store.search.runs import SortedRuns
from graph.store.search.signbits import MEAN_SAMPLE, SignBits
from graph.store.search.similarity import ReadVectors, Similarities
from graph.store.search.snapshot import column_arrays, restored, snapshot_of
from graph.store.search.snapshot_file import read_snapshot, write_snapshot
from graph.store.search.standing_instructions import standing_instructions
from graph.store.search.state import IndexState
from graph.store.search.tables import Tables
from graph.store.search.temporal import overlapping
from graph.store.search.vectors import SHARED_BUDGET, VectorCache

# The index is compacted when more passages than these are dead, and more than a quarter of all.
_DEAD_PASSAGES = 1024
_DEAD_SHARE = 4


class SearchIndex:
    """Messages and statements of one namespace, searchable by words, vectors and times.

    Writers (`add`, `set_vectors`, `remove`, `revision`) exclude each other; searches run beside them and each other, each on the state that
    it found when it began.
    """

    def __init__(self, dimension: int, budget: CacheBudget = SHARED_BUDGET, spill_in: Path | None = None) -> None:
        """An empty index. `dimension` is that of the namespace's vectors, 0 where it has none; `budget` bounds those cached in memory;
        others go into a file without a name in the directory `spill_in`, unless that is None."""
        self._dimension = dimension
        self._budget = budget
        self._spill_in = spill_in
        self._lock = threading.Lock()
        self._tables = Tables()
        # Vectors that came before there were enough for a mean: (passages, vectors).
        self._early: list[tuple[NDArray[np.intp], NDArray[np.float16]]] = []
        self._state = IndexState(
            revision=0,
            memories=self._tables.memories,
            passages=self._tables.passages,
            links=self._tables.links,
            keys=SortedRuns(),
            passage_keys=SortedRuns(),
            dependents=SortedRuns(),
            segments=(),
            totals=Totals(),
            dead=np.empty(0, np.int32),
            signs=None,
            embedded_count=0,
            cache=VectorCache(dimension, budget, spill_in),
            speakers=(),
        )
        self._sized: tuple[IndexState | None, int] = None, 0

    @property
    def dimension(self) -> int:
        """The dimension of the vectors."""
        return self._dimension

    @property
    def revision(self) -> int:
        """The revision that the caller last said the index is of; searches return it."""
        return self._state.revision

    @revision.setter
    def revision(self, revision: int) -> None:
        with self._lock:
            self._state = replace(self._state, revision=revision)

    @property
    def memory_count(self) -> int:
        """Live memories."""
        return int(np.count_nonzero(self._state.memories.live))

    @property
    def passage_count(self) -> int:
        """Live passages."""
        return sum(self._state.totals.passages)

    @property
    def nbytes(self) -> int:
        """Bytes of the index, cached vectors included."""
        state, size = self._sized
        if state is not self._state:
            # Asked after each search, and the same until something is written.
            state = self._state
            runs = state.keys.nbytes + state.passage_keys.nbytes + state.dependents.nbytes
            signs = state.signs.words.nbytes if state.signs else 0
            early = sum(vectors.nbytes for _, vectors in self._early)
            size = self._tables.nbytes + runs + sum(s.nbytes for s in state.segments) + signs + early
            self._sized = state, size
        return size + state.cache.nbytes

    def drop_cache(self) -> None:
        """Lets go of cached vectors."""
        self._state.cache.clear()

    def add(self, entries: Sequence[MemoryEntry]) -> None:
        """Adds memories, without vectors yet; one with a key that is here already takes its place.

        Raises:
            ValueError: an entry is malformed; nothing is added then.
        """
        batch = batch_of(entries)
        if not len(batch.key):
            return
        with self._lock:
            self._bury(batch.key)
            state = self._state
            row, passage = len(state.memories), len(state.passages)
            self._tables.append(batch)
            memories, passages = self._tables.memories, self._tables.passages
            rows = np.arange(row, len(memories), dtype=np.int32)
            numbers = np.arange(passage, len(passages), dtype=np.int32)
            group = group_of(memories.kind[passages.owner[passage:]])
            self._state = replace(
                state,
                memories=memories,
                passages=passages,
                links=self._tables.links,
                keys=state.keys.add(batch.key, rows),
                passage_keys=state.passage_keys.add(batch.passage_key, numbers),
                dependents=state.dependents.add(batch.evidence, np.repeat(rows, batch.evidences)),
                segments=with_segment(
                    state.segments,
                    build(
                        passage,
                        len(passages),
                        batch.term_hash,
                        np.repeat(numbers, batch.terms),
                        batch.term_count,
                        np.repeat(group, batch.terms),
                    ),
                ),
                totals=state.totals.plus(group, batch.length),
                signs=state.signs.with_capacity(len(passages)) if state.signs else None,
                speakers=self._tables.speakers,
            )

    def set_vectors(self, passage_keys: NDArray[np.int64], vectors: NDArray[np.float16]) -> None:
        """Gives passages their vectors, (m, dimension) of unit length; keys that are not here are ignored.

        Raises:
            ValueError: the vectors have another shape than the keys and the dimension ask for.
        """
        if vectors.shape != (len(passage_keys), self._dimension):
            raise ValueError(f"vectors of shape {vectors.shape} for {len(passage_keys)} passages of {self._dimension} dimensions")
        with self._lock:
            state = self._state
            passages = state.passage_keys.find(np.asarray(passage_keys, np.int64), state.passages.live)
            known = np.flatnonzero(passages >= 0)
            if not len(known):
                return
            numbers, given = passages[known].astype(np.intp), vectors[known]
            cache = state.cache
            if state.passages.embedded[numbers].any():
                # A vector changes: cached ones of running searches stay theirs.
                cache = VectorCache(self._dimension, self._budget, self._spill_in)
            cache.put(numbers, given, len(state.passages))
            signs = self._signed(state.signs, numbers, given)
            self._tables.mark_embedded(numbers)
            embedded = self._tables.passages
            count = int(np.count_nonzero(embedded.embedded))
            self._state = replace(state, passages=embedded, signs=signs, embedded_count=count, cache=cache)

    def lacking(self, passage_keys: NDArray[np.int64]) -> NDArray[np.bool_]:
        """Which of these passages are here and have no vector."""
        state = self._state
        passages = state.passage_keys.find(np.asarray(passage_keys, np.int64), state.passages.live)
        found = passages >= 0
        found[found] = ~state.passages.embedded[passages[found]]
        return np.asarray(found, bool)

    def keep_vectors(self, passage_keys: NDArray[np.int64], vectors: NDArray[np.float16]) -> None:
        """Takes vectors that passages have already, so that no search has to read them; keys that are not here are ignored."""
        # Beside no writer: what was removed meanwhile must not be written again.
        with self._lock:
            state = self._state
            passages = state.passage_keys.find(np.asarray(passage_keys, np.int64), state.passages.live)
            known = np.flatnonzero(passages >= 0)
            state.cache.put(passages[known].astype(np.intp), vectors[known], len(state.passages))

    def _signed(self, signs: SignBits | None, passages: NDArray[np.intp], vectors: NDArray[np.float16]) -> SignBits | None:
        """The sign bits with these vectors' written; None while there are too few vectors for a mean."""
        if signs is not None:
            signs.write(passages, vectors)
            return signs
        self._early.append((passages, vectors.copy()))
        if sum(len(numbers) for numbers, _ in self._early) < MEAN_SAMPLE:
            return None
        numbers = np.concatenate([numbers for numbers, _ in self._early])
        early = np.concatenate([given for _, given in self._early])
        signs = SignBits.of_first(early, len(self._tables.passages))
        signs.write(numbers, early)
        self._early = []
        return signs

    def remove(self, keys: NDArray[np.int64]) -> None:
        """Takes out memories that were deleted or retired; keys that are not here are ignored."""
        with self._lock:
            self._bury(np.asarray(keys, np.int64))

    def _bury(self, keys: NDArray[np.int64]) -> None:
        state = self._state
        rows = state.keys.find(np.unique(keys), state.memories.live)
        rows = rows[rows >= 0]
        if not len(rows):
            return
        passages = self._tables.bury(rows)
        state.cache.erase(passages.astype(np.intp))
        group = group_of(state.memories.kind[state.passages.owner[passages]])
        self._state = replace(
            state,
            memories=self._tables.memories,
            passages=self._tables.passages,
            totals=state.totals.plus(group, state.passages.length[passages], -1),
            dead=np.union1d(state.dead, passages).astype(np.int32),
            embedded_count=int(np.count_nonzero(self._tables.passages.embedded)),
        )
        if len(self._state.dead) > max(_DEAD_PASSAGES, len(state.passages) // _DEAD_SHARE):
            self._compact()

    def _compact(self) -> None:
        """Renumbers rows and passages without the dead ones."""
        state = self._state
        arrays, row_number, passage_number = compacted_arrays(self._tables.arrays)
        self._tables = Tables(arrays, state.speakers)
        passages = self._tables.passages
        signs = state.signs
        if signs is not None:
            signs = SignBits(signs.words[:, np.flatnonzero(passage_number >= 0)], signs.mean)
        self._early = [
            (passage_number[numbers][kept].astype(np.intp), vectors[kept])
            for numbers, vectors in self._early
            for kept in [passage_number[numbers] >= 0]
        ]
        self._state = replace(
            state,
            memories=self._tables.memories,
            passages=passages,
            links=self._tables.links,
            keys=state.keys.renumbered(row_number),
            passage_keys=state.passage_keys.renumbered(passage_number),
            dependents=state.dependents.renumbered(row_number),
            segments=compacted(state.segments, passage_number),
            dead=np.empty(0, np.int32),
            signs=signs,
            cache=VectorCache(self._dimension, self._budget, self._spill_in),
        )

    def search(self, query: IndexQuery, read_vectors: ReadVectors) -> Candidates:
        """Finds candidates in every channel and measures all of them in every channel.

        `read_vectors` gives the stored vectors of passages by their keys, in that order; a row of NaN for one that is gone. It is called
        once for what is near, once for standing instructions and once for the rest, each time for what is neither cached nor read yet;
        not at all where the query has no vector.

        Raises:
            ValueError: the query's vector has another dimension.
        """
        state = self._state
        if query.vector is not None and query.vector.shape != (self._dimension,):
            raise ValueError(f"a query vector of shape {query.vector.shape} in an index of {self._dimension} dimensions")
        mask = passing(state, query)
        allowed = passages_of(state, mask)
        postings = QueryPostings(state, query.term_hashes)
        found = [
            best_matches(state, postings, query.lexical_limit, query.bm25, allowed),
            overlapping(state, query.spans, query.temporal_limit, mask),
        ]
        similarities = None
        if query.vector is not None:
            similarities = Similarities(query.vector, state.passages.key, state.passages.embedded, state.cache, read_vectors)
            found.append(nearest_memories(state, query.vector, query.dense_limit, allowed, similarities))
            found.append(standing_instructions(state, query.vector, query.instruction_limit, mask, similarities))
        included = state.keys.find(np.asarray(query.include, np.int64), state.memories.live)
        found.append(included[included >= 0].astype(np.intp))
        rows = with_related(state, np.concatenate(found), query.neighbours)
        return to_candidates(state, query, rows, mask, postings, similarities)

    def save(self, path: Path | str) -> None:
        """Writes the index to a file, whole or not at all. Nothing of removed memories is in it."""
        with self._lock:
            if len(self._state.dead):
                self._compact()
            snapshot = snapshot_of(self._dimension, self._state, self._tables, self._early)
        write_snapshot(Path(path), snapshot)

    @classmethod
    def load(cls, path: Path | str, budget: CacheBudget = SHARED_BUDGET, spill_in: Path | None = None) -> "SearchIndex":
        """The index that was saved.

        Raises:
            IndexSnapshotDamaged: the file is not what `save` wrote, or was written by another version; build the index anew.
            OSError: it cannot be read.
        """
        snapshot = read_snapshot(Path(path))
        index = cls(int(snapshot.facts["dimension"]), budget, spill_in)
        index._tables = Tables(column_arrays(snapshot), tuple(snapshot.facts["speakers"]))
        index._state, index._early = restored(snapshot, index._state, index._tables)
        return index
