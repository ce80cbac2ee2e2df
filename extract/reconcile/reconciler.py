"""Finds what new messages replace or repeat of what was said, and what was said since that replaces them.

Never all pairs: each message is held against the few that are nearest to it by words and by vector. What is replaced is a statement where
the older message has one, so that what else it says still stands; else the message itself.
"""

import asyncio
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from extract.reconcile.deciding import Decision, Pair
from extract.reconcile.likelihood import judge
from extract.reconcile.reading import Reading, read
from graph.model import Edge, EdgeKind, MemoryFilter, Message, NodeKind, Role, Statement
from graph.store.candidates import CandidateQuery, Candidates, StatisticsGroup
from graph.store.port import Float16Vector, Memory

# So many of the nearest by words, and by vector, are looked at.
_NEAREST = 12
_MOST_TERMS = 24
# A term that more messages have than this, or than this share of all, is no sign that two are about one thing.
_FEW, _FEW_OF_ALL = 12, 0.02
# Longer messages were pasted, or an assistant's essay: they tell of too much for one of it to be the matter.
_LONGEST = 600
_MESSAGES = MemoryFilter(kinds=frozenset({NodeKind.MESSAGE}))
DECIDED_BY = "local"


@dataclass(frozen=True, slots=True)
class NewMessages:
    """What an extraction has found of a run of messages, before it is stored.

    Attributes:
        vectors: by message id, those of the first passages.
    """

    messages: Sequence[Message]
    statements: Sequence[Statement]
    vectors: Mapping[str, Float16Vector]


@dataclass(frozen=True, slots=True)
class _Change:
    earlier: Message
    later: Message
    decision: Decision


async def changes_of(memory: Memory, new: NewMessages) -> list[Edge]:
    """The SUPERSEDES, MAY_SUPERSEDE and REPEATS edges between what is new, and between that and what is stored."""
    readings = await asyncio.to_thread(lambda: {one.id: found for one in new.messages if (found := reading_of(one)) is not None})
    found: list[_Change] = []
    stated: dict[str, tuple[str, ...]] = {}
    for message in new.messages:
        reading = readings.get(message.id)
        if reading is None or not reading.may_change:
            continue
        query = _query(reading, new.vectors.get(message.id))
        candidates = await memory.candidates(query)
        near = _similarities(candidates)
        near.pop(message.id, None)
        nodes = await memory.get_nodes(list(near))
        others = [node for node in nodes.values() if isinstance(node, Message)]
        made = await asyncio.to_thread(_changes, message, reading, others, near, _Frequency.of(query, candidates))
        if made:
            stated |= _statements_by_message(candidates)
            found.extend(made)
    return await _edges(memory, new, _first_of_each(found), stated) if found else []


def reading_of(message: Message) -> Reading | None:
    """What a message tells; None of one that asserts nothing or is too long."""
    return _read(message.text, message.speaker, message.sent_at) if len(message.text) <= _LONGEST else None


# The same messages are near to many new ones.
_read = lru_cache(maxsize=8_192)(read)


def _query(reading: Reading, vector: Float16Vector | None) -> CandidateQuery:
    terms = tuple(sorted(reading.topics | reading.refused))[:_MOST_TERMS]
    return CandidateQuery(
        terms=terms,
        vector=None if vector is None else np.asarray(vector, np.float32),
        filter=_MESSAGES,
        lexical_limit=_NEAREST if terms else 0,
        dense_limit=0 if vector is None else _NEAREST,
        neighbours=0,
    )


def _similarities(candidates: Candidates) -> dict[str, float | None]:
    """By id of the messages found how near each is; None where there are no vectors."""
    nearest: NDArray[np.float32] = np.full(len(candidates), -np.inf, np.float32)
    np.fmax.at(nearest, candidates.passage_row, candidates.similarity)
    rows = np.flatnonzero(candidates.eligible & (candidates.kind == int(NodeKind.MESSAGE))).tolist()
    return {candidates.ids[row]: float(nearest[row]) if np.isfinite(nearest[row]) else None for row in rows}


def _statements_by_message(candidates: Candidates) -> dict[str, tuple[str, ...]]:
    found: dict[str, list[str]] = {}
    for statement, message in zip(candidates.statement_row.tolist(), candidates.message_row.tolist(), strict=True):
        found.setdefault(candidates.ids[message], []).append(candidates.ids[statement])
    return {id_: tuple(ids) for id_, ids in found.items()}


@dataclass(frozen=True, slots=True)
class _Frequency:
    """How many messages have the terms of a query: `common`, those that many have; `rarity`, as `Pair.rarity`."""

    common: frozenset[str]
    rarity: Mapping[str, float]

    @classmethod
    def of(cls, query: CandidateQuery, candidates: Candidates) -> "_Frequency":
        """What the statistics of the messages say of the query's terms."""
        statistics = candidates.statistics[StatisticsGroup.MESSAGES]
        frequency = dict(zip(query.terms, statistics.document_frequency.tolist(), strict=True))
        many = max(_FEW, _FEW_OF_ALL * statistics.count)
        whole = math.log(statistics.count + 2)
        rarity = {term: math.log((statistics.count + 1) / (count + 0.5)) / whole for term, count in frequency.items()}
        return cls(frozenset(term for term, count in frequency.items() if count > many), rarity)


