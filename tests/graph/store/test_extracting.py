"""Committing extractions: atomic, fenced, exactly once."""

from dataclasses import replace

import pytest

from graph.errors import InvalidArgument, LeaseLost, StaleWrite
from graph.model import (
    Edge,
    EdgeKind,
    EntityKind,
    ExtractionMode,
    ExtractorSpec,
    Granularity,
    JobError,
    JobState,
    NodeKind,
    Participant,
    TimeSpan,
)
from graph.store.port import (
    Deletion,
    EntityQuery,
    EventQuery,
    ExtractionWrite,
    GenerationStart,
    PassageVector,
    StatementQuery,
    UsageEntry,
)

OTHER = ExtractorSpec("rules", "v2", ExtractionMode.EVENT)


class Worker:
    """A leased extraction of a session of three messages."""

    def __init__(self, bench, lease, work):
        self.bench, self.lease, self.work = bench, lease, work

    def write(self, **parts):
        return ExtractionWrite(**{"generation": self.work.generation, "expected_watermark": self.work.watermark, "watermark": 3, **parts})

    async def commit(self, **parts):
        return await self.bench.store.namespace(self.lease.job.namespace).commit_extraction(self.lease, self.write(**parts))


@pytest.fixture
async def worker(bench):
    await bench.say("I moved to Porto", "In May", "With Ben")
    await bench.store.namespace(bench.namespace).begin_generation(GenerationStart(bench.extractor))
    lease = await bench.flushed_lease()
    await bench.embed()
    return Worker(bench, lease, await bench.store.namespace(lease.job.namespace).pending(lease, 100))


async def test_events_come_back_with_all_that_they_bind(bench, worker):
    first, second, third = worker.work.messages
    ana, ben = bench.entity("Ana"), bench.entity("Ben", EntityKind.PERSON, "Benjamin")
    fact = bench.fact(
        "Ana moved to Porto in May", [first, second], [ana], predicate="moved to", subject="Ana", object="Porto", confidence=0.75
    )
    relation = bench.fact("Ana moved with Ben", [third], [ana, ben], kind=NodeKind.RELATION)
    span = TimeSpan(bench.monday, bench.monday.replace(month=6), Granularity.MONTH, "in May")
    event = replace(
        bench.event("The move", [fact, relation], [first, second, third], time=span),
        participants=(Participant(ana.id, "subject"), Participant(ben.id, "companion"), Participant(ana.id, "speaker")),
    )
    edges = (
        Edge(EdgeKind.MENTIONS, third.id, ben.id),
        Edge(EdgeKind.RELATES, ana.id, ben.id, relation.id, {"predicate": "moved with"}),
    )
    revision = await worker.commit(statements=(fact, relation), events=(event,), entities=(ana, ben), edges=edges)

    nodes = await bench.store.namespace(bench.namespace).get_nodes([event.id, fact.id, relation.id, ana.id, ben.id])
    assert nodes[fact.id] == replace(fact, event_id=event.id, generation=1)
    assert nodes[relation.id] == replace(relation, event_id=event.id, generation=1)
    named = tuple(replace(p, name="Ana" if p.entity_id == ana.id else "Ben") for p in event.participants)
    assert nodes[event.id] == replace(event, participants=named, generation=1)
    assert nodes[ana.id] == replace(ana, mention_count=2)
    assert nodes[ben.id] == replace(ben, mention_count=2)
    assert revision == (await bench.store.namespace(bench.namespace).settings()).revision
    shown = (await bench.store.namespace(bench.namespace).get_node_edges(ana.id, 50)).edges
    assert edges[1] in shown
    assert (await bench.store.namespace(bench.namespace).get_session("s1")).extracted_seq == 3


async def test_a_job_counts_what_was_done_and_keeps_partial_failures(bench, worker):
    failure = JobError("INVALID_ANSWER", "one event was not valid")
    await worker.commit(watermark=2, partial_failures=(failure,), usage=(UsageEntry("extract", "rules", 1, 2, 30, 4),))
    job = await bench.store.namespace(bench.namespace).get_job(worker.lease.job.id)
    assert (job.state, job.done, job.total, job.partial_failures) == (JobState.RUNNING, 2, 3, (failure,))
    await worker.commit(expected_watermark=2, usage=(UsageEntry("extract", "rules", 1, 1, 10, 1, 1),))
    assert await bench.store.namespace(bench.namespace).usage() == [UsageEntry("extract", "rules", 2, 3, 40, 5, 1)]


