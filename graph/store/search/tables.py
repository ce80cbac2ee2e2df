"""The writer's side of the index: growing columns, from which every state is a view. One thread at a time."""

from dataclasses import fields
from typing import Any

import numpy as np
from numpy.typing import NDArray

from graph.model import NodeKind
from graph.store.search.batch import EntryBatch
from graph.store.search.columns import (
    LINK_DTYPES,
    MEMORY_DTYPES,
    PASSAGE_DTYPES,
    LinkColumns,
    MemoryColumns,
    PassageColumns,
)
from graph.store.search.growth import GrowingArray
from graph.store.search.sessions import chained, last_messages, relinked

Arrays = dict[str, NDArray[Any]]


class Tables:
    """Columns of memories, passages and links that grow, and what the writer must know to link new messages to old ones."""

    def __init__(self, arrays: Arrays | None = None, speakers: tuple[str, ...] = ()) -> None:
        arrays = arrays or _empty()
        self._columns = {name: GrowingArray(array) for name, array in arrays.items()}
        self._speakers = {name: number for number, name in enumerate(speakers)}
        self._speaker_names = speakers
        self._last = last_messages(self.memories)

    @property
    def arrays(self) -> Arrays:
        """Every column by its name in a snapshot's file."""
        return {name: column.view for name, column in self._columns.items()}

    @property
    def nbytes(self) -> int:
        """Bytes of all columns."""
        return sum(column.nbytes for column in self._columns.values())

    @property
    def speakers(self) -> tuple[str, ...]:
        """Names by number."""
        return self._speaker_names

    @property
    def memories(self) -> MemoryColumns:
        """The rows up to now."""
        return MemoryColumns(**{field.name: self._columns[f"memory.{field.name}"].view for field in fields(MemoryColumns)})

    @property
    def passages(self) -> PassageColumns:
        """The passages up to now."""
        return PassageColumns(**{field.name: self._columns[f"passage.{field.name}"].view for field in fields(PassageColumns)})

    @property
    def links(self) -> LinkColumns:
        """Spans and evidence up to now."""
        return LinkColumns(**{field.name: self._columns[f"link.{field.name}"].view for field in fields(LinkColumns)})

    def append(self, batch: EntryBatch) -> None:
        """Adds rows and links their messages into the chains of their sessions."""
        size, start = len(batch.key), len(self._columns["memory.key"])
        passages = len(self._columns["passage.key"])
        self._numbered(batch.speakers)
        added: Arrays = {
            "memory.key": batch.key,
            "memory.uuid": batch.uuid,
            "memory.kind": batch.kind,
            "memory.role": batch.role,
            "memory.session": batch.session,
            "memory.seq": batch.seq,
            "memory.speaker": np.array([self._speakers[name] for name in batch.speakers], np.int32),
            "memory.said_at": batch.said_at,
            "memory.features": batch.features,
            "memory.live": np.ones(size, bool),
            "memory.previous": np.full(size, -1, np.int32),
            "memory.next": np.full(size, -1, np.int32),
            "memory.first_passage": passages + np.cumsum(batch.passages),
            "memory.first_span": len(self._columns["link.span_start"]) + np.cumsum(batch.spans),
            "memory.first_evidence": len(self._columns["link.evidence"]) + np.cumsum(batch.evidences),
            "passage.key": batch.passage_key,
            "passage.owner": start + np.repeat(np.arange(size, dtype=np.int32), batch.passages),
            "passage.length": batch.length,
            "passage.live": np.ones(len(batch.passage_key), bool),
            "passage.embedded": np.zeros(len(batch.passage_key), bool),
            "link.span_start": batch.span[:, 0],
            "link.span_end": batch.span[:, 1],
            "link.evidence": batch.evidence,
        }
        for name, values in added.items():
            self._columns[name].append(values)
        self._link(batch, start)

    def _numbered(self, names: list[str]) -> None:
        fresh = [name for name in dict.fromkeys(names) if name not in self._speakers]
        for name in fresh:
            self._speakers[name] = len(self._speakers)
        if fresh:
            self._speaker_names = (*self._speaker_names, *fresh)

    def _link(self, batch: EntryBatch, start: int) -> None:
        """Links new messages at the end of their sessions; a message that is not the last of its session makes its chain be made anew."""
        memories = self.memories
        rows = start + np.flatnonzero(batch.kind == NodeKind.MESSAGE)
        if not len(rows):
            return
        rows, follows = chained(memories.session[rows], memories.seq[rows], rows)
        later = np.flatnonzero(follows)
        # In place: rows from `start` on are in no snapshot yet, and a `next` that leads to them counts as -1 in older ones.
        memories.previous[rows[later]] = rows[later - 1]
        memories.next[rows[later - 1]] = rows[later]
        broken = []
        for row, session in zip(rows[~follows].tolist(), memories.session[rows[~follows]].tolist(), strict=True):
            before = self._last.get(session, -1)
            if before >= 0 and memories.seq[before] > memories.seq[row]:
                broken.append(session)
            elif before >= 0:
                memories.previous[row] = before
                memories.next[before] = row
        ends = rows[np.r_[~follows[1:], True]]
        self._last.update(zip(memories.session[ends].tolist(), ends.tolist(), strict=True))
        if broken:
            self._relink(np.array(broken, np.int64))

    def _relink(self, sessions: NDArray[np.int64]) -> None:
        previous, following = relinked(self.memories, self.memories.live, sessions)
        self._columns["memory.previous"].replace(previous)
        self._columns["memory.next"].replace(following)
        for session in sessions.tolist():
            self._last.pop(session, None)
        memories = self.memories
        ends = np.flatnonzero(np.isin(memories.session, sessions) & memories.live & (memories.kind == NodeKind.MESSAGE) & (following < 0))
        self._last.update(zip(memories.session[ends].tolist(), ends.tolist(), strict=True))

    def bury(self, rows: NDArray[np.int32]) -> NDArray[np.int32]:
        """Marks live rows and their passages as dead, closes the chains over them, and returns the passages. Older states keep theirs."""
        live = self.memories.live.copy()
        live[rows] = False
        self._columns["memory.live"].replace(live)
        passages = np.flatnonzero(~live[self.passages.owner] & self.passages.live).astype(np.int32)
        for name in ("passage.live", "passage.embedded"):
            flags = self._columns[name].view.copy()
            flags[passages] = False
            self._columns[name].replace(flags)
        memories = self.memories
        messages = rows[memories.kind[rows] == NodeKind.MESSAGE]
        if len(messages):
            self._relink(np.unique(memories.session[messages]))
        return passages

    def mark_embedded(self, passages: NDArray[np.intp]) -> None:
        """Notes that these passages have a vector; a search that reads an older snapshot does not see it."""
        embedded = self.passages.embedded.copy()
        embedded[passages] = True
        self._columns["passage.embedded"].replace(embedded)


def _empty() -> Arrays:
    arrays: Arrays = {}
    for prefix, dtypes in (("memory", MEMORY_DTYPES), ("passage", PASSAGE_DTYPES), ("link", LINK_DTYPES)):
        for name, (dtype, shape) in dtypes.items():
            # Where runs start: one entry before the first row.
            arrays[f"{prefix}.{name}"] = np.zeros((1 if name.startswith("first_") else 0, *shape), dtype)
    return arrays
