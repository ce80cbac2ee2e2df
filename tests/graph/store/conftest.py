"""The stores that the contract suite runs against, and what its tests are written in."""

import gc
import uuid
import warnings
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import AsyncExitStack
from datetime import UTC, datetime, timedelta
from pathlib import Path

import numpy as np
import pytest

from graph.model import (
    EmbeddingSpec,
    Entity,
    EntityKind,
    Event,
    ExtractionMode,
    ExtractorSpec,
    JobKind,
    Lease,
    MemoryFilter,
    Message,
    NodeKind,
    Participant,
    Role,
    Statement,
    TimeSpan,
    id_of,
)
from graph.store.candidates import CandidateQuery
from graph.store.embedded import EmbeddedStore
from graph.store.neo4j import Neo4jStore
from graph.store.partitioned import Partition, PartitionedStore
from graph.store.port import (
    AppendCommand,
    AppendOutcome,
    ExtractionWrite,
    GenerationStart,
    JobDeferred,
    JobSucceeded,
    MessageDraft,
    MessageQuery,
    NamespaceSpec,
    PassageVector,
    Store,
)
from graph.text import terms_of
from tests.graph.store.neo4j_servers import started
from tests.neo4j_databases import Database
from tests.neo4j_server import Neo4jServer

MONDAY = datetime(2024, 3, 4, 9, 0, tzinfo=UTC)
DIMENSION = 8
SPEC = EmbeddingSpec("test", "fingerprint-1", DIMENSION)
EXTRACTOR = ExtractorSpec("rules", "v1", ExtractionMode.EVENT)
IDLE = timedelta(seconds=30)
LEASE = timedelta(seconds=60)


class ManualClock:
    """A clock that stands still until it is moved."""

    def __init__(self) -> None:
        self.time = datetime(2025, 1, 1, tzinfo=UTC)

    def now(self) -> datetime:
        return self.time

    def advance(self, seconds: float) -> None:
        self.time += timedelta(seconds=seconds)


class CountingIds:
    """Mints repeatable ids."""

    def __init__(self, start: int = 0) -> None:
        self.last = start

    def mint(self, prefix: str) -> str:
        self.last += 1
        return id_of(prefix, uuid.UUID(int=0x018F << 112 | 0x7 << 76 | 0b10 << 62 | self.last))


def unit(*seed: int) -> np.ndarray:
    """A unit vector that depends on the seed alone."""
    values = np.random.default_rng(list(seed)).normal(size=DIMENSION)
    return (values / np.linalg.norm(values)).astype(np.float16)


def draft(text: str, minutes: float = 0, speaker: str = "Ana", **more: object) -> MessageDraft:
    return MessageDraft(speaker, Role.USER, text, MONDAY + timedelta(minutes=minutes), **more)


