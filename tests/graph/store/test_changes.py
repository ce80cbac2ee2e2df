"""What replaced what: kept with the extraction that found it, and gone with either end."""

from dataclasses import replace

import pytest

from graph.errors import NotFound
from graph.model import DISTANT_PAST, Edge, EdgeKind, ExtractionMode, ExtractorSpec
from graph.model.edges import WALKED_KINDS
from graph.store.port import Deletion, ExtractionWrite, GenerationStart, JobSucceeded, Reversal

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


def taken_back(changed):
    return {"reverted_at": changed.bench.clock.now().isoformat(), "reverted_by": "maria"}


async def between(changed, newer_id, older_id):
    """What the edges from the one to the other carry."""
    around = await changed.memory.get_node_edges(newer_id, 50)
    return [dict(edge.properties) for edge in around.edges if (edge.source_id, edge.target_id) == (newer_id, older_id)]


async def test_a_decision_that_is_taken_back_has_no_effect_until_it_is_put_back(changed):
    old, new = changed.facts
    first = (EdgeKind.SUPERSEDES, new.id, old.id)
    before = await changed.memory.supersessions(-1)
    reverted = await changed.memory.revert(Reversal(new.id, old.id, "maria"))
    assert [dict(edge.properties) for edge in reverted.edges] == [CHANGED | taken_back(changed)]
    assert reverted.revision == (await changed.memory.settings()).revision
    assert await between(changed, new.id, old.id) == [CHANGED | taken_back(changed)]
    assert first not in await changed.pairs()
    assert len(await changed.pairs()) == 2
    seen = await changed.memory.supersessions(before.version)
    restored = await changed.memory.revert(Reversal(new.id, old.id, "maria", restore=True))
    assert [dict(edge.properties) for edge in restored.edges] == [CHANGED]
    assert (await changed.memory.supersessions(seen.version)).edges == before.edges
    assert await changed.memory.check() == []


async def test_to_take_back_the_same_again_changes_nothing(changed):
    old, new = changed.facts
    reverted = await changed.memory.revert(Reversal(new.id, old.id, "maria"))
    version = (await changed.memory.supersessions(-1)).version
    changed.bench.clock.advance(60)
    assert await changed.memory.revert(Reversal(new.id, old.id, "ben")) == reverted
    assert await changed.memory.supersessions(version) is None


async def test_only_what_was_decided_can_be_taken_back(changed):
    old, new = changed.facts
    for pair in ((old.id, new.id), (new.id, changed.messages[0].id), (new.id, "nonsense"), (changed.bench.ids.mint("fac"), old.id)):
        with pytest.raises(NotFound) as raised:
            await changed.memory.revert(Reversal(*pair))
        assert raised.value.metadata == {"node_id": pair[0]}


async def test_another_extraction_does_not_bring_back_what_was_taken_back(changed):
    old, new = changed.facts
    first, second, third = changed.messages
    await changed.memory.revert(Reversal(new.id, old.id, "maria"))
    await changed.memory.revert(Reversal(third.id, second.id, "maria"))
    at = taken_back(changed)
    for extractor in (LATER, changed.bench.extractor):
        changed.bench.clock.advance(60)
        await changed.extracted(extractor)
        again_old, again_new = changed.facts
        assert again_new.id != new.id
        assert await changed.pairs() == {(EdgeKind.SUPERSEDES, again_old.id, first.id)}
        assert await between(changed, again_new.id, again_old.id) == [CHANGED | at]
        # What was taken back stays with what it was about.
        assert await between(changed, new.id, old.id) == [CHANGED | at]
    assert await changed.memory.check() == []


async def test_what_is_put_back_is_found_by_later_extractions(changed):
    first, second, third = changed.messages
    old, new = changed.facts
    await changed.memory.revert(Reversal(new.id, old.id, "maria"))
    await changed.memory.revert(Reversal(third.id, second.id, "maria"))
    await changed.extracted(LATER)
    again_old, again_new = changed.facts
    await changed.memory.revert(Reversal(again_new.id, again_old.id, restore=True))
    assert (EdgeKind.SUPERSEDES, again_new.id, again_old.id) in await changed.pairs()
    assert await between(changed, new.id, old.id) == []
    await changed.extracted(changed.bench.extractor)
    last_old, last_new = changed.facts
    assert await changed.pairs() == {(EdgeKind.SUPERSEDES, last_new.id, last_old.id), (EdgeKind.SUPERSEDES, last_old.id, first.id)}


async def test_what_was_taken_back_goes_with_an_export_and_with_either_end(changed):
    old, new = changed.facts
    await changed.memory.revert(Reversal(new.id, old.id, "maria"))
    await changed.memory.begin_generation(GenerationStart(LATER))
    records = [record async for batch in changed.memory.export() for record in batch]

    async def stream():
        yield records

    await changed.bench.store.import_namespace(replace(await changed.memory.settings(), name="copy"), stream())
    copy = changed.bench.store.namespace("copy")
    around = await copy.get_node_edges(new.id, 50)
    assert taken_back(changed) in [{key: edge.properties.get(key) for key in taken_back(changed)} for edge in around.edges]
    assert await copy.check() == []
    await copy.delete(Deletion(memory_ids=(changed.messages[2].id,)))
    assert EdgeKind.SUPERSEDES not in (await copy.describe()).edges
    assert await copy.check() == []
