"""What replaced what: kept with the extraction that found it, and gone with either end."""

from dataclasses import replace

import pytest

from graph.model import DISTANT_PAST, Edge, EdgeKind, ExtractionMode, ExtractorSpec
from graph.model.edges import WALKED_KINDS
from graph.store.port import Deletion, ExtractionWrite, GenerationStart, JobSucceeded

LATER = ExtractorSpec("rules", "v2", ExtractionMode.EVENT)
CHANGED = {
    "reason": "moved",
    "confidence": "0.9",
    "decided_by": "local",
    "known_at": "2024-05-02T09:00:00+00:00",
    "valid_from": "2024-05-02T09:00:00+00:00",
}


class Changed:
    """A namespace in which one fact replaced another one, which replaced a message of which nothing was extracted."""

    def __init__(self, bench):
        self.bench = bench
        self.memory = bench.store.namespace(bench.namespace)

    async def extracted(self, extractor):
        generation = await self.memory.begin_generation(GenerationStart(extractor))
        lease = await self.bench.flushed_lease()
        work = await self.memory.pending(lease, 99)
        first, second, third = work.messages
        facts = [self.bench.fact("The launch is on 3 May", [second]), self.bench.fact("The launch is on 9 May", [third])]
        events = [self.bench.event("launch", [fact], [message]) for fact, message in zip(facts, (second, third), strict=True)]
        edges = (
            Edge(EdgeKind.SUPERSEDES, facts[1].id, facts[0].id, properties=CHANGED),
            Edge(EdgeKind.SUPERSEDES, facts[0].id, first.id, properties=CHANGED | {"valid_from": DISTANT_PAST.isoformat()}),
            Edge(EdgeKind.REPEATS, third.id, second.id, properties={"reason": "says the same", "confidence": "0.9"}),
        )
        write = ExtractionWrite(generation, work.watermark, third.seq, tuple(facts), tuple(events), edges=edges)
        await self.memory.commit_extraction(lease, write)
        await self.memory.finish_job(lease, JobSucceeded())
        self.messages, self.facts = work.messages, facts

    async def pairs(self):
        found = await self.memory.supersessions(-1)
        return {(edge.kind, edge.newer_id, edge.older_id) for edge in found.edges}


@pytest.fixture
async def changed(bench):
    await bench.say("Launch soon", "It is on 3 May", "It is on 9 May")
    changed = Changed(bench)
    await changed.extracted(bench.extractor)
    return changed


async def test_what_replaced_what_is_told_with_when_and_why(changed):
    first, second, third = changed.messages
    old, new = changed.facts
    found = await changed.memory.supersessions(-1)
    by_pair = {(edge.kind, edge.newer_id, edge.older_id): edge for edge in found.edges}
    assert by_pair.keys() == {
        (EdgeKind.SUPERSEDES, new.id, old.id),
        (EdgeKind.SUPERSEDES, old.id, first.id),
        (EdgeKind.REPEATS, third.id, second.id),
    }
    edge = by_pair[EdgeKind.SUPERSEDES, new.id, old.id]
    assert (edge.reason, edge.confidence, edge.newer_evidence_ids) == ("moved", 0.9, (third.id,))
    assert edge.known_at.isoformat() == CHANGED["known_at"]
    assert by_pair[EdgeKind.SUPERSEDES, old.id, first.id].valid_from == DISTANT_PAST
    # A message rests on itself.
    assert by_pair[EdgeKind.REPEATS, third.id, second.id].newer_evidence_ids == (third.id,)


async def test_it_is_read_again_only_when_something_changed(changed):
    version = (await changed.memory.supersessions(-1)).version
    assert await changed.memory.supersessions(version) is None
    await changed.bench.say("Nice weather")
    assert await changed.memory.supersessions(version) is None
    await changed.memory.delete(Deletion(memory_ids=(changed.facts[1].id,)))
    assert (await changed.memory.supersessions(version)).version > version


async def test_the_edges_show_at_their_ends_and_no_walk_follows_them(changed):
    old, new = changed.facts
    around = await changed.memory.get_node_edges(old.id, 50)
    replaced = [edge for edge in around.edges if edge.kind is EdgeKind.SUPERSEDES]
    assert {(edge.source_id, edge.target_id) for edge in replaced} == {(new.id, old.id), (old.id, changed.messages[0].id)}
    assert dict(next(edge for edge in replaced if edge.source_id == new.id).properties) == CHANGED
    assert not {EdgeKind.SUPERSEDES, EdgeKind.REPEATS} & WALKED_KINDS


async def test_what_was_replaced_stands_again_when_what_replaced_it_is_deleted(changed):
    await changed.memory.delete(Deletion(memory_ids=(changed.messages[2].id,)))
    assert await changed.pairs() == {(EdgeKind.SUPERSEDES, changed.facts[0].id, changed.messages[0].id)}


async def test_another_generation_finds_anew_what_replaced_what(changed):
    await changed.memory.begin_generation(GenerationStart(LATER))
    assert await changed.pairs() == set()
    await changed.extracted(LATER)
    assert len(await changed.pairs()) == 3


async def test_they_go_with_an_export(changed):
    records = [record async for batch in changed.memory.export() for record in batch]

    async def stream():
        yield records

    store = changed.bench.store
    await store.import_namespace(replace(await changed.memory.settings(), name="copy"), stream())
    copy = store.namespace("copy")
    assert (await copy.supersessions(-1)).edges == (await changed.memory.supersessions(-1)).edges
    assert await copy.check() == []
