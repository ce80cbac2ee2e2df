"""A namespace of which every node is known, in an embedded store, and one of somebody else beside it."""

from collections.abc import AsyncIterator, Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from graph.cypher import CypherHeader, CypherLimits, CypherQuery, CypherRunner, CypherSummary
from graph.cypher.snapshots import SnapshotCypher
from graph.model import (
    NO_EMBEDDING,
    Edge,
    EdgeKind,
    Entity,
    EntityKind,
    Event,
    ExtractionMode,
    ExtractorSpec,
    Granularity,
    JobKind,
    NodeKind,
    Participant,
    Role,
    Statement,
    TimeSpan,
    UuidSource,
)
from graph.store.embedded.store import EmbeddedStore
from graph.store.port import AppendCommand, ExtractionWrite, GenerationStart, MessageDraft, NamespaceSpec

SAID = datetime(2023, 5, 8, 18, tzinfo=UTC)
TEXTS = ("Hi!", "My sister Eva moved to Lisbon last year.", "Good for her: 'sun' and \"sea\".")
SECRET = "the other tenant's secret"
LIMITS = CypherLimits(timeout=3.0, memory=512 << 20)


class Answer:
    """All of an answer."""

    def __init__(self, header: CypherHeader, rows: list[list[Any]], summary: CypherSummary) -> None:
        self.columns, self.revision = header.columns, header.revision
        self.rows = rows
        self.summary = summary


async def ask(runner: CypherRunner, namespace: str, text: str, max_rows: int = 10_000, timeout: float = 3.0, **parameters: Any) -> Answer:
    parts = [part async for part in runner.run(namespace, CypherQuery(text, max_rows, timeout, parameters))]
    header, *batches, summary = parts
    assert isinstance(header, CypherHeader)
    assert isinstance(summary, CypherSummary)
    rows = [list(row) for batch in batches for row in batch]  # type: ignore[union-attr]
    assert summary.rows == len(rows)
    return Answer(header, rows, summary)


@pytest.fixture
def asked() -> Callable[..., Any]:
    return ask


@pytest.fixture
async def store(tmp_path: Path) -> AsyncIterator[EmbeddedStore]:
    store = EmbeddedStore(tmp_path)
    await store.open()
    await fill(store)
    yield store
    await store.close()


@pytest.fixture
async def cypher(store: EmbeddedStore) -> AsyncIterator[SnapshotCypher]:
    cypher = SnapshotCypher(store, LIMITS)
    yield cypher
    await cypher.close()


async def fill(store: EmbeddedStore) -> None:
    for name in ("home", "other"):
        await store.create_namespace(NamespaceSpec(name, NO_EMBEDDING, ExtractionMode.EVENT))
    drafts = tuple(
        MessageDraft("Ana", Role.USER, text, SAID + timedelta(minutes=i), labels={"mood": "good"}) for i, text in enumerate(TEXTS)
    )
    await store.namespace("home").append(AppendCommand("spring", drafts, timedelta(0)))
    await extract(store)
    await store.namespace("other").append(AppendCommand("private", (MessageDraft("Bob", Role.USER, SECRET, SAID),), timedelta(0)))


async def extract(store: EmbeddedStore) -> None:
    await store.namespace("home").begin_generation(GenerationStart(ExtractorSpec("by-hand", "1", ExtractionMode.EVENT)))
    lease = await store.lease_job("test", timedelta(minutes=1), {JobKind.EXTRACTION})
    assert lease is not None
    pending = await store.namespace(lease.job.namespace).pending(lease, 10)
    mint = UuidSource().mint
    ana, eva = (Entity(mint("ent"), name, EntityKind.PERSON, SAID) for name in ("Ana", "Eva"))
    event_id, relation_id, evidence = mint("evt"), mint("rel"), (pending.messages[1].id,)
    year = TimeSpan(datetime(2022, 1, 1, tzinfo=UTC), datetime(2023, 1, 1, tzinfo=UTC), Granularity.YEAR, "last year")
    relation = Statement(
        relation_id, NodeKind.RELATION, "spring", "Eva is Ana's sister.", "Ana", SAID, SAID, evidence, event_id, (ana.id, eva.id),
        "sister of", "Eva", "Ana", generation=pending.generation,
    )  # fmt: skip
    parts = (Participant(eva.id, "subject"), Participant(eva.id, "mover"))
    event = Event(event_id, "spring", "Eva moved", SAID, SAID, evidence, year, (relation_id,), parts, generation=pending.generation)
    relates = Edge(EdgeKind.RELATES, eva.id, ana.id, relation_id, {"predicate": "sister of"})
    write = ExtractionWrite(pending.generation, pending.watermark, 3, (relation,), (event,), (ana, eva), (relates,))
    await store.namespace(lease.job.namespace).commit_extraction(lease, write)
