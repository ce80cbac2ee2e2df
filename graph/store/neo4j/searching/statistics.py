"""In how many passages of a namespace each term occurs, kept in this process: sums read once, differences added as changes tell them."""

from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from graph.store.candidates import LexicalStatistics, StatisticsGroup
from graph.store.neo4j.driver.connection import Connection
from graph.store.neo4j.driver.reading import namespace_row
from graph.store.neo4j.driver.term_statistics import GROUP_NAMES, add_counts
from graph.store.neo4j.searching.changes import Change, Head, read_head

# Differences beyond these are added to the sums; until then they are looked up beside them.
_LOOSE_TERMS = 20_000
_SUMS = """CALL (n) { MATCH (s:TermStatistics) WHERE s.namespace = n.name AND s.group IS NOT NULL
    RETURN collect([s.group, s.revision, s.passages, s.length, s.hashes, s.counts]) AS sums }"""
# From the counts that Neo4j keeps: how many documents the full-text index has, nearly.
_DOCUMENTS = " ".join(f"CALL () {{ MATCH (m:{label}) RETURN count(m) AS {label} }}" for label in ("Message", "Fact", "Relation", "Passage"))


class GroupStatistics:
    """The passages of one group."""

    def __init__(self, revision: int = 0, passages: int = 0, length: int = 0, hashes: bytes = b"", counts: bytes = b"") -> None:
        self._revision = revision
        self.passages = passages
        self._length = length
        self._hashes: NDArray[np.uint64] = np.frombuffer(hashes, "<u8")
        self._counts: NDArray[np.int32] = np.frombuffer(counts, "<i4")
        self._loose: dict[int, int] = {}

    @property
    def nbytes(self) -> int:
        """Bytes in memory; about 100 for each term that is not among the sums yet."""
        return self._hashes.nbytes + self._counts.nbytes + 100 * len(self._loose)

    def add(self, revision: int, passages: int | None, length: int | None, hashes: bytes | None, deltas: bytes | None) -> None:
        """Adds what one revision changed, unless the sums that were read hold it already."""
        if revision <= self._revision or hashes is None or deltas is None:
            return
        self.passages += passages or 0
        self._length += length or 0
        loose = self._loose
        for term, delta in zip(np.frombuffer(hashes, "<u8").tolist(), np.frombuffer(deltas, "<i4").tolist(), strict=True):
            loose[term] = loose.get(term, 0) + delta
        if len(loose) > _LOOSE_TERMS:
            added = np.fromiter(loose.keys(), np.uint64, len(loose)), np.fromiter(loose.values(), np.int32, len(loose))
            self._hashes, self._counts = add_counts([(self._hashes, self._counts), added])
            self._loose = {}

    def of(self, terms: NDArray[np.uint64]) -> LexicalStatistics:
        """What a query with these terms needs."""
        frequency = np.zeros(len(terms), np.int64)
        if len(self._hashes):
            index = np.minimum(self._hashes.searchsorted(terms), len(self._hashes) - 1)
            known = self._hashes[index] == terms
            frequency[known] = self._counts[index[known]]
        frequency += np.array([self._loose.get(term, 0) for term in terms.tolist()], np.int64)
        return LexicalStatistics(self.passages, self._length / self.passages if self.passages else 0.0, frequency)


class NamespaceStatistics:
    """The passages of a namespace at a revision. `documents`: about how many the whole full-text index holds."""

    def __init__(self, uid: str, token: str, dimension: int, revision: int, groups: Sequence[GroupStatistics], documents: int) -> None:
        self.uid, self.token, self.dimension, self.revision = uid, token, dimension, revision
        self.documents = documents
        self._groups = groups

    @property
    def passages(self) -> int:
        """Current passages of both groups."""
        return sum(group.passages for group in self._groups)

    @property
    def nbytes(self) -> int:
        """Bytes in memory."""
        return sum(group.nbytes for group in self._groups)

    def apply(self, changes: Iterable[Change]) -> None:
        """Adds revisions that follow its own."""
        messages, statements = self._groups
        for change in changes:
            if change.revision <= self.revision:
                continue
            messages.add(change.revision, change.messages_passages, change.messages_length, change.messages_hashes, change.messages_deltas)
            statements.add(
                change.revision, change.statements_passages, change.statements_length, change.statements_hashes, change.statements_deltas
            )
            self.revision = change.revision

    def of(self, terms: NDArray[np.uint64]) -> dict[StatisticsGroup, LexicalStatistics]:
        """What a query with these terms needs, by group."""
        return {group: self._groups[group].of(terms) for group in StatisticsGroup}


async def read_statistics(connection: Connection, namespace: str) -> NamespaceStatistics:
    """The statistics at the newest revision."""
    while True:
        row = await namespace_row(
            connection, namespace, f"{_SUMS} {_DOCUMENTS} RETURN n.statistics_revision, n.uid, sums, Message + Fact + Relation + Passage"
        )
        since, uid, sums, documents = row
        head = await read_head(connection, namespace, since)
        # Otherwise the name was given to another namespace, or the sums were renewed and the log cut, between the two reads.
        if head.uid == uid and not head.missing:
            return _summed(head, since, sums, documents)


def _summed(head: Head, since: int, sums: Sequence[Any], documents: int) -> NamespaceStatistics:
    by_name = {name: values for name, *values in sums}
    groups = [GroupStatistics(*by_name.get(GROUP_NAMES[group], ())) for group in StatisticsGroup]
    # Sums that are newer than `since` hold some of the changes already; each group knows which.
    statistics = NamespaceStatistics(head.uid, head.token, head.dimension, since, groups, documents)
    statistics.apply(head.changes)
    statistics.revision = head.revision
    return statistics