class Bench:
    """A store with shorthands. Every shorthand is one intent of the port, or the steps of a worker."""

    monday = MONDAY
    spec = SPEC
    extractor = EXTRACTOR
    draft = staticmethod(draft)
    unit = staticmethod(unit)

    def __init__(self, store: Store, clock: ManualClock, ids: CountingIds, namespace: str = "acme/ana") -> None:
        self.store = store
        self.clock = clock
        self.ids = ids
        self.namespace = namespace

    async def create(self, name: str | None = None, spec: EmbeddingSpec = SPEC, mode: ExtractionMode = ExtractionMode.EVENT, **more: str):
        return await self.store.create_namespace(NamespaceSpec(name or self.namespace, spec, mode, **more))

    async def say(self, *texts: str | MessageDraft, session: str = "s1", idle: timedelta = IDLE, **more: str) -> AppendOutcome:
        drafts = tuple(text if isinstance(text, MessageDraft) else draft(text, i) for i, text in enumerate(texts))
        return await self.store.namespace(self.namespace).append(AppendCommand(session, drafts, idle, **more))

    async def lease(self, worker: str = "w1", duration: timedelta = LEASE) -> Lease | None:
        return await self.store.lease_job(worker, duration, {JobKind.EXTRACTION})

    async def flushed_lease(self, session: str = "") -> Lease:
        """The session's job, leased; jobs of other sessions that are due before it are handed back."""
        await self.store.namespace(self.namespace).flush(session)
        others = []
        while (lease := await self.lease()) is not None and session and lease.job.session != session:
            others.append(lease)
        for other in others:
            await self.store.namespace(other.job.namespace).finish_job(other, JobDeferred(self.clock.now()))
        assert lease is not None
        return lease

    async def embed(self, session: str = "s1") -> int:
        waiting = await self.store.namespace(self.namespace).missing_vectors(session, 1_000)
        vectors = [PassageVector(p.owner_id, p.ordinal, unit(*p.text.encode())) for p in waiting]
        return await self.store.namespace(self.namespace).put_vectors(SPEC.fingerprint, vectors)

    def entity(self, name: str, kind: EntityKind = EntityKind.PERSON, *aliases: str) -> Entity:
        return Entity(self.ids.mint("ent"), name, kind, self.clock.now(), aliases)

    def fact(self, text: str, evidence: list[Message], entities: list[Entity] | None = None, **more: object) -> Statement:
        kind = more.pop("kind", NodeKind.FACT)
        return Statement(
            id=self.ids.mint("rel" if kind is NodeKind.RELATION else "fct"),
            kind=kind,
            session=evidence[0].session,
            text=text,
            speaker=evidence[0].speaker,
            said_at=evidence[0].sent_at,
            recorded_at=self.clock.now(),
            evidence_ids=tuple(message.id for message in evidence),
            entity_ids=tuple(entity.id for entity in entities or []),
            **more,
        )

    def event(
        self,
        title: str,
        statements: list[Statement],
        evidence: list[Message],
        people: list[Entity] | None = None,
        time: TimeSpan | None = None,
    ) -> Event:
        return Event(
            id=self.ids.mint("evt"),
            session=evidence[0].session,
            title=title,
            said_at=evidence[0].sent_at,
            recorded_at=self.clock.now(),
            evidence_ids=tuple(message.id for message in evidence),
            time=time,
            statement_ids=tuple(statement.id for statement in statements),
            participants=tuple(Participant(person.id, "subject") for person in people or []),
        )

    async def texts(self, session: str = "s1") -> list[str]:
        page = await self.store.namespace(self.namespace).list_messages(MessageQuery(sessions=(session,)), None, 1_000)
        return [message.text for message in page.items]

    async def found(self, words: str, vector: np.ndarray | None = None, **filters: object) -> dict[str, str]:
        """The texts of the memories that a search may return, by id."""
        query = CandidateQuery(terms_of(words), vector, MemoryFilter(**filters), neighbours=0)
        found = await self.store.namespace(self.namespace).candidates(query)
        nodes = await self.store.namespace(self.namespace).get_nodes(
            [id_ for id_, good in zip(found.ids, found.eligible, strict=True) if good]
        )
        return {id_: node.text for id_, node in nodes.items() if isinstance(node, Message | Statement)}

    async def extract(self, session: str = "s1", extractor: ExtractorSpec = EXTRACTOR) -> ExtractionWrite:
        """One fact and one event about Ana for every waiting message of the session, committed."""
        generation = await self.store.namespace(self.namespace).begin_generation(GenerationStart(extractor))
        lease = await self.flushed_lease(session)
        await self.embed(session)
        work = await self.store.namespace(lease.job.namespace).pending(lease, 1_000)
        ana = self.entity("Ana")
        facts = [self.fact(f"Fact: {m.text}", [m], [ana]) for m in work.messages]
        events = [self.event(f"Event: {m.text}", [f], [m], [ana]) for m, f in zip(work.messages, facts, strict=True)]
        write = ExtractionWrite(
            generation=generation,
            expected_watermark=work.watermark,
            watermark=work.messages[-1].seq,
            statements=tuple(facts),
            events=tuple(events),
            entities=(ana,),
            vectors=tuple(PassageVector(fact.id, 0, unit(*fact.text.encode())) for fact in facts),
        )
        await self.store.namespace(lease.job.namespace).commit_extraction(lease, write)
        await self.store.namespace(lease.job.namespace).finish_job(lease, JobSucceeded())
        return write


