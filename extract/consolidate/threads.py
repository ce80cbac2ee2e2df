"""Threads: which windows belong together across sessions, kept stable as new ones come.

Each new window joins the thread that is nearest to it by its terms (tf-idf), its vector and the time since, if it is near enough, else it
begins one; threads that have become alike are joined, and the older one stays. What stands in a thread is never moved to another one
by what comes later (leader clustering; Hartigan 1975, "Clustering Algorithms", chapter 3), so that ids last. All work is windows times
threads, done in arrays; memory grows with the windows alone.
"""

import math
from array import array
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

import numpy as np
from numpy.typing import NDArray

from graph.store.port import Float16Vector

Floats = NDArray[np.float32]


@dataclass(frozen=True, slots=True)
class ThreadItem:
    """A window as it is clustered. `terms` count its words and the names of its entities; `vector` is that of its
    summary's text, of any length, None where the namespace has none.
    """

    id: str
    terms: Mapping[str, int]
    said_from: datetime
    said_to: datetime
    sessions: frozenset[str] = frozenset()
    vector: Float16Vector | None = None


@dataclass(frozen=True, slots=True)
class ThreadMembers:
    """A thread that exists, with its windows."""

    id: str
    items: tuple[ThreadItem, ...]


@dataclass(frozen=True, slots=True)
class ThreadChange:
    """A thread that is new (no `id`) or has gained windows. `absorbed` are the ids of threads that went up in it."""

    id: str
    item_ids: tuple[str, ...]
    absorbed: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class ThreadRecipe:
    """What near means. Similarity is a plain sum, so that its weights tell what counts.

    Chosen on conversations written for the tests, and looked at on the RealMem people of projects-dev: two sessions of which one answers a
    question asked in the other are in one thread in 66 of 100 pairs, any two sessions in 11 (docs/decisions.md#threads).

    Attributes:
        terms: weight of the cosine of tf-idf.     vector: weight of the cosine of vectors, less what all windows have in common.
        recency: weight of exp(-gap / `fading`), the time between a window and the thread's nearest end.
        session: what a window of a session that the thread has already gets besides.
        joins: a window this near joins.     merges: threads this alike, without time and sessions, become one.
    """

    terms: float = 0.6
    vector: float = 0.4
    recency: float = 0.1
    fading: timedelta = timedelta(days=30)
    session: float = 0.1
    joins: float = 0.25
    merges: float = 0.45


def changed_threads(
    threads: Sequence[ThreadMembers], items: Sequence[ThreadItem], recipe: ThreadRecipe | None = None
) -> list[ThreadChange]:
    """The threads that the new items begin or join, with all of their items. `threads` stand in the order in which they began."""
    if not items:
        return []
    clusters = _Clusters(threads, items, recipe or ThreadRecipe())
    for item in sorted(items, key=lambda one: (one.said_from, one.id)):
        clusters.assign(item)
    clusters.merge()
    return clusters.changes()


@dataclass(slots=True)
class _Cluster:
    """A thread under work. `terms` is the sum of its items' rows, by column, and `square` the square of that sum's length."""

    id: str
    items: list[str] = field(default_factory=list)
    terms: dict[int, float] = field(default_factory=dict)
    square: float = 0.0
    absorbed: list[str] = field(default_factory=list)
    touched: bool = False


