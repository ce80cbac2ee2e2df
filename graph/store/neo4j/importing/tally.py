"""What an import counts as records pass, so that nothing has to be read back: keys, sessions, passages, statistics."""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from graph.errors import InvalidArgument
from graph.model import Message, NodeKind, Session, to_micros
from graph.store.candidates import StatisticsGroup
from graph.store.memory_rows import MemoryRow
from graph.store.neo4j.driver.term_statistics import GROUP_NAMES, GroupDelta, add_counts
from graph.store.neo4j.rows.edge_rows import NodeRef
from graph.store.neo4j.rows.search_tokens import group_of
from graph.store.port import ExtractedSpan
from graph.store.rules.importing import comes_twice, unknown_node, unknown_session

# Fewer than these wait for more to come: adding them up one batch after the other would move all of them each time.
_WAITING_TERMS = 100_000


@dataclass(slots=True)
class SessionTally:
    """A session and what its messages come to. `last_key` is that of the last message so far."""

    key: int
    name: str
    time_zone: str
    last_key: int = 0
    last_seq: int = 0
    count: int = 0
    first: int | None = None
    last: int | None = None
    extracted_seq: int = 0
    flush_marks: tuple[int, ...] = ()
    again: tuple[int, ...] = ()
    spans: tuple[ExtractedSpan, ...] = ()
    client_ids: set[str] = field(default_factory=set)

    def append(self, message: Message, key: int) -> int:
        """Takes a message; returns the key of the one before it."""
        if message.seq <= self.last_seq:
            raise InvalidArgument.of("records", f"messages of the session {self.name!r} come twice, or not in the order of their seq")
        if message.client_id:
            if message.client_id in self.client_ids:
                raise comes_twice()
            self.client_ids.add(message.client_id)
        sent_at = to_micros(message.sent_at)
        before, self.last_key, self.last_seq = self.last_key, key, message.seq
        self.count += 1
        self.first = sent_at if self.first is None else min(self.first, sent_at)
        self.last = sent_at if self.last is None else max(self.last, sent_at)
        return before

    def properties(self) -> dict[str, Any]:
        """What the messages and the progress say of the session."""
        told = {"last_seq": self.last_seq, "message_count": self.count, "extracted_seq": self.extracted_seq}
        return told if self.first is None else told | {"first_sent_at": self.first, "last_sent_at": self.last}


class TermSums:
    """Counts by term that grow batch by batch: added up when as many wait as there are sums, so that each is moved a few times only."""

    def __init__(self) -> None:
        self._parts: list[tuple[NDArray[np.uint64], NDArray[np.int32]]] = []
        self._summed = self._waiting = 0

    def add(self, hashes: NDArray[np.uint64], counts: NDArray[np.int32]) -> None:
        """Adds counts of distinct terms."""
        self._parts.append((hashes, counts))
        self._waiting += len(hashes)
        if self._waiting > max(_WAITING_TERMS, self._summed):
            self.total()

    def total(self) -> tuple[NDArray[np.uint64], NDArray[np.int32]]:
        """The terms, ascending, and their counts."""
        total = add_counts(self._parts)
        self._parts, self._summed, self._waiting = [total], len(total[0]), 0
        return total


class ImportTally:
    """The sums of all records so far."""

    def __init__(self) -> None:
        self.refs: dict[str, NodeRef] = {}
        self.sessions: dict[str, SessionTally] = {}
        self.speakers: Counter[str] = Counter()
        self.mentions: Counter[int] = Counter()
        # Passages that have no vector so far: the memory's kind and its session's key, by (memory's key, ordinal).
        self.bare: dict[tuple[int, int], tuple[NodeKind, int]] = {}
        # Current events that no window summarizes so far.
        self.unsummarized: set[int] = set()
        self.summaries = 0
        self.stale_summaries = 0
        self.profile = ""
        # Of messages that have some, by key.
        self.labels: dict[int, Mapping[str, str]] = {}
        self._passages = {group: [0, 0] for group in StatisticsGroup}
        self._terms = {group: TermSums() for group in StatisticsGroup}
        self._embedded: set[tuple[int, int]] = set()
        self.next_key = 1

    def new_key(self, id_: str, kind: NodeKind) -> int:
        """A key for a new node. Raises InvalidArgument when its id came before."""
        if id_ in self.refs:
            raise comes_twice()
        key, self.next_key = self.next_key, self.next_key + 1
        self.refs[id_] = NodeRef(kind, key)
        return key

    def begin(self, session: Session, key: int) -> None:
        """A session comes."""
        if session.name in self.sessions:
            raise comes_twice()
        self.sessions[session.name] = SessionTally(key, session.name, session.time_zone)

    def session(self, name: str) -> SessionTally:
        """A session that came before."""
        found = self.sessions.get(name)
        if found is None:
            raise unknown_session(name)
        return found

    def known(self, ids: Iterable[str]) -> None:
        """Makes sure that these nodes came before."""
        missing = next((id_ for id_ in ids if id_ not in self.refs), None)
        if missing is not None:
            raise unknown_node(missing)

    def count_passages(self, kind: NodeKind, rows: Iterable[tuple[int, int, MemoryRow]]) -> None:
        """Counts the passages of current memories, given with their keys and those of their sessions."""
        group, delta = group_of(kind), GroupDelta()
        for key, session, row in rows:
            for passage in row.passages:
                self.bare[(key, passage.ordinal)] = kind, session
                delta.count(passage.terms, passage.length, 1)
        self._passages[group][0] += delta.passages
        self._passages[group][1] += delta.length
        if delta.hashes:
            self._terms[group].add(*delta.summed())

    def take_vector(self, id_: str, ordinal: int) -> tuple[NodeKind, int] | None:
        """Where a vector goes: the memory's kind and key; None when it has no such passage any more."""
        passage = self.refs[id_].key, ordinal
        bare = self.bare.pop(passage, None)
        if bare is None:
            if passage in self._embedded:
                raise comes_twice()
            return None
        self._embedded.add(passage)
        return bare[0], passage[0]

    def statistics(self) -> Sequence[dict[str, Any]]:
        """Properties of :TermStatistics, without their revision."""
        return [
            {
                "group": GROUP_NAMES[group],
                "passages": self._passages[group][0],
                "length": self._passages[group][1],
                "hashes": hashes.astype("<u8").tobytes(),
                "counts": counts.astype("<i4").tobytes(),
            }
            for group, (hashes, counts) in ((group, sums.total()) for group, sums in self._terms.items())
        ]

    @property
    def terms(self) -> int:
        """Distinct terms of both groups."""
        return sum(len(sums.total()[0]) for sums in self._terms.values())
