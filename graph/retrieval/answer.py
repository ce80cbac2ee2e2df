"""What retrieval is asked and what it answers: plain data that mirrors the contract's retrieval.proto."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, tzinfo
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from graph.model import EdgeKind, EmbeddingSpec, MemoryFilter, Message, NodeKind, Statement, Summary, TimeRange, TimeSpan
from graph.retrieval.degradation import Degradation
from graph.retrieval.planning.question import NO_INTENT, QueryIntent
from graph.store.port import ConsistencyPoint

# How many tokens a text has. The context's budget is counted with it, over the whole text.
TokenCounter = Callable[[str], int]
# However a text is counted, a token stands for no more characters than this. English has four to five, and no language more than seven.
CHARACTERS_A_TOKEN = 12


class QueryEmbedder(Protocol):
    """What retrieval needs of an embedder."""

    @property
    def spec(self) -> EmbeddingSpec:
        """Which model this is; used only for namespaces whose vectors are of the same fingerprint and dimension."""
        ...

    async def embed_query(self, text: str) -> NDArray[np.float32]:
        """The vector of a query: (dimension,), unit length."""
        ...


@dataclass(frozen=True, slots=True)
class RetrievalRequest:
    """One query of one namespace.

    Attributes:
        k: how many hits, at least 1.
        recipe: a name in `RECIPES`.
        asked_at: aware; "now" for the query's times.     zone: of the query's times; None: the namespace's, or UTC.
        explain: whether hits are explained.        min_relevance: what is less relevant is no hit; 0 to 1.
        at_least: what the answer has to see.
        vector: the query's vector, for namespaces whose model nobody here serves; any positive length, normalised before use.
        session: the name of the running session, of which the query is a turn and of which nothing is returned unless the filter names it;
            "": a question.
        turns: the last turns of that session, oldest first; (): those that the store has from before `asked_at`.
        as_asked: only what was said before `asked_at` is seen.
        known_at: only what was said before is seen; None: all, or what `as_asked` says.
        valid_at: as of when what holds is wanted; None: now, or a time that the query names and that has passed.
        with_covered: statements come along, beyond `k`, that better messages stand for.
        summaries: how many summaries at most come along; they do not count in `k`.
    """

    namespace: str
    query: str
    k: int
    recipe: str
    filter: MemoryFilter
    asked_at: datetime
    zone: tzinfo | None
    at_least: ConsistencyPoint | None = None
    vector: NDArray[np.float32] | None = None
    explain: bool = True
    min_relevance: float = 0.0
    session: str = ""
    turns: tuple[str, ...] = ()
    as_asked: bool = False
    known_at: datetime | None = None
    valid_at: datetime | None = None
    with_covered: bool = False
    summaries: int = 0

    @property
    def known_before(self) -> datetime | None:
        """The moment before which what is seen was said, where there is one."""
        moments = [moment for moment in (self.known_at, self.asked_at if self.as_asked else None) if moment is not None]
        return min(moments, default=None)

    @property
    def seen(self) -> MemoryFilter:
        """The filter with what the running session, `as_asked` and `known_at` keep out."""
        seen = self.filter
        if self.session and self.session not in seen.sessions:
            seen = replace(seen, not_sessions=(*seen.not_sessions, self.session))
        if (known_before := self.known_before) is not None:
            said = seen.said or TimeRange()
            seen = replace(seen, said=replace(said, end=min(said.end, known_before)))
        return seen


@dataclass(frozen=True, slots=True)
class QueryPlan:
    """How a query was understood. `entity_ids` go with `entities`. Of `intents` the contract has WHEN alone, and none of the fields after
    `degraded`.

    `topic_terms` are the terms without those of words that address the memory. `zone` is the one in which its times were read:
    the request's or the (first) namespace's. `running_text` is what was last said in the running session, for the embedder.
    """

    recipe: str
    terms: tuple[str, ...] = ()
    dense_text: str = ""
    speakers: tuple[str, ...] = ()
    entities: tuple[str, ...] = ()
    times: tuple[TimeSpan, ...] = ()
    intents: QueryIntent = NO_INTENT
    degraded: tuple[Degradation, ...] = ()
    entity_ids: tuple[str, ...] = ()
    topic_terms: frozenset[str] = frozenset()
    zone: tzinfo = UTC
    asked_at: datetime | None = None
    running_text: str = ""

    @property
    def asks_when(self) -> bool:
        """Whether the question asks for a time or a length of time."""
        return QueryIntent.WHEN in self.intents


@dataclass(frozen=True, slots=True)
class Contribution:
    """What one signal added to a hit's score. docs/retrieval.md describes each signal.

    Attributes:
        raw: the signal's own measure.     value: that on the recipe's common scale, 0 to 1.     weight: the recipe's.
        points: weight * value, exactly.     from_id: the memory that lent this, when it comes from another one; else "".
    """

    signal: str
    raw: float
    value: float
    weight: float
    points: float
    from_id: str = ""


@dataclass(frozen=True, slots=True)
class ChannelRank:
    """Where a hit stood in one channel ("lexical", "dense", "graph", "temporal"), among the candidates that may be returned."""

    channel: str
    rank: int
    score: float


@dataclass(frozen=True, slots=True)
class PathStep:
    """One step of the path by which the graph reached a node: the edge followed and where it led."""

    edge: EdgeKind
    node_id: str


@dataclass(frozen=True, slots=True)
class Explanation:
    """Why a hit is where it is: the points of the contributions sum to its score.

    Attributes:
        channels: its rank in each channel that found it.
        path: how the graph reached it, from a seed; empty when the graph did not or when it is a seed itself.
        evidence_ids: the messages it rests on; its own id, for a message.
    """

    contributions: tuple[Contribution, ...]
    channels: tuple[ChannelRank, ...] = ()
    path: tuple[PathStep, ...] = ()
    evidence_ids: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Hit:
    """One memory of an answer. Scores order one answer and are not comparable between answers; `relevance`, from 0 to 1, is.

    `passage`: the ordinal of the passage of its text that fits the query best.
    """

    rank: int
    namespace: str
    node: Message | Statement
    score: float
    explanation: Explanation | None
    relevance: float = 0.0
    passage: int = 0

    @property
    def evidence_ids(self) -> tuple[str, ...]:
        """The messages it rests on; its own id, for a message."""
        return (self.node.id,) if isinstance(self.node, Message) else self.node.evidence_ids


@dataclass(frozen=True, slots=True)
class OmittedHit:
    """A hit that was not read, because the answer has no room for its memory. Its rank is left out by those of the hits."""

    rank: int
    namespace: str
    id: str


@dataclass(frozen=True, slots=True)
class SummaryHit:
    """A summary beside the memories of an answer.

    Attributes:
        score: how well it fits the query, 0 to 1 (`SummaryScores`).
        contributions: what made it, where hits are explained; their points sum to it.
    """

    rank: int
    namespace: str
    summary: Summary
    score: float
    contributions: tuple[Contribution, ...] = ()


@dataclass(frozen=True, slots=True)
class RetrievalAnswer:
    """The hits, best first, and how the query was understood.

    Attributes:
        omitted: hits without room, best first.
        best_relevance: that of the most relevant memory that was found, hit or not; 0 when none was.
        nothing_relevant: there are no hits because nothing is as relevant as the request wants it.
        summaries: those that were asked for, best first.
        profiles: by namespace, where a context asks for them.
    """

    hits: tuple[Hit, ...]
    plan: QueryPlan
    best_relevance: float = 0.0
    nothing_relevant: bool = False
    omitted: tuple[OmittedHit, ...] = ()
    summaries: tuple[SummaryHit, ...] = ()
    profiles: Mapping[str, Summary] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class ContextEntry:
    """One memory, or summary, of a context. `text` is its part of the context's text; `rank` its rank in the retrieval, 0 of a profile."""

    namespace: str
    node_id: str
    kind: NodeKind
    text: str
    said_at: datetime
    speaker: str
    evidence_ids: tuple[str, ...]
    rank: int
    relevance: float = 0.0


@dataclass(frozen=True, slots=True)
class Context:
    """Memories as a text for a prompt: one line a memory, in order of time. `token_count` is the count of `text`, never over the budget.

    `stable_bytes` of the text in UTF-8, from its beginning, are the profiles: the same for every query until one of them is written anew.

    The other fields are those of the `RetrievalAnswer` that it was made of.
    """

    text: str
    token_count: int
    entries: tuple[ContextEntry, ...]
    plan: QueryPlan
    best_relevance: float = 0.0
    nothing_relevant: bool = False
    stable_bytes: int = 0
