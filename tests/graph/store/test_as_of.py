"""Listings as of a moment: what had been said, and what held, by then; in pages as without."""

from datetime import UTC, datetime, timedelta

import pytest

from graph.model import DISTANT_FUTURE, DISTANT_PAST, AsOf, Edge, EdgeKind, JobKind, NodeKind, SummaryLevel
from graph.store.port import (
    Deletion,
    EventQuery,
    ExtractionWrite,
    GenerationStart,
    JobSucceeded,
    MessageQuery,
    Reversal,
    StatementQuery,
    SummaryQuery,
)
from tests.graph.store.conftest import LEASE, MONDAY
from tests.graph.store.test_summaries import pyramid, summary, write

TALK = ("Lives in Ghent", "Drinks tea", "Lives in Bruges", "Lives in Antwerp", "Still drinks tea")
MOVED = MONDAY - timedelta(days=1)
NOW = AsOf()


def minute(number):
    return MONDAY + timedelta(minutes=number)


def replacing(newer, older, known_at, valid_from):
    told = {"reason": "moved", "confidence": "0.9", "known_at": known_at.isoformat(), "valid_from": valid_from.isoformat()}
    return Edge(EdgeKind.SUPERSEDES, newer.id, older.id, properties=told)


class Talk:
    """Ghent, which Bruges replaced as of the day before, which Antwerp corrected; and tea, of which two messages tell in one fact."""

    def __init__(self, bench):
        self.bench = bench
        self.memory = bench.store.namespace(bench.namespace)

    async def told(self):
        bench = self.bench
        await bench.say(*TALK)
        generation = await self.memory.begin_generation(GenerationStart(bench.extractor))
        lease = await bench.flushed_lease()
        work = await self.memory.pending(lease, 99)
        said = self.messages = work.messages
        ana = self.ana = bench.entity("Ana")
        relation = {"kind": NodeKind.RELATION}
        evidence = [[said[0]], [said[1], said[4]], [said[2]], [said[3]]]
        facts = [bench.fact(some[0].text, some, [ana], **(relation if some[0] is said[2] else {})) for some in evidence]
        ghent, _, bruges, antwerp = self.facts = facts
        events = [bench.event(fact.text, [fact], some, [ana]) for fact, some in zip(facts, evidence, strict=True)]
        events.append(bench.event("Small talk", [], [said[0]]))
        edges = (replacing(bruges, ghent, minute(2), MOVED), replacing(antwerp, bruges, minute(3), DISTANT_PAST))
        written = ExtractionWrite(generation, work.watermark, said[-1].seq, tuple(facts), tuple(events), (ana,), edges)
        await self.memory.commit_extraction(lease, written)
        await self.memory.finish_job(lease, JobSucceeded())
        return self

    async def listed(self, call, query, limit=2):
        """What is listed, page by page; every page but the last is full."""
        found, cursor = [], None
        while True:
            page = await call(query, cursor, limit)
            found += page.items
            if page.next is None:
                return found
            assert len(page.items) == limit
            cursor = page.next

    async def facts_as_of(self, as_of, limit=2, **more):
        found = await self.listed(self.memory.list_statements, StatementQuery(as_of=as_of, **more), limit)
        return [fact.text for fact in found]

    async def events_as_of(self, as_of, **more):
        found = await self.listed(self.memory.list_events, EventQuery(as_of=as_of, **more))
        return [event.title for event in found]


@pytest.fixture
async def talk(bench):
    return await Talk(bench).told()


async def test_facts_are_those_that_nothing_said_before_had_replaced(talk):
    assert await talk.facts_as_of(None) == ["Lives in Ghent", "Drinks tea", "Lives in Bruges", "Lives in Antwerp"]
    assert await talk.facts_as_of(NOW) == ["Drinks tea", "Lives in Antwerp"]
    # What is said at the moment itself is not known before it; a fact is known when all that it rests on is.
    assert await talk.facts_as_of(AsOf(known=minute(0))) == []
    assert await talk.facts_as_of(AsOf(known=minute(2))) == ["Lives in Ghent"]
    assert await talk.facts_as_of(AsOf(known=minute(3))) == ["Lives in Bruges"]
    assert await talk.facts_as_of(AsOf(known=minute(4))) == ["Lives in Antwerp"]
    assert await talk.facts_as_of(AsOf(known=minute(5))) == ["Drinks tea", "Lives in Antwerp"]


