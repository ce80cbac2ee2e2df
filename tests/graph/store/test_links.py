"""What is decided of two entities: kept whatever an extraction says, and taken back without a trace."""

from dataclasses import replace

import pytest

from graph.errors import InvalidArgument, NotFound
from graph.model import LINK_KINDS, Edge, EdgeKind, EntityKind, ExtractionMode, ExtractorSpec, LinkVerdict
from graph.store.port import Deletion, EntityQuery, ExtractionWrite, GenerationStart, JobSucceeded, LinkDecision

LATER = ExtractorSpec("rules", "v2", ExtractionMode.EVENT)
PROPOSED = {"confidence": "0.8", "reason": "first name"}
SAME, DIFFERENT, UNDECIDED = LinkVerdict


class Told:
    """A namespace in which an extraction takes Ana and Ana Silva for one."""

    def __init__(self, bench):
        self.bench, self.store, self.name = bench, bench.store, bench.namespace

    async def extracted(self, extractor):
        """Extracts all that waits, each message with a link that its own fact states."""
        generation = await self.store.namespace(self.name).begin_generation(GenerationStart(extractor))
        lease = await self.bench.flushed_lease()
        work = await self.store.namespace(lease.job.namespace).pending(lease, 99)
        short, full = self.bench.entity("Ana"), self.bench.entity("Ana Silva")
        fact = self.bench.fact("Ana Silva is Ana", list(work.messages), [short, full])
        event = self.bench.event("Ana", [fact], list(work.messages), [short, full])
        links = (Edge(EdgeKind.SAME_AS, short.id, full.id, fact.id, PROPOSED),)
        write = ExtractionWrite(
            generation, work.watermark, work.messages[-1].seq, (fact,), (event,), (short, full), links, read_ids=(work.messages[0].id,)
        )
        await self.store.namespace(lease.job.namespace).commit_extraction(lease, write)
        await self.store.namespace(lease.job.namespace).finish_job(lease, JobSucceeded())

    async def decide(self, verdict, pair=("Ana", "Ana Silva")):
        ids = [await self.id(name) for name in pair]
        return await self.store.namespace(self.name).decide_link(LinkDecision(*ids, verdict, "maria"))

    async def id(self, name, namespace=None):
        [entity] = (await self.store.namespace(namespace or self.name).list_entities(EntityQuery(name=name), None, 9)).items
        return entity.id

    async def links(self, namespace=None):
        """(kind, what it carries) of the links between the two, decisions first."""
        around = await self.store.namespace(namespace or self.name).get_node_edges(await self.id("Ana", namespace), 100)
        found = [edge for edge in around.edges if edge.kind in LINK_KINDS]
        return [(edge.kind, dict(edge.properties)) for edge in sorted(found, key=lambda edge: not edge.is_decision)]

    async def walked(self):
        """Whether a walk over links gets from the one to the other."""
        start = await self.id("Ana")
        return await self.id("Ana Silva") in (await self.store.namespace(self.name).neighbourhood([start], [EdgeKind.SAME_AS], 1, 9, 9)).ids


@pytest.fixture
async def told(bench):
    await bench.say("I am Ana Silva")
    told = Told(bench)
    await told.extracted(bench.extractor)
    return told


def decided(told, **more):
    return {"decided_at": told.bench.clock.now().isoformat(), "decided_by": "maria", **more}


async def test_what_is_proposed_holds_until_somebody_decides(told):
    assert await told.links() == [(EdgeKind.SAME_AS, PROPOSED)]
    assert await told.walked()


async def test_a_rejected_link_is_set_aside_and_comes_back_when_the_decision_is_taken_back(told):
    answer = await told.decide(DIFFERENT)
    assert await told.links() == [(EdgeKind.DIFFERENT_FROM, decided(told)), (EdgeKind.DIFFERENT_FROM, PROPOSED)]
    assert [edge.is_decision for edge in answer.edges] == [True, False]
    assert answer.revision == (await told.store.namespace(told.name).settings()).revision
    assert not await told.walked()
    assert [edge.properties for edge in (await told.decide(UNDECIDED)).edges] == [PROPOSED]
    assert await told.links() == [(EdgeKind.SAME_AS, PROPOSED)]
    assert await told.walked()


