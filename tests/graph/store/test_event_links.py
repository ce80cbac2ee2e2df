"""What an event is to another: by which message, from where and how surely; kept, walked, exported, and gone with what it rests on."""

from dataclasses import replace

import pytest

from graph.model import EVENT_LINKS, Edge, ExtractionMode, ExtractorSpec
from graph.store.port import Deletion, ExtractionWrite, GenerationStart
from tests.graph.store.test_as_of import minute

TOLD = {"source": "stated", "confidence": "0.6"}
LATER = ExtractorSpec("rules", "v2", ExtractionMode.EVENT)


class Linked:
    """A namespace in which one event is all that an event can be to another one, as the second of two messages says."""

    def __init__(self, bench):
        self.bench = bench
        self.memory = bench.store.namespace(bench.namespace)

    async def told(self):
        bench = self.bench
        await bench.say("Saved money", "That was for Japan")
        await self.memory.begin_generation(GenerationStart(bench.extractor))
        lease = await bench.flushed_lease()
        work = await self.memory.pending(lease, 9)
        self.messages = work.messages
        second = work.messages[1]
        facts = [bench.fact(message.text, [message]) for message in work.messages]
        self.events = [bench.event(fact.text, [fact], [message]) for fact, message in zip(facts, work.messages, strict=True)]
        ids = [event.id for event in self.events]
        self.edges = [Edge(kind, *ids, second.id, TOLD) for kind in sorted(EVENT_LINKS)]
        written = ExtractionWrite(work.generation, work.watermark, second.seq, tuple(facts), tuple(self.events), edges=tuple(self.edges))
        await self.memory.commit_extraction(lease, written)
        return self

    async def shown(self, memory=None):
        around = await (memory or self.memory).get_node_edges(self.events[0].id, 50)
        return sorted((edge for edge in around.edges if edge.kind in EVENT_LINKS), key=lambda edge: edge.kind)


@pytest.fixture
async def linked(bench):
    return await Linked(bench).told()


async def test_they_tell_by_which_message_from_where_and_how_surely(linked):
    assert await linked.shown() == linked.edges
    assert await linked.memory.check() == []


@pytest.mark.parametrize("kind", sorted(EVENT_LINKS))
async def test_a_walk_follows_each_in_both_directions_and_not_before_it_was_said(linked, kind):
    for start, end in (linked.events, reversed(linked.events)):
        assert end.id in (await linked.memory.neighbourhood([start.id], [kind], 1, 9, 9)).ids
    then = await linked.memory.neighbourhood([linked.events[0].id], [kind], 1, 9, 9, minute(1))
    assert then.ids == (linked.events[0].id,)


async def test_they_count_in_the_degree_of_a_node(linked):
    found = await linked.memory.neighbourhood([linked.events[0].id], EVENT_LINKS, 1, 9, 9)
    # EVIDENCED_BY and STATES beside these.
    assert found.degree.tolist() == [len(EVENT_LINKS) + 2] * 2


async def test_they_go_with_an_export(linked):
    records = [record async for batch in linked.memory.export() for record in batch]

    async def stream():
        yield records

    await linked.bench.store.import_namespace(replace(await linked.memory.settings(), name="copy"), stream())
    copy = linked.bench.store.namespace("copy")
    assert await linked.shown(copy) == linked.edges
    assert await copy.check() == []


async def test_they_go_with_what_says_so_and_with_their_generation(linked):
    await linked.memory.delete(Deletion(memory_ids=(linked.messages[1].id,)))
    assert await linked.shown() == []
    assert await linked.memory.check() == []


async def test_another_generation_finds_them_anew(linked):
    await linked.memory.begin_generation(GenerationStart(LATER))
    assert await linked.shown() == []
    assert not EVENT_LINKS & (await linked.memory.describe()).edges.keys()