async def test_the_same_commit_twice_is_refused(bench, worker):
    fact = bench.fact("x", [worker.work.messages[0]])
    await worker.commit(statements=(fact,))
    with pytest.raises(StaleWrite):
        await worker.commit(statements=(replace(fact, id=bench.ids.mint("fct")),))
    assert len((await bench.store.namespace(bench.namespace).list_statements(StatementQuery(), None, 10)).items) == 1


async def test_a_passed_lease_cannot_commit(bench, worker):
    bench.clock.advance(61)
    with pytest.raises(LeaseLost):
        await worker.commit()


async def test_a_cancelled_job_cannot_commit(bench, worker):
    await bench.store.namespace(bench.namespace).cancel_job(worker.lease.job.id)
    with pytest.raises(LeaseLost):
        await worker.commit()


async def test_another_generation_refuses_the_commit(bench, worker):
    await bench.store.namespace(bench.namespace).begin_generation(GenerationStart(OTHER))
    with pytest.raises(StaleWrite):
        await worker.commit()


async def test_a_deleted_message_that_was_only_read_refuses_the_commit(bench, worker):
    first, second, _ = worker.work.messages
    await bench.store.namespace(bench.namespace).delete(Deletion((second.id,)))
    with pytest.raises(StaleWrite):
        await worker.commit(statements=(bench.fact("what the second said", [first]),), read_ids=(first.id, second.id))


async def test_deleted_evidence_refuses_the_commit(bench, worker):
    first, second, _ = worker.work.messages
    await bench.store.namespace(bench.namespace).delete(Deletion((second.id,)))
    with pytest.raises(StaleWrite):
        await worker.commit(statements=(bench.fact("x", [first, second]),))
    ana = bench.entity("Ana")
    with pytest.raises(StaleWrite):
        await worker.commit(entities=(ana,), edges=(Edge(EdgeKind.MENTIONS, second.id, ana.id),))
    assert (await bench.store.namespace(bench.namespace).list_entities(EntityQuery(), None, 10)).items == ()
    assert (await bench.store.namespace(bench.namespace).get_session("s1")).extracted_seq == 0


async def test_a_watermark_beyond_the_messages_is_refused(worker):
    with pytest.raises(StaleWrite):
        await worker.commit(watermark=4)


async def test_a_vector_of_another_dimension_is_refused(bench, worker):
    fact = bench.fact("x", [worker.work.messages[0]])
    with pytest.raises(InvalidArgument, match=r"vectors\[0\]"):
        await worker.commit(statements=(fact,), vectors=(PassageVector(fact.id, 0, bench.unit(1)[:3]),))


async def test_one_person_is_one_entity(bench, worker):
    message = worker.work.messages[0]
    known = bench.entity("Ana", EntityKind.PERSON, "Ana Silva")
    await worker.commit(watermark=1, entities=(known,), statements=(bench.fact("a", [message], [known]),))
    same, unknown, place = (
        bench.entity("ana  SILVA", EntityKind.PERSON, "Anita"),
        bench.entity("ANA", EntityKind.UNKNOWN),
        bench.entity("Ana", EntityKind.PLACE),
    )
    fact = bench.fact("b", [message], [same, unknown, place])
    event = replace(bench.event("e", [fact], [message]), participants=(Participant(same.id, "subject"),))
    await worker.commit(expected_watermark=1, entities=(same, unknown, place), statements=(fact,), events=(event,))
    entities = (await bench.store.namespace(bench.namespace).list_entities(EntityQuery(), None, 10)).items
    assert [(e.id, e.name, e.kind, set(e.aliases), e.mention_count) for e in entities] == [
        (known.id, "Ana", EntityKind.PERSON, {"Ana Silva", "Anita"}, 2),
        (place.id, "Ana", EntityKind.PLACE, set(), 1),
    ]
    nodes = await bench.store.namespace(bench.namespace).get_nodes([fact.id, event.id, same.id])
    assert nodes[fact.id].entity_ids == (known.id, place.id)
    assert nodes[event.id].participants == (Participant(known.id, "subject", "Ana"),)
    assert same.id not in nodes
    assert [e.id for e in (await bench.store.namespace(bench.namespace).query_scope(["ANITA", "nobody"])).entities] == [known.id]


async def _entities(bench):
    listed = (await bench.store.namespace(bench.namespace).list_entities(EntityQuery(), None, 10)).items
    return [(e.id, e.kind) for e in listed]