async def test_a_confirmed_link_needs_nobody_to_propose_it(told):
    await told.decide(SAME)
    sure = (EdgeKind.SAME_AS, decided(told, confidence="1.0", reason="decision"))
    assert await told.links() == [sure, (EdgeKind.SAME_AS, PROPOSED)]
    await told.store.namespace(told.name).begin_generation(GenerationStart(LATER))
    assert await told.links() == [sure]
    assert await told.walked()


async def test_the_last_decision_holds_in_whichever_direction(told):
    await told.decide(SAME)
    told.bench.clock.advance(60)
    await told.decide(DIFFERENT, ("Ana Silva", "Ana"))
    assert await told.links() == [(EdgeKind.DIFFERENT_FROM, decided(told)), (EdgeKind.DIFFERENT_FROM, PROPOSED)]
    await told.decide(SAME)
    assert [kind for kind, _ in await told.links()] == [EdgeKind.SAME_AS, EdgeKind.SAME_AS]


async def test_to_decide_the_same_again_changes_nothing(told):
    before = await told.decide(DIFFERENT)
    told.bench.clock.advance(60)
    assert await told.decide(DIFFERENT) == before
    assert await told.decide(DIFFERENT, ("Ana Silva", "Ana")) == before
    assert (await told.store.namespace(told.name).settings()).revision == before.revision


async def test_a_decision_survives_another_extraction(told):
    await told.decide(DIFFERENT)
    await told.extracted(LATER)
    assert await told.links() == [(EdgeKind.DIFFERENT_FROM, decided(told)), (EdgeKind.DIFFERENT_FROM, PROPOSED)]
    await told.bench.say("Yes, Ana Silva")
    await told.extracted(LATER)
    assert not await told.walked()
    await told.decide(UNDECIDED)
    assert await told.links() == [(EdgeKind.SAME_AS, PROPOSED)] * 2


async def test_another_generation_begins_without_the_links_of_the_one_before(told):
    await told.store.namespace(told.name).begin_generation(GenerationStart(LATER))
    assert await told.links() == []


@pytest.mark.parametrize("verdict", [SAME, DIFFERENT])
async def test_a_decision_goes_with_an_export_and_can_be_taken_back_there(told, verdict):
    await told.decide(verdict)
    records = [record async for batch in told.store.namespace(told.name).export() for record in batch]

    async def stream():
        yield records

    source = await told.store.namespace(told.name).settings()
    await told.store.import_namespace(replace(source, name="copy"), stream())
    assert await told.links("copy") == await told.links()
    assert await told.store.namespace("copy").check() == []
    pair = (await told.id("Ana", "copy"), await told.id("Ana Silva", "copy"))
    await told.store.namespace("copy").decide_link(LinkDecision(*pair, UNDECIDED))
    assert await told.links("copy") == [(EdgeKind.SAME_AS, PROPOSED)]


async def test_what_is_deleted_takes_its_links_and_decisions_with_it(told):
    await told.decide(DIFFERENT)
    await told.store.namespace(told.name).delete(Deletion(session="s1"))
    assert await told.store.namespace(told.name).check() == []
    assert (await told.store.namespace(told.name).describe()).edges.get(EdgeKind.DIFFERENT_FROM, 0) == 0


async def test_only_two_entities_can_be_linked(told):
    ana, unknown = await told.id("Ana"), told.bench.entity("Nobody", EntityKind.PERSON).id
    for pair in ((ana, ana), (ana, told.bench.ids.mint("msg"))):
        with pytest.raises(InvalidArgument, match="other_id"):
            await told.store.namespace(told.name).decide_link(LinkDecision(*pair, SAME))
    with pytest.raises(NotFound) as raised:
        await told.store.namespace(told.name).decide_link(LinkDecision(ana, unknown, SAME))
    assert raised.value.metadata == {"node_id": unknown}
