"""Candidates made by hand, so that pure parts of retrieval are tested without a store."""

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

import numpy as np
import pytest

from graph.model import NodeKind, Role
from graph.store.candidates import Candidates, LexicalStatistics, StatisticsGroup
from graph.text import features_of, terms_of, words_of


@dataclass(frozen=True)
class Memory:
    """A memory of one passage: a message, or a fact when it rests on messages (by their place in the list)."""

    text: str
    speaker: str = "Ana"
    session: int = 1
    said_at: int = 0
    cosine: float = 0.0
    role: Role = Role.USER
    spans: tuple[tuple[int, int], ...] = ()
    rests_on: tuple[int, ...] = ()
    eligible: bool = True
    id: str = field(default="")


Columns = Callable[[Sequence[Memory], tuple[str, ...]], Candidates]


def _statistics(passages: Sequence[Counter[str]], terms: tuple[str, ...]) -> LexicalStatistics:
    lengths = [sum(p.values()) for p in passages]
    frequency = np.array([sum(term in p for p in passages) for term in terms], dtype=np.int64)
    return LexicalStatistics(len(passages), float(np.mean(lengths)) if lengths else 0.0, frequency)


def candidates_of(memories: Sequence[Memory], terms: tuple[str, ...]) -> Candidates:
    n = len(memories)
    counts = [Counter(terms_of(m.text)) for m in memories]
    facts = np.array([bool(m.rests_on) for m in memories], dtype=bool)
    seq = np.array(
        [0 if m.rests_on else 1 + sum(o.session == m.session and not o.rests_on for o in memories[:i]) for i, m in enumerate(memories)]
    )
    row = {(m.session, int(s)): i for i, (m, s) in enumerate(zip(memories, seq, strict=True)) if not m.rests_on}
    speakers = tuple(dict.fromkeys(m.speaker for m in memories))

    def beside(step: int) -> list[int]:
        return [-1 if m.rests_on else row.get((m.session, int(s) + step), -1) for m, s in zip(memories, seq, strict=True)]

    return Candidates(
        ids=[m.id or f"{'fct' if m.rests_on else 'msg'}_{i}" for i, m in enumerate(memories)],
        kind=np.where(facts, NodeKind.FACT, NodeKind.MESSAGE).astype(np.int8),
        role=np.array([0 if m.rests_on else m.role for m in memories], dtype=np.int8),
        session=np.array([m.session for m in memories], dtype=np.int64),
        seq=seq.astype(np.int64),
        speaker=np.array([speakers.index(m.speaker) for m in memories], dtype=np.int32),
        speakers=speakers,
        said_at=np.array([m.said_at for m in memories], dtype=np.int64),
        features=np.array([int(features_of(m.text, words_of(m.text))) for m in memories], dtype=np.int32),
        eligible=np.array([m.eligible for m in memories], dtype=bool),
        previous=np.array(beside(-1), dtype=np.int32),
        next=np.array(beside(1), dtype=np.int32),
        passage_row=np.arange(n, dtype=np.int32),
        term_counts=np.array([[c[t] for t in terms] for c in counts], dtype=np.float32).reshape(n, len(terms)),
        length=np.array([sum(c.values()) for c in counts], dtype=np.int32),
        similarity=np.array([m.cosine for m in memories], dtype=np.float32),
        span_row=np.array([i for i, m in enumerate(memories) for _ in m.spans], dtype=np.int32),
        span_start=np.array([s for m in memories for s, _ in m.spans], dtype=np.int64),
        span_end=np.array([e for m in memories for _, e in m.spans], dtype=np.int64),
        statement_row=np.array([i for i, m in enumerate(memories) for _ in m.rests_on], dtype=np.int32),
        message_row=np.array([r for m in memories for r in m.rests_on], dtype=np.int32),
        statistics={
            StatisticsGroup.MESSAGES: _statistics([c for c, fact in zip(counts, facts, strict=True) if not fact], terms),
            StatisticsGroup.STATEMENTS: _statistics([c for c, fact in zip(counts, facts, strict=True) if fact], terms),
        },
        revision=1,
    )


@pytest.fixture(scope="session")
def columns() -> Columns:
    return candidates_of


@pytest.fixture(scope="session")
def memory() -> type[Memory]:
    return Memory
