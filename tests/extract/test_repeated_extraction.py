"""Segments and vectors follow from the messages alone: not from when these came, beside what, or how often the work was broken off."""

import asyncio
import random
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from extract.embed import MiniLmEmbedder
from extract.pipeline import ExtractionPipeline, PipelineSettings
from extract.port import EventDraft, Extraction, Segment, StatementDraft
from graph.model import Event, ExtractionMode, ExtractorSpec, JobKind, Message, NodeKind, Role, Statement, UuidSource
from graph.store.port import AppendCommand, MessageDraft, NamespaceSpec, PassageVector

NAMESPACE = "acme/maria"
SESSIONS = ("kitchen", "office")
LEASE = timedelta(seconds=30)
IDLE = timedelta(days=30)  # nothing ends for being idle
START = datetime(2023, 5, 17, 9, 0, tzinfo=UTC)
SENTENCES = [
    "I moved to Lisbon last week because of the new job.",
    "The flat has a view of the river, and the rent is fine.",
    "How do you like the neighbours?",
    "They play the cello until midnight.",
    "Did you ever bake bread without yeast?",
    "Sourdough takes me two days, but the crust is worth it.",
    "My oven never gets hot enough for that.",
    "The build has been red since Tuesday.",
    "Someone pinned the wrong version of the compiler.",
    "I can look at the pipeline after lunch.",
    "Rui broke his arm on the football pitch.",
    "Is he home from the hospital?",
    "Yes, with a plaster that his whole team has signed.",
    "We sold the old boat to a couple from Cork.",
    "ok",
    "The cat is on the roof again, and it rains! 🎉",
]


class OneEventASegment:
    """Makes one event of each segment, resting on all of its messages."""

    spec = ExtractorSpec("one event a segment", "1", ExtractionMode.EVENT)

    async def extract(self, segment: Segment) -> Extraction:
        """The event, which states what was said first."""
        first, *_ = segment.messages
        evidence = tuple(message.id for message in segment.messages)
        statement = StatementDraft(NodeKind.FACT, f"{first.speaker} said: {first.text}", first.speaker, evidence)
        return Extraction((EventDraft(first.text, (statement,)),))


@pytest.fixture(scope="module")
def embedder() -> Iterator[MiniLmEmbedder]:
    embedder = MiniLmEmbedder(threads=2)
    yield embedder
    embedder.close()


def _talk(session: str, seed: int) -> list[MessageDraft]:
    chance = random.Random(f"{session} {seed}")
    return [
        MessageDraft(chance.choice(["Ana", "Maria"]), Role.USER, text, START + timedelta(minutes=number), client_id=f"{session}-{number}")
        for number, text in enumerate(chance.choices(SENTENCES, k=30))
    ]


async def _memory(store: Any) -> tuple[list[tuple[str, ...]], list[tuple[str, int, bytes]]]:
    """The messages of each segment, and every vector with the text or message that it is of."""
    records = [record async for batch in store.namespace(NAMESPACE).export() for record in batch]
    messages = {record.id: record.client_id for record in records if isinstance(record, Message)}
    owners = messages | {record.id: record.text for record in records if isinstance(record, Statement)}
    segments = [tuple(messages[one] for one in record.evidence_ids) for record in records if isinstance(record, Event)]
    vectors = [(owners[one.owner_id], one.ordinal, one.vector.tobytes()) for one in records if isinstance(one, PassageVector)]
    return sorted(segments), sorted(vectors)


async def _drain(store: Any, pipeline: ExtractionPipeline) -> None:
    await store.namespace(NAMESPACE).flush("")
    while lease := await store.lease_job("living", LEASE, {JobKind.EXTRACTION}):
        if outcome := await pipeline.run(lease):
            await store.namespace(lease.job.namespace).finish_job(lease, outcome)


@pytest.mark.parametrize("seed", range(3))
async def test_messages_that_come_in_pieces_to_a_worker_that_dies_give_the_same_segments_and_vectors(
    store: Any, clock: Any, embedder: MiniLmEmbedder, seed: int
) -> None:
    extractors = {ExtractionMode.EVENT: OneEventASegment()}
    pipeline = ExtractionPipeline(store, embedder, extractors, UuidSource(), clock, PipelineSettings(lease=LEASE))
    chance = random.Random(seed)
    await store.create_namespace(NamespaceSpec(NAMESPACE, embedder.spec, ExtractionMode.EVENT))
    waiting = {session: _talk(session, seed) for session in SESSIONS}
    while sessions := [session for session, drafts in waiting.items() if drafts]:
        session, count = chance.choice(sessions), chance.randint(1, 6)
        await store.namespace(NAMESPACE).append(AppendCommand(session, tuple(waiting[session][:count]), IDLE))
        del waiting[session][:count]
        lease = await store.lease_job("dying", LEASE, {JobKind.EXTRACTION})
        if lease is not None:
            run = asyncio.create_task(pipeline.run(lease))
            await asyncio.wait({run}, timeout=chance.choice([0.005, 0.02, 0.1, None]))  # or only once all is done
            run.cancel()
            await asyncio.gather(run, return_exceptions=True)
            clock.move(LEASE + timedelta(seconds=1))  # the worker is dead: its lease passes
    await _drain(store, pipeline)
    in_pieces = await _memory(store)

    await store.delete_namespace(NAMESPACE)
    await store.create_namespace(NamespaceSpec(NAMESPACE, embedder.spec, ExtractionMode.EVENT))
    for session in reversed(SESSIONS):
        await store.namespace(NAMESPACE).append(AppendCommand(session, tuple(_talk(session, seed)), IDLE))
    await _drain(store, pipeline)
    segments, vectors = await _memory(store)

    assert len(segments) > len(SESSIONS)  # topics ended some of them
    assert (segments, vectors) == in_pieces