def _changes(
    message: Message, reading: Reading, others: Sequence[Message], near: Mapping[str, float | None], frequency: _Frequency
) -> list[_Change]:
    found: list[_Change] = []
    for other in others:
        first = _order(other) < _order(message)
        of_other = reading_of(other)
        # What an assistant says is what it was told, or advice.
        if of_other is None or (message if first else other).role is Role.ASSISTANT:
            continue
        readings = (of_other, reading) if first else (reading, of_other)
        pair = Pair(*readings, near[other.id], frequency.common, frequency.rarity)
        decision = judge(pair)
        if decision is not None:
            found.append(_Change(other, message, decision) if first else _Change(message, other, decision))
    return found


def _order(message: Message) -> tuple[object, int, str]:
    return message.sent_at, message.seq if message.session else 0, message.id


def _first_of_each(found: Sequence[_Change]) -> list[_Change]:
    """Of what replaces a message only the first that does: what replaces that one follows in the chain. Of what may, all."""
    best: dict[tuple[str, EdgeKind, str], _Change] = {}
    for one in found:
        key = (one.earlier.id, one.decision.kind, one.later.id if one.decision.kind is EdgeKind.MAY_SUPERSEDE else "")
        if key not in best or _order(one.later) < _order(best[key].later):
            best[key] = one
    return list(best.values())


async def _edges(memory: Memory, new: NewMessages, found: Sequence[_Change], stated: Mapping[str, Sequence[str]]) -> list[Edge]:
    own: dict[str, list[Statement]] = {}
    for statement in new.statements:
        for id_ in statement.evidence_ids:
            own.setdefault(id_, []).append(statement)
    fresh = {message.id for message in new.messages}
    ids = {id_ for one in found for message in (one.earlier, one.later) if message.id not in fresh for id_ in stated.get(message.id, ())}
    nodes = await memory.get_nodes(sorted(ids)) if ids else {}
    known = {id_: node for id_, node in nodes.items() if isinstance(node, Statement) and node.retired_at is None}

    def statements_of(message: Message) -> list[Statement]:
        if message.id in fresh:
            return own.get(message.id, [])
        return [known[id_] for id_ in stated.get(message.id, ()) if id_ in known]

    edges: dict[tuple[EdgeKind, str, str], Edge] = {}
    for one in found:
        stored = next((message for message in (one.earlier, one.later) if message.id not in fresh), None)
        if stored is not None and not statements_of(stored) and not await _is_extracted(memory, stored):
            continue  # it is held against the new one when it is extracted
        newer, older = one.later.id, one.earlier.id
        if one.decision.kind is not EdgeKind.MAY_SUPERSEDE:
            newer = _telling(statements_of(one.later), one.earlier) or newer
            older = _telling(statements_of(one.earlier), one.later) or older
        for each in (older, *_saying_the_same(statements_of(one.earlier), older)) if one.decision.kind is EdgeKind.SUPERSEDES else (older,):
            edges[one.decision.kind, newer, each] = Edge(one.decision.kind, newer, each, properties=_properties(one))
    return list(edges.values())


async def _is_extracted(memory: Memory, message: Message) -> bool:
    session = await memory.get_session(message.session)
    return session is not None and session.extracted_seq >= message.seq


def _telling(statements: Sequence[Statement], other: Message) -> str:
    """The id of the statement that has most to do with another message; "" where there is none."""
    facts = [one for one in statements if one.kind is NodeKind.FACT] or list(statements)
    if len(facts) < 2:
        return facts[0].id if facts else ""
    wanted = reading_of(other)

    def fit(statement: Statement) -> tuple[int, int]:
        told = read(statement.text, statement.speaker, statement.said_at)
        if told is None or wanted is None:
            return 0, 0
        slots = {each.slot for each in told.attributes} & {each.slot for each in wanted.attributes}
        return len(told.topics & (wanted.topics | wanted.refused)) + 2 * len(slots), int(wanted.values.brings_other_than(told.values))

    return max(facts, key=fit).id


def _saying_the_same(statements: Sequence[Statement], id_: str) -> list[str]:
    """The ids of those that say what the one of this id says: the relation beside a fact."""
    told = next((one for one in statements if one.id == id_), None)
    return [] if told is None else [one.id for one in statements if one.id != id_ and one.says_the_same_as(told)]


def _properties(one: _Change) -> dict[str, str]:
    properties = {
        "reason": one.decision.reason,
        "confidence": str(one.decision.confidence),
        "decided_by": DECIDED_BY,
        "known_at": one.later.sent_at.isoformat(),
    }
    if one.decision.kind is not EdgeKind.REPEATS:
        properties["valid_from"] = one.decision.valid_from.isoformat()
    return properties