class _Clusters:
    """The threads under work, each at its place. What each item is compared with stands in arrays over all places."""

    def __init__(self, threads: Sequence[ThreadMembers], items: Sequence[ThreadItem], recipe: ThreadRecipe) -> None:
        self._recipe = recipe
        everything = [*(item for thread in threads for item in thread.items), *items]
        frequency = Counter(term for item in everything for term in item.terms)
        self._column = {term: place for place, term in enumerate(frequency)}
        self._idf = {term: math.log((len(everything) + 1) / count) for term, count in frequency.items()}
        self._mean = _common(everything)
        self._clusters: list[_Cluster] = []
        self._postings: dict[int, _Posting] = defaultdict(_Posting)
        most = len(threads) + len(items)
        # Of each place the lengths of the sums of its items' terms and vectors, and the latter; 1 where there is none.
        self._lengths, self._reaches = np.ones(most, dtype=np.float32), np.ones(most, dtype=np.float32)
        self._vectors = np.zeros((most, len(self._mean)), dtype=np.float32)
        # When each begins and ends, in seconds, and which have windows of a session.
        self._begins, self._ends = np.full(most, np.inf), np.full(most, -np.inf)
        self._of_session: defaultdict[str, set[int]] = defaultdict(set)
        for thread in threads:
            self._clusters.append(_Cluster(thread.id))
            for item in thread.items:
                self._add(len(self._clusters) - 1, item)

    def assign(self, item: ThreadItem) -> None:
        """To the nearest thread that is near enough, else to one of its own. Among equals the older one has it."""
        place = self._nearest(item)
        if place is None:
            place = len(self._clusters)
            self._clusters.append(_Cluster(""))
        self._add(place, item)
        self._clusters[place].touched = True

    def merge(self) -> None:
        """Joins threads that have become alike, the most alike first, until none of those that changed is like another one."""
        changed = [place for place, one in enumerate(self._clusters) if one.touched]
        while changed:
            changed = self._merged(changed)

    def changes(self) -> list[ThreadChange]:
        return [ThreadChange(one.id, tuple(one.items), tuple(one.absorbed)) for one in self._clusters if one.touched and one.items]

    def _add(self, place: int, item: ThreadItem) -> None:
        cluster = self._clusters[place]
        cluster.items.append(item.id)
        self._begins[place] = min(item.said_from.timestamp(), self._begins[place])
        self._ends[place] = max(item.said_to.timestamp(), self._ends[place])
        for session in item.sessions:
            self._of_session[session].add(place)
        for column, weight in self._weighted(item):
            self._postings[column].add(place, weight)
            before = cluster.terms.get(column, 0.0)
            cluster.terms[column] = before + weight
            cluster.square += weight * (2 * before + weight)
        self._lengths[place] = math.sqrt(cluster.square) or 1.0
        if item.vector is not None:
            self._vectors[place] += self._direction(item.vector)
            self._reaches[place] = np.linalg.norm(self._vectors[place]) or 1.0

    def _nearest(self, item: ThreadItem) -> int | None:
        count = len(self._clusters)
        if not count:
            return None
        near = self._by_terms(item)
        if item.vector is None:
            near *= self._recipe.terms + self._recipe.vector
        else:
            cosines = self._vectors[:count] @ self._direction(item.vector) / self._reaches[:count]
            near = self._recipe.terms * near + self._recipe.vector * cosines
        near = near + self._nearness(item)
        best = int(np.argmax(np.round(near, 5)))
        return best if near[best] >= self._recipe.joins else None

    def _by_terms(self, item: ThreadItem) -> Floats:
        """The cosine of the item's terms and each cluster's, which are the sum of its items'."""
        count = len(self._clusters)
        weighted = [(self._postings[column], weight) for column, weight in self._weighted(item) if column in self._postings]
        if not weighted:
            return np.zeros(count, dtype=np.float32)
        places = np.concatenate([posting.rows() for posting, _ in weighted])
        shares = np.concatenate([posting.values() * weight for posting, weight in weighted])
        cosines: Floats = (np.bincount(places, shares, minlength=count) / self._lengths[:count]).astype(np.float32)
        return cosines

    def _nearness(self, item: ThreadItem) -> Floats:
        """How near each cluster is to the item by time and session."""
        begins, ends = self._begins[: len(self._clusters)], self._ends[: len(self._clusters)]
        gap = np.maximum(np.maximum(item.said_from.timestamp() - ends, begins - item.said_to.timestamp()), 0.0)
        near = self._recipe.recency * np.exp(-gap / self._recipe.fading.total_seconds())
        near[list(set().union(*(self._of_session.get(session, ()) for session in item.sessions)))] += self._recipe.session
        nearness: Floats = near.astype(np.float32)
        return nearness

    def _merged(self, changed: list[int]) -> list[int]:
        """Joins disjoint pairs of a changed thread and another one; the places of those that came of it."""
        taken: set[int] = set()
        kept: list[int] = []
        for older, younger in self._alike(changed):
            if older in taken or younger in taken:
                continue
            taken |= {older, younger}
            self._join(older, younger)
            kept.append(older)
        return kept

    def _alike(self, changed: list[int]) -> list[tuple[int, int]]:
        """Pairs of a changed place and another one that are alike enough to be joined, the older first, the most alike pairs first.

        So many changed ones are compared with all at a time that the matrix of a block stays small.
        """
        rows = self._rows()
        by_column = rows.T.tocsr()
        block = max(1, _MOST_COMPARED // len(self._clusters))
        alike, pairs = [np.zeros(0, dtype=np.float32)], [np.zeros((0, 2), dtype=np.int64)]
        for start in range(0, len(changed), block):
            places = np.array(changed[start : start + block])
            near = self._likeness(places, np.asarray((rows[places] @ by_column).todense(), dtype=np.float32))
            near[np.arange(len(places)), places] = 0
            row, other = np.nonzero(near >= self._recipe.merges)
            alike.append(near[row, other])
            pairs.append(np.sort(np.stack([places[row], other], axis=1), axis=1))
        found, ends = np.concatenate(alike), np.concatenate(pairs)
        order = np.lexsort((ends[:, 1], ends[:, 0], -found))
        return [(older, younger) for older, younger in ends[order].tolist()]

    def _likeness(self, places: NDArray[np.int64], by_terms: Floats) -> Floats:
        """How alike each of these places is to every one, by its terms and vector. Changes `by_terms`."""
        count = len(self._clusters)
        centres, reaches = self._vectors[:count], self._reaches[:count]
        none = ~np.any(centres, axis=1)
        # What has no vector is compared by its terms alone.
        with_vector = ~none[places]
        by_terms[:, none] *= (self._recipe.terms + self._recipe.vector) / self._recipe.terms
        by_terms[np.ix_(~with_vector, ~none)] *= (self._recipe.terms + self._recipe.vector) / self._recipe.terms
        by_terms *= self._recipe.terms
        by_vector = centres[places] @ centres.T
        by_vector *= self._recipe.vector / reaches
        by_vector /= reaches[places, None]
        by_terms += by_vector
        return np.round(by_terms, 5, out=by_terms)

    def _rows(self) -> Any:
        """The clusters' terms, of unit length, as a sparse matrix: a row a cluster."""
        # Imported here: a service that never consolidates does without it.
        from scipy import sparse

        sizes = [len(one.terms) for one in self._clusters]
        columns = np.fromiter((column for one in self._clusters for column in one.terms), np.int32, sum(sizes))
        data = np.fromiter((weight for one in self._clusters for weight in one.terms.values()), np.float32, sum(sizes))
        data /= np.repeat(self._lengths[: len(sizes)], sizes)
        return sparse.csr_array((data, columns, np.cumsum([0, *sizes])), shape=(len(sizes), max(1, len(self._column))))

    def _join(self, older: int, younger: int) -> None:
        into, gone = self._clusters[older], self._clusters[younger]
        into.items += gone.items
        for column, weight in gone.terms.items():
            into.terms[column] = into.terms.get(column, 0.0) + weight
        into.square = sum(weight * weight for weight in into.terms.values())
        into.absorbed += [*([gone.id] if gone.id else []), *gone.absorbed]
        into.touched = True
        self._lengths[older] = math.sqrt(into.square) or 1.0
        self._vectors[older] += self._vectors[younger]
        self._reaches[older] = np.linalg.norm(self._vectors[older]) or 1.0
        self._vectors[younger], self._reaches[younger] = 0, 1
        gone.items, gone.terms, gone.absorbed = [], {}, []

    def _weighted(self, item: ThreadItem) -> list[tuple[int, float]]:
        """The columns of an item's terms with their weights, of unit length together."""
        weights = [(1 + math.log(count)) * self._idf[term] for term, count in item.terms.items()]
        length = _length(weights)
        return [(self._column[term], weight / length) for term, weight in zip(item.terms, weights, strict=True)]

    def _direction(self, vector: Float16Vector) -> Floats:
        turned: Floats = _unit(_unit(vector.astype(np.float32)[None, :]) - self._mean)[0]
        return turned


class _Posting:
    """Where a term stands: places, one a window, and its weights there."""

    __slots__ = ("_rows", "_values")

    def __init__(self) -> None:
        self._rows, self._values = array("i"), array("f")

    def add(self, place: int, weight: float) -> None:
        self._rows.append(place)
        self._values.append(weight)

    # Views, to be let go of before more is added: an array that is looked at cannot grow.
    def rows(self) -> NDArray[np.int32]:
        return np.frombuffer(self._rows, dtype=np.int32)

    def values(self) -> Floats:
        return np.frombuffer(self._values, dtype=np.float32)


# Pairs of threads that are compared at once: 16 MB in each of the few matrices that it takes.
_MOST_COMPARED = 4_000_000
# Of so many windows the mean is half believed: what two windows have in common may be all that they say.
_MEAN_HALF_BELIEVED = 20


def _common(items: Sequence[ThreadItem]) -> Floats:
    """What the vectors of all items have in common: one person's talks are alike, whatever they are about."""
    vectors = [item.vector for item in items if item.vector is not None]
    if not vectors:
        return np.zeros(0, dtype=np.float32)
    mean = _unit(np.asarray(vectors, dtype=np.float32)).mean(axis=0)
    common: Floats = (mean * (len(vectors) / (len(vectors) + _MEAN_HALF_BELIEVED))).astype(np.float32)
    return common


def _unit(rows: Floats) -> Floats:
    lengths = np.linalg.norm(rows, axis=1, keepdims=True)
    return np.divide(rows, np.where(lengths > 0, lengths, 1), dtype=np.float32)


def _length(weights: Iterable[float]) -> float:
    return math.sqrt(sum(weight * weight for weight in weights)) or 1.0