OpenStore = Callable[..., Awaitable[Store]]
MakeStore = Callable[..., Store]

# Stores that are made from their place alone, a clock and a source of ids. Another store joins the suite here, or beside `NEO4J` below.
STORES: dict[str, MakeStore] = {
    "embedded": lambda place, clock, ids: EmbeddedStore(place, clock=clock, ids=ids),
    # Most tests use the namespace "acme/ana", which the second of these keeps.
    "partitioned": lambda place, clock, ids: PartitionedStore(
        [
            Partition("rest", EmbeddedStore(place / "rest", clock=clock, ids=ids), ()),
            Partition("acme", EmbeddedStore(place / "acme", clock=clock, ids=ids), ("acme",)),
        ]
    ),
}
NEO4J = pytest.param("neo4j", marks=pytest.mark.neo4j)


@pytest.fixture(scope="session")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Neo4jServer]:
    """A server that tests stop, kill, or give another schema; of those of one xdist group."""
    yield from started(tmp_path_factory.mktemp("neo4j-to-break"))


@pytest.fixture
def sockets_of_failed_handshakes() -> Iterator[None]:
    """The driver leaves the socket of a TLS handshake that failed to the garbage collector, which would warn of it in a later test."""
    yield
    with warnings.catch_warnings(action="ignore", category=ResourceWarning):
        gc.collect()


@pytest.fixture
def clock() -> ManualClock:
    return ManualClock()


@pytest.fixture
def ids() -> CountingIds:
    return CountingIds()


def pytest_configure(config: pytest.Config) -> None:
    config.addinivalue_line("markers", "embedded: looks into the embedded store, or counts what it does")


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """Every test of the contract runs on every store; `test_embedded_*.py`, and what looks into a store, on the embedded one alone."""
    if "make_store" in metafunc.fixturenames:
        own = Path(metafunc.module.__file__).name.startswith("test_embedded_") or metafunc.definition.get_closest_marker("embedded")
        metafunc.parametrize("make_store", ["embedded"] if own else [*STORES, NEO4J], indirect=True)


@pytest.fixture
def make_store(request: pytest.FixtureRequest) -> MakeStore:
    """Makes a store of the kind under test: `make_store(place, clock, ids)`."""
    if request.param != "neo4j":
        return STORES[request.param]
    databases: Callable[[int], Database] = request.getfixturevalue("neo4j_of_the_run")
    opened: dict[str, Database] = {}

    def on_neo4j(place: Path, clock: ManualClock, ids: CountingIds) -> Store:
        """On the first database for the place "data", on the second for any other; emptied when a test first asks for the place."""
        if place.name not in opened:
            opened[place.name] = databases(0 if place.name == "data" else 1)
        database = opened[place.name]
        return Neo4jStore(database.address, clock=clock, ids=ids)

    return on_neo4j


@pytest.fixture
def owned_by_one_process(request: pytest.FixtureRequest) -> None:
    """For what holds only where one process owns the store, so that whoever held a lease before it was opened is gone.

    Where several share it nobody knows that: there a lease ends by the store's clock alone.
    """
    if request.node.callspec.params["make_store"] == "neo4j":
        pytest.skip("several processes may share this store: a lease outlives the process that held it, and ends by the clock")


@pytest.fixture
async def open_store(make_store: MakeStore, tmp_path: Path, clock: ManualClock, ids: CountingIds) -> AsyncIterator[OpenStore]:
    """Opens stores of the kind under test, and closes them at the end."""
    async with AsyncExitStack() as stack:

        async def open_(place: str = "data") -> Store:
            store = make_store(tmp_path / place, clock, ids)
            await store.open()
            stack.push_async_callback(store.close)
            return store

        yield open_


@pytest.fixture
async def store(open_store: OpenStore) -> Store:
    return await open_store()


@pytest.fixture
async def bench(store: Store, clock: ManualClock, ids: CountingIds) -> Bench:
    """A store with one namespace, "acme/ana", whose vectors a worker makes."""
    bench = Bench(store, clock, ids)
    await bench.create()
    return bench