async def test_an_entity_of_unknown_kind_gets_its_kind_when_it_is_told(bench, worker):
    unknown = bench.entity("Graça", EntityKind.UNKNOWN)
    await worker.commit(watermark=1, entities=(unknown,))
    place, again, person = (bench.entity("graça", kind) for kind in (EntityKind.PLACE, EntityKind.UNKNOWN, EntityKind.PERSON))
    await worker.commit(expected_watermark=1, watermark=2, entities=(place, again))
    assert await _entities(bench) == [(unknown.id, EntityKind.PLACE)]
    await worker.commit(expected_watermark=2, entities=(person,))
    assert await _entities(bench) == [(unknown.id, EntityKind.PLACE), (person.id, EntityKind.PERSON)]


async def test_unknown_and_known_kind_of_one_write_are_one_entity_in_either_order(bench, worker):
    unknown, known = bench.entity("Rex", EntityKind.UNKNOWN), bench.entity("Rex", EntityKind.THING)
    first, then = bench.entity("Évora", EntityKind.PLACE), bench.entity("Évora", EntityKind.UNKNOWN)
    await worker.commit(entities=(unknown, known, first, then))
    assert sorted(await _entities(bench)) == sorted([(unknown.id, EntityKind.THING), (first.id, EntityKind.PLACE)])


async def test_a_name_of_two_known_kinds_is_neither_when_its_kind_is_unknown(bench, worker):
    place, person, unknown = (bench.entity("Paris", kind) for kind in (EntityKind.PLACE, EntityKind.PERSON, EntityKind.UNKNOWN))
    await worker.commit(watermark=1, entities=(place, person))
    await worker.commit(expected_watermark=1, entities=(unknown,))
    assert sorted(await _entities(bench)) == sorted([(e.id, e.kind) for e in (place, person, unknown)])


async def test_two_proposals_of_one_write_are_one_entity(bench, worker):
    first, second = bench.entity("Porto", EntityKind.PLACE), bench.entity("porto", EntityKind.PLACE)
    fact = bench.fact("x", [worker.work.messages[0]], [second])
    await worker.commit(entities=(first, second), statements=(fact,))
    assert (await bench.store.namespace(bench.namespace).get_nodes([fact.id]))[fact.id].entity_ids == (first.id,)


async def test_vectors_fill_only_what_waits(bench):
    await bench.say("a", "b")
    waiting = await bench.store.namespace(bench.namespace).missing_vectors("s1", 10)
    assert [(p.ordinal, p.text) for p in waiting] == [(0, "a"), (0, "b")]
    put = [PassageVector(p.owner_id, 0, bench.unit(1)) for p in waiting]
    put += [PassageVector(waiting[0].owner_id, 7, bench.unit(1)), PassageVector(bench.ids.mint("msg"), 0, bench.unit(1))]
    assert await bench.store.namespace(bench.namespace).put_vectors(bench.spec.fingerprint, put) == 2
    assert await bench.store.namespace(bench.namespace).put_vectors(bench.spec.fingerprint, put) == 0
    assert await bench.store.namespace(bench.namespace).missing_vectors("s1", 10) == []
    with pytest.raises(InvalidArgument, match="fingerprint"):
        await bench.store.namespace(bench.namespace).put_vectors("another", put)
    with pytest.raises(InvalidArgument, match=r"vectors\[0\]"):
        await bench.store.namespace(bench.namespace).put_vectors(
            bench.spec.fingerprint, [PassageVector(waiting[0].owner_id, 0, bench.unit(1)[:2])]
        )


async def test_a_new_generation_retires_the_old_one_and_starts_anew(bench):
    await bench.say("one", "two")
    old = await bench.extract()
    assert await bench.store.namespace(bench.namespace).begin_generation(GenerationStart(OTHER)) == 2
    session = await bench.store.namespace(bench.namespace).get_session("s1")
    assert session.extracted_seq == 0
    assert (await bench.store.namespace(bench.namespace).list_statements(StatementQuery(), None, 10)).items == ()
    assert (await bench.store.namespace(bench.namespace).list_events(EventQuery(), None, 10)).items == ()
    assert set((await bench.found("fact one two")).values()) == {"one", "two"}
    retired = await bench.store.namespace(bench.namespace).list_statements(StatementQuery(include_retired=True), None, 10)
    assert {s.id for s in retired.items} == {s.id for s in old.statements}
    assert all(s.retired_at == bench.clock.now() and s.generation == 1 for s in retired.items)
    new = await bench.extract(extractor=OTHER)
    current = (await bench.store.namespace(bench.namespace).list_statements(StatementQuery(), None, 10)).items
    assert [s.id for s in current] == [s.id for s in new.statements]
    assert {s.generation for s in current} == {2}
    assert (await bench.store.namespace(bench.namespace).settings()).generation.extractor == OTHER
    assert await bench.store.namespace(bench.namespace).check() == []
