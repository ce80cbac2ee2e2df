"""Candidates made by hand, so that pure parts of retrieval are tested without a store; and a small conversation in a real store."""

import zlib
from collections import Counter
from collections.abc import AsyncIterator, Callable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import settings
from numpy.typing import NDArray

from graph.model import (
    Edge,
    EdgeKind,
    EmbeddingSpec,
    Entity,
    EntityKind,
    Event,
    ExtractionMode,
    ExtractorSpec,
    JobKind,
    MemoryFilter,
    NodeKind,
    Participant,
    Role,
    Statement,
    UuidSource,
)
from graph.retrieval import RetrievalAnswer, RetrievalRequest, retrieve
from graph.store.candidates import Candidates, LexicalStatistics, StatisticsGroup
from graph.store.embedded import EmbeddedStore
from graph.store.neo4j import Neo4jStore
from graph.store.port import (
    AppendCommand,
    ExtractionWrite,
    GenerationStart,
    JobDeferred,
    JobSucceeded,
    MessageDraft,
    NamespaceSpec,
    PassageVector,
    Store,
)
from graph.text import features_of, terms_of, words_of

# Property tests judge what comes out, not how long it took on a busy machine.
settings.register_profile("untimed", deadline=None)
settings.load_profile("untimed")


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


class HashedWords:
    """An embedder without a model: texts that share terms are near."""

    def __init__(self, dimension: int = 64, fingerprint: str = "hashed") -> None:
        self.spec = EmbeddingSpec("hashed-words", fingerprint, dimension)
        self.asked: list[str] = []

    def vector(self, text: str) -> NDArray[np.float32]:
        values = np.zeros(self.spec.dimension, dtype=np.float32)
        for term in terms_of(text) or ("",):
            values[zlib.crc32(term.encode()) % self.spec.dimension] += 1
        return values / np.float32(np.linalg.norm(values))

    async def embed_query(self, text: str) -> NDArray[np.float32]:
        self.asked.append(text)
        return self.vector(text)


@pytest.fixture
def embedder() -> HashedWords:
    return HashedWords()


