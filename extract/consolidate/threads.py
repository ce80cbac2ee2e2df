"""Threads: which windows belong together across sessions, kept stable as new ones come.

Each new window joins the thread that is nearest to it by its terms (tf-idf), its vector and the time since, if it is near enough, else it
begins one; threads that have become alike are joined, and the older one stays. What stands in a thread is never moved to another one
by what comes later (leader clustering; Hartigan 1975, "Clustering Algorithms", chapter 3), so that ids last. All work is windows times
threads.
"""

import math
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta

import numpy as np
from numpy.typing import NDArray

from graph.model import DISTANT_FUTURE, DISTANT_PAST
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
    """A thread under work: sums of its items' rows."""

    id: str
    items: list[str] = field(default_factory=list)
    said_from: datetime = DISTANT_FUTURE
    said_to: datetime = DISTANT_PAST
    sessions: set[str] = field(default_factory=set)
    terms: Counter[int] = field(default_factory=Counter)
    length: float = 1.0
    absorbed: list[str] = field(default_factory=list)
    touched: bool = False


class _Clusters:
    def __init__(self, threads: Sequence[ThreadMembers], items: Sequence[ThreadItem], recipe: ThreadRecipe) -> None:
        self._recipe = recipe
        everything = [*(item for thread in threads for item in thread.items), *items]
        frequency = Counter(term for item in everything for term in item.terms)
        self._column = {term: place for place, term in enumerate(frequency)}
        self._idf = {term: math.log((len(everything) + 1) / count) for term, count in frequency.items()}
        self._mean = _common(everything)
        self._clusters: list[_Cluster] = []
        self._postings: dict[int, set[int]] = {}
        most = len(threads) + len(items)
        self._vectors = np.zeros((most, len(self._mean)), dtype=np.float32)
        # When each cluster begins and ends, in seconds, and which have windows of a session.
        self._begins, self._ends = np.full(most, np.inf), np.full(most, -np.inf)
        self._of_session: dict[str, set[int]] = {}
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
        cluster.said_from, cluster.said_to = min(item.said_from, cluster.said_from), max(item.said_to, cluster.said_to)
        cluster.sessions |= item.sessions
        self._begins[place], self._ends[place] = cluster.said_from.timestamp(), cluster.said_to.timestamp()
        for session in item.sessions:
            self._of_session.setdefault(session, set()).add(place)
        for column, weight in self._weighted(item):
            cluster.terms[column] += weight  # type: ignore[assignment]  # sums of floats
            self._postings.setdefault(column, set()).add(place)
        cluster.length = _length(cluster.terms.values())
        if item.vector is not None:
            self._vectors[place] += self._direction(item.vector)

    def _nearest(self, item: ThreadItem) -> int | None:
        if not self._clusters:
            return None
        near = self._by_terms(item)
        if item.vector is None:
            near *= self._recipe.terms + self._recipe.vector
        else:
            centres = _unit(self._vectors[: len(self._clusters)])
            near = self._recipe.terms * near + self._recipe.vector * (centres @ self._direction(item.vector))
        near = near + self._nearness(item)
        best = int(np.argmax(np.round(near, 5)))
        return best if near[best] >= self._recipe.joins else None

    def _by_terms(self, item: ThreadItem) -> Floats:
        dots = np.zeros(len(self._clusters), dtype=np.float32)
        for column, weight in self._weighted(item):
            for place in self._postings.get(column, ()):
                dots[place] += weight * self._clusters[place].terms[column]
        lengths = np.array([one.length for one in self._clusters], dtype=np.float32)
        cosines: Floats = np.divide(dots, lengths, dtype=np.float32)
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
        alike = self._alike(changed)
        pairs = sorted(
            (-float(alike[row, other]), *sorted((changed[row], int(other))))
            for row, other in zip(*np.nonzero(alike >= self._recipe.merges), strict=True)
            if changed[row] != other
        )
        taken: set[int] = set()
        kept: list[int] = []
        for _, older, younger in pairs:
            if older in taken or younger in taken:
                continue
            taken |= {older, younger}
            self._join(older, younger)
            kept.append(older)
        return kept

    def _alike(self, places: list[int]) -> Floats:
        # Imported here: a service that never consolidates does without it.
        from scipy import sparse

        data, columns, starts = [], [], [0]
        for one in self._clusters:
            columns += list(one.terms)
            data += [weight / one.length for weight in one.terms.values()]
            starts.append(len(data))
        rows = sparse.csr_array((data, columns, starts), shape=(len(self._clusters), max(1, len(self._column))), dtype=np.float32)
        by_terms = np.asarray((rows[places] @ rows.T).todense(), dtype=np.float32)
        centres = _unit(self._vectors[: len(self._clusters)])
        has_vector = np.linalg.norm(centres, axis=1) > 0
        both = np.outer(has_vector[places], has_vector)
        weight = np.where(both, self._recipe.terms, self._recipe.terms + self._recipe.vector)
        alike: Floats = np.round(weight * by_terms + self._recipe.vector * (centres[places] @ centres.T), 5).astype(np.float32)
        return alike

    def _join(self, older: int, younger: int) -> None:
        into, gone = self._clusters[older], self._clusters[younger]
        into.items += gone.items
        into.said_from, into.said_to = min(into.said_from, gone.said_from), max(into.said_to, gone.said_to)
        into.sessions |= gone.sessions
        into.terms.update(gone.terms)
        into.length = _length(into.terms.values())
        into.absorbed += [*([gone.id] if gone.id else []), *gone.absorbed]
        into.touched = True
        self._vectors[older] += self._vectors[younger]
        self._vectors[younger] = 0
        gone.items, gone.terms, gone.absorbed = [], Counter(), []

    def _weighted(self, item: ThreadItem) -> list[tuple[int, float]]:
        """The columns of an item's terms with their weights, of unit length together."""
        weights = [(1 + math.log(count)) * self._idf[term] for term, count in item.terms.items()]
        length = _length(weights)
        return [(self._column[term], weight / length) for term, weight in zip(item.terms, weights, strict=True)]

    def _direction(self, vector: Float16Vector) -> Floats:
        turned: Floats = _unit(_unit(vector.astype(np.float32)[None, :]) - self._mean)[0]
        return turned


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