async def test_what_is_known_now_of_what_held_then(talk):
    before = AsOf(valid=MOVED - timedelta(microseconds=1))
    # What a correction says was never so; what moved on had stood until then.
    assert await talk.facts_as_of(before) == ["Lives in Ghent", "Drinks tea", "Lives in Antwerp"]
    assert await talk.facts_as_of(AsOf(valid=MOVED)) == ["Drinks tea", "Lives in Antwerp"]
    # Both axes: on the day before the move, as it was told a minute after the move was.
    assert await talk.facts_as_of(AsOf(before.valid, minute(3))) == ["Lives in Ghent", "Lives in Bruges"]


async def test_moments_before_and_after_everything(talk):
    first, last = datetime(1, 1, 1, tzinfo=UTC), DISTANT_FUTURE
    for call, query in ((talk.memory.list_statements, StatementQuery), (talk.memory.list_events, EventQuery)):
        assert await talk.listed(call, query(as_of=AsOf(first, first))) == []
        assert await talk.listed(call, query(as_of=AsOf(last, last))) == await talk.listed(call, query(as_of=NOW))
    assert await talk.listed(talk.memory.list_messages, MessageQuery(as_of=AsOf(first, first))) == []
    assert await talk.listed(talk.memory.list_messages, MessageQuery(as_of=AsOf(last, last))) == list(talk.messages)


async def test_other_conditions_hold_as_well(talk):
    assert await talk.facts_as_of(AsOf(known=minute(3)), kinds=frozenset({NodeKind.FACT})) == []
    assert await talk.facts_as_of(AsOf(known=minute(3)), kinds=frozenset({NodeKind.RELATION})) == ["Lives in Bruges"]
    assert await talk.facts_as_of(AsOf(known=minute(3)), entity_ids=(talk.ana.id,), sessions=("s1",)) == ["Lives in Bruges"]
    assert await talk.facts_as_of(AsOf(known=minute(3)), entity_ids=(talk.bench.ids.mint("ent"),)) == []
    assert await talk.events_as_of(AsOf(known=minute(3)), entity_ids=(talk.ana.id,)) == ["Lives in Bruges"]


async def test_pages_of_any_size_have_the_same(talk):
    for as_of in (NOW, AsOf(valid=MOVED - timedelta(1)), AsOf(known=minute(4))):
        of_one = [await talk.facts_as_of(as_of, limit) for limit in (1, 3, 50)]
        assert of_one[0] == of_one[1] == of_one[2]


async def test_events_are_those_that_state_something_that_held_or_nothing(talk):
    assert await talk.events_as_of(None) == ["Lives in Ghent", "Small talk", "Drinks tea", "Lives in Bruges", "Lives in Antwerp"]
    assert await talk.events_as_of(NOW) == ["Small talk", "Drinks tea", "Lives in Antwerp"]
    assert await talk.events_as_of(AsOf(known=minute(2))) == ["Lives in Ghent", "Small talk"]


async def test_messages_are_those_that_had_been_sent(talk):
    for query in ({"sessions": ("s1",)}, {}):
        said = await talk.listed(talk.memory.list_messages, MessageQuery(as_of=AsOf(known=minute(3)), **query))
        assert [message.text for message in said] == list(TALK[:3])
        everything = await talk.listed(talk.memory.list_messages, MessageQuery(as_of=AsOf(valid=DISTANT_PAST), **query))
        assert len(everything) == len(TALK)