@pytest.fixture(params=["embedded", pytest.param("neo4j", marks=pytest.mark.neo4j)])
async def store(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[Store]:
    """Each store in turn: retrieval must not notice which one it reads."""
    if request.param == "neo4j":
        store: Store = Neo4jStore(request.getfixturevalue("neo4j").address)
    else:
        store = EmbeddedStore(tmp_path)
    await store.open()
    yield store
    await store.close()


SPRING = datetime(2023, 5, 8, 18, tzinfo=UTC)
CHAT = {
    "spring": [
        ("Ana", "Hi Ben! I painted a sunrise over the lake yesterday."),
        ("Ben", "Lovely! Where will you hang it?"),
        ("Ana", "In the kitchen, next to my grandmother's clock."),
        ("Ben", "I adopted a puppy last Friday, her name is Nala."),
        ("Ana", "How old is she?"),
        ("Ben", "Ten weeks. 🐶"),
    ],
    "autumn": [
        ("Ana", "We moved to Lisbon in September."),
        ("Ben", "How is the new flat?"),
        ("Ana", "Small, but it has a view of the river."),
        ("Ben", 'Nala says "woof" AND NOT (meow) OR *'),
        ("Ana", "東京タワー is on my list for next year"),
    ],
}


@dataclass
class World:
    """A namespace with a conversation, its vectors and, by hand, an extraction of it."""

    store: Store
    embedder: HashedWords
    messages: dict[str, list[str]]
    name: str = "home"

    def request(self, query: str, **fields: Any) -> RetrievalRequest:
        given = {
            "namespace": self.name,
            "k": 5,
            "recipe": "hybrid",
            "filter": MemoryFilter(),
            "asked_at": SPRING + timedelta(days=365),
            "zone": UTC,
        }
        return RetrievalRequest(query=query, **{**given, **fields})

    async def retrieve(self, query: str, **fields: Any) -> RetrievalAnswer:
        return await retrieve(self.store, self.request(query, **fields), self.embedder)


async def fill(store: Store, embedder: HashedWords, name: str) -> World:
    await store.create_namespace(NamespaceSpec(name, embedder.spec, ExtractionMode.EVENT))
    world = World(store, embedder, {}, name)
    for number, (session, turns) in enumerate(CHAT.items()):
        start = SPRING + timedelta(days=150 * number)
        drafts = tuple(MessageDraft(who, Role.USER, text, start + timedelta(minutes=i)) for i, (who, text) in enumerate(turns))
        outcome = await store.namespace(name).append(AppendCommand(session, drafts, timedelta(0)))
        world.messages[session] = [m.id for m in outcome.messages]
        passages = await store.namespace(name).missing_vectors(session, 100)
        vectors = [PassageVector(p.owner_id, p.ordinal, embedder.vector(p.text).astype(np.float16)) for p in passages]
        await store.namespace(name).put_vectors(embedder.spec.fingerprint, vectors)
    return world


@pytest.fixture
async def world(store: Store, embedder: HashedWords) -> World:
    """The conversation as it is right after it was written: no extraction yet."""
    return await fill(store, embedder, "home")


@dataclass(frozen=True)
class Stated:
    """A fact that an extraction makes of messages, by their place in the session."""

    text: str
    places: tuple[int, ...]
    entities: tuple[Entity, ...] = ()
    said_at: datetime | None = None
    embedded: bool = True


async def extract(world: World, session: str, stated: Sequence[Stated], mentions: Sequence[tuple[int, Entity]] = ()) -> None:
    """What waits in a session becomes these facts, each of an event of its own, and these messages mention entities."""
    store, mint, lease = world.store, UuidSource().mint, None
    while lease is None or lease.job.session != session:
        lease = await store.lease_job("test", timedelta(minutes=1), {JobKind.EXTRACTION})
        assert lease is not None
        if lease.job.session != session:
            await store.namespace(lease.job.namespace).finish_job(lease, JobDeferred(datetime.now(UTC)))
    memory = store.namespace(lease.job.namespace)
    pending = await memory.pending(lease, 100)
    events, statements, vectors = [], [], []
    for one in stated:
        said_on = [pending.messages[place] for place in one.places]
        evidence, said = tuple(message.id for message in said_on), one.said_at or said_on[-1].sent_at
        event_id, fact_id, entities = mint("evt"), mint("fct"), tuple(entity.id for entity in one.entities)
        statements.append(
            Statement(
                fact_id, NodeKind.FACT, session, one.text, said_on[0].speaker, said, said, evidence, event_id, entities,
                generation=pending.generation,
            )
        )  # fmt: skip
        participants = tuple(Participant(id_, "subject") for id_ in entities)
        events.append(
            Event(event_id, session, one.text, said, said, evidence, None, (fact_id,), participants, generation=pending.generation)
        )
        if one.embedded:
            vectors.append(PassageVector(fact_id, 0, world.embedder.vector(one.text).astype(np.float16)))
    known = dict.fromkeys([*(entity for one in stated for entity in one.entities), *(entity for _, entity in mentions)])
    edges = tuple(Edge(EdgeKind.MENTIONS, pending.messages[place].id, entity.id) for place, entity in mentions)
    write = ExtractionWrite(
        pending.generation,
        pending.watermark,
        pending.messages[-1].seq,
        tuple(statements),
        tuple(events),
        tuple(known),
        edges,
        tuple(vectors),
    )
    await memory.commit_extraction(lease, write)
    await memory.finish_job(lease, JobSucceeded())


async def begin_extraction(world: World) -> None:
    """From here on what is extracted is current."""
    await world.store.namespace(world.name).begin_generation(GenerationStart(ExtractorSpec("by-hand", "1", ExtractionMode.EVENT)))


@pytest.fixture
async def extracted(world: World) -> World:
    """The conversation with two events about Nala, who links them, and one about the painting."""
    await begin_extraction(world)
    nala = Entity(UuidSource().mint("ent"), "Nala", EntityKind.PERSON, SPRING)
    puppy, painted = Stated("Ben adopted a puppy called Nala.", (3,), (nala,)), Stated("Ana painted a sunrise.", (0,))
    await extract(world, "spring", (puppy, painted), [(3, nala)])
    await extract(world, "autumn", (Stated("Nala makes noises.", (3,), (nala,)),), [(3, nala)])
    return world
