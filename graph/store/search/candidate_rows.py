"""From the rows that the channels found to candidates: what comes along, and every row measured in every channel."""

import numpy as np
from numpy.typing import NDArray

from graph.model import NodeKind
from graph.store.candidates import Candidates
from graph.store.search.entries import IndexQuery
from graph.store.search.growth import distinct, ranges
from graph.store.search.ids import MemoryIds
from graph.store.search.query_postings import QueryPostings
from graph.store.search.similarity import Similarities
from graph.store.search.state import IndexState
from graph.store.search.temporal import spans_of

# Statements that come along with one candidate message. Extraction makes some 0.5 to 3 a message; the bound keeps a much-quoted one cheap.
STATEMENTS_PER_MESSAGE = 8


def with_related(state: IndexState, found: NDArray[np.intp], neighbours: int) -> NDArray[np.intp]:
    """The rows found, the evidence of statements among them, what rests on these messages, and their neighbours; ascending."""
    rows = distinct(found)
    rows = distinct(np.concatenate([rows, _evidence(state, rows)[1]]))
    messages = rows[state.memories.kind[rows] == NodeKind.MESSAGE]
    parts = [rows, _dependents(state, messages)]
    before = after = messages
    for _ in range(neighbours):
        before, after = _step(state.memories.previous, before), _step(state.memories.next, after)
        parts += [before, after]
    return distinct(np.concatenate(parts))


def _step(link: NDArray[np.int32], rows: NDArray[np.intp]) -> NDArray[np.intp]:
    reached = link[rows]
    return reached[(reached >= 0) & (reached < len(link))].astype(np.intp)


def _evidence(state: IndexState, rows: NDArray[np.intp]) -> tuple[NDArray[np.intp], NDArray[np.intp]]:
    """Pairs: position in `rows` of a statement, row of a live message that it rests on."""
    first = state.memories.first_evidence
    count = first[rows + 1] - first[rows]
    keys = state.links.evidence[ranges(first[rows], count)]
    message = state.keys.find(keys, state.memories.live)
    known = message >= 0
    return np.repeat(np.arange(len(rows)), count)[known], message[known].astype(np.intp)


def _dependents(state: IndexState, messages: NDArray[np.intp]) -> NDArray[np.intp]:
    """Live statements that rest on these messages, the first few of each by row."""
    owner, statements = state.dependents.find_all(state.memories.key[messages])
    alive = state.memories.live[statements]
    owner, statements = owner[alive], statements[alive]
    order = np.lexsort((statements, owner))
    owner, statements = owner[order], statements[order]
    rank = np.arange(len(owner)) - owner.searchsorted(owner, "left")
    return statements[rank < STATEMENTS_PER_MESSAGE].astype(np.intp)


def to_candidates(
    state: IndexState,
    query: IndexQuery,
    rows: NDArray[np.intp],
    mask: NDArray[np.bool_] | None,
    postings: QueryPostings,
    similarities: Similarities | None,
) -> Candidates:
    """The candidates at these rows (ascending)."""
    memories = state.memories
    first = memories.first_passage
    count = first[rows + 1] - first[rows]
    passages = ranges(first[rows], count)
    cosines = np.full(len(passages), np.nan, np.float32) if similarities is None else similarities.of(passages)
    span_row, spans = spans_of(state, rows)
    statement, message = _evidence(state, rows)
    message_row = _positions_in(rows, message)
    paired = message_row >= 0
    kind = memories.kind[rows]
    return Candidates(
        ids=MemoryIds(memories.uuid[rows], kind),
        kind=kind,
        role=memories.role[rows],
        session=memories.session[rows],
        seq=memories.seq[rows].astype(np.int64),
        speaker=memories.speaker[rows],
        speakers=state.speakers,
        said_at=memories.said_at[rows],
        features=memories.features[rows],
        eligible=np.ones(len(rows), bool) if mask is None else mask[rows],
        previous=_positions_in(rows, memories.previous[rows]),
        next=_positions_in(rows, memories.next[rows]),
        passage_row=np.repeat(np.arange(len(rows), dtype=np.int32), count),
        term_counts=postings.counts_in(passages),
        length=state.passages.length[passages],
        similarity=cosines,
        span_row=span_row,
        span_start=state.links.span_start[spans],
        span_end=state.links.span_end[spans],
        statement_row=statement[paired].astype(np.int32),
        message_row=message_row[paired],
        statistics=postings.statistics(),
        revision=state.revision,
    )


def _positions_in(rows: NDArray[np.intp], wanted: NDArray[np.integer]) -> NDArray[np.int32]:
    """Where each wanted row stands in `rows`; -1 where it does not."""
    if not len(rows):
        return np.full(len(wanted), -1, np.int32)
    position = np.minimum(rows.searchsorted(wanted), len(rows) - 1)
    return np.where(rows[position] == wanted, position, -1).astype(np.int32)