async def test_what_was_taken_back_or_deleted_replaces_nothing(talk):
    ghent, _, bruges, antwerp = talk.facts
    await talk.memory.revert(Reversal(antwerp.id, bruges.id, "maria"))
    assert await talk.facts_as_of(NOW) == ["Drinks tea", "Lives in Bruges", "Lives in Antwerp"]
    assert (await talk.memory.replaced([bruges.id, ghent.id])).keys() == {ghent.id}
    await talk.memory.delete(Deletion(memory_ids=(talk.messages[2].id,)))
    assert await talk.facts_as_of(NOW) == ["Lives in Ghent", "Drinks tea", "Lives in Antwerp"]
    assert await talk.memory.replaced([ghent.id]) == {}


async def test_what_replaced_a_memory_is_told_with_when_and_why(talk):
    ghent, _, bruges, _ = talk.facts
    found = await talk.memory.replaced([fact.id for fact in talk.facts] + ["nonsense", talk.bench.ids.mint("fct")])
    every = {edge.older_id: (edge,) for edge in (await talk.memory.supersessions(-1)).edges}
    assert found == every
    [change] = found[ghent.id]
    assert (change.newer_id, change.known_at, change.valid_from) == (bruges.id, minute(2), MOVED)
    assert (change.reason, change.confidence, change.newer_evidence_ids) == ("moved", 0.9, (talk.messages[2].id,))
    assert await talk.memory.replaced([]) == {}


async def test_of_several_that_replace_it_any_that_had_come_about_counts(bench):
    talk = await Talk(bench).told()
    ghent = talk.facts[0]
    # A later word puts the same change earlier.
    await bench.say(bench.draft("It was in January", 10))
    lease = await bench.flushed_lease()
    work = await talk.memory.pending(lease, 9)
    fact = bench.fact("Moved in January", list(work.messages))
    edge = replacing(fact, ghent, minute(10), MOVED - timedelta(days=60))
    event = bench.event("Moved", [fact], list(work.messages))
    await talk.memory.commit_extraction(
        lease, ExtractionWrite(work.generation, work.watermark, work.messages[-1].seq, (fact,), (event,), (), (edge,))
    )
    february = MOVED - timedelta(days=10)
    assert "Lives in Ghent" not in await talk.facts_as_of(AsOf(valid=february))
    assert "Lives in Ghent" in await talk.facts_as_of(AsOf(valid=february, known=minute(9)))
    assert [change.known_at for change in (await talk.memory.replaced([ghent.id]))[ghent.id]] == [minute(2), minute(10)]


async def test_a_summary_is_there_when_all_that_it_rests_on_had_been_said(bench):
    _, _, one, two, thread, profile = await pyramid(bench)
    memory = bench.store.namespace(bench.namespace)

    async def ids(as_of, **more):
        return [found.id for found in (await memory.list_summaries(SummaryQuery(as_of=as_of, **more), None, 50)).items]

    everything = [one.id, two.id, thread.id, profile.id]
    assert await ids(AsOf(known=one.said_to)) == []
    assert await ids(AsOf(known=one.said_to + timedelta(microseconds=1))) == everything
    assert await ids(NOW) == await ids(AsOf(valid=DISTANT_PAST)) == everything
    assert await ids(NOW, levels=frozenset({SummaryLevel.PROFILE})) == [profile.id]


async def test_a_summary_of_an_event_that_goes_on_waits_for_its_last_message(bench):
    talk = await Talk(bench).told()
    events = {event.title: event for event in (await talk.memory.list_events(EventQuery(), None, 50)).items}
    await talk.memory.queue_consolidation()
    lease = await bench.store.lease_job("w1", LEASE, {JobKind.CONSOLIDATION})
    work = await talk.memory.consolidation_work(lease, 100)
    said = (minute(0), minute(1))
    window = summary(bench, SummaryLevel.WINDOW, [events["Lives in Ghent"].id, events["Drinks tea"].id], work, said=said)
    thread = summary(bench, SummaryLevel.THREAD, [window.id], work, said=said)
    await write(bench, lease, work, window)
    await write(bench, lease, work, thread)

    async def listed(known):
        return len((await talk.memory.list_summaries(SummaryQuery(as_of=AsOf(known=known)), None, 50)).items)

    assert [await listed(minute(number)) for number in (1, 2, 4)] == [0, 0, 0]
    assert await listed(minute(5)) == 2
