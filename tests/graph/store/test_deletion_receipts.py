"""Selecting what to delete, receipts, dry runs, and what is extracted anew."""

from datetime import timedelta

import pytest

from graph.errors import InvalidArgument, NotFound, StaleWrite
from graph.model import LabelCondition, LabelFilter, NodeKind, TimeRange
from graph.model.ids import kind_of
from graph.store.port import (
    Deletion,
    DeletionCause,
    EntityQuery,
    EventQuery,
    ExtractionWrite,
    GenerationStart,
    JobSucceeded,
    MessageQuery,
    StatementQuery,
    items_digest,
)


async def items_of(memory, receipt, limit=1_000):
    cursor, items = None, []
    while True:
        page = await memory.deleted_items(receipt.id, cursor, limit)
        items += page.items
        if page.next is None:
            return items
        cursor = page.next


async def test_messages_are_deleted_by_speaker_label_and_time(bench):
    minutes = timedelta(minutes=1)
    for query, left in (
        (MessageQuery(speakers=("Ben",)), ["a", "c"]),
        (MessageQuery(labels=LabelFilter(all_of=(LabelCondition("topic", ("work",)),))), ["a", "b", "d"]),
        (MessageQuery(said=TimeRange(bench.monday, bench.monday + 2 * minutes)), ["c", "d"]),
        (MessageQuery(sessions=("s1",), speakers=("Ana",)), ["b", "d"]),
        (MessageQuery(sessions=("nobody",)), ["a", "b", "c", "d"]),
    ):
        drafts = [
            bench.draft("a", 0),
            bench.draft("b", 1, "Ben"),
            bench.draft("c", 2, labels={"topic": "work"}),
            bench.draft("d", 3, "Ben", labels={"topic": "home"}),
        ]
        await bench.say(*drafts)
        memory = bench.store.namespace(bench.namespace)
        receipt = await memory.delete(Deletion(messages=query))
        assert await bench.texts() == left
        assert receipt.counts.get(NodeKind.MESSAGE, 0) == 4 - len(left)
        assert await memory.check() == []
        await memory.delete(Deletion(session="s1"))


async def test_a_deletion_that_would_take_everything_or_nothing_is_refused(bench):
    memory = bench.store.namespace(bench.namespace)
    for deletion in (
        Deletion(),
        Deletion(messages=MessageQuery()),
        Deletion(("x",), "s1"),
        Deletion(("x",), messages=MessageQuery(("s",))),
    ):
        with pytest.raises(InvalidArgument):
            await memory.delete(deletion)


async def test_a_dry_run_says_what_would_go_and_changes_nothing(bench):
    await bench.say("one", "two")
    await bench.extract()
    memory = bench.store.namespace(bench.namespace)
    before = await memory.settings()
    dry = await memory.delete(Deletion(session="s1", dry_run=True, request_id="r"))
    assert (dry.id, dry.revision) == ("", before.revision)
    assert await bench.texts() == ["one", "two"]
    assert (await memory.settings()).revision == before.revision
    assert (await memory.deletions(None, 9)).items == ()
    receipt = await memory.delete(Deletion(session="s1", request_id="r"))
    assert receipt.counts == dry.counts
    assert receipt.digest == dry.digest
    assert receipt.counts[NodeKind.ENTITY] == 1


async def test_the_receipt_lists_what_went_and_why(bench):
    first, _ = (await bench.say("one", "two")).messages
    write = await bench.extract()
    memory = bench.store.namespace(bench.namespace)
    receipt = await memory.delete(Deletion((first.id, "msg_nonsense"), deleted_by="ana"))
    items = await items_of(memory, receipt)
    assert {item.id: item.cause for item in items} == {
        first.id: DeletionCause.SELECTED,
        write.statements[0].id: DeletionCause.DERIVED,
        write.events[0].id: DeletionCause.DERIVED,
    }
    assert items_digest(items) == receipt.digest
    assert (receipt.deleted_by, receipt.missing_ids) == ("ana", ("msg_nonsense",))
    assert await memory.deletion(receipt.id) == receipt
    last = await memory.delete(Deletion(session="s1"))
    causes = {kind_of(item.id): item.cause for item in await items_of(memory, last)}
    assert causes[NodeKind.ENTITY] is DeletionCause.UNNAMED
    assert causes[NodeKind.SESSION] is DeletionCause.SELECTED
    listed = await memory.deletions(None, 1)
    assert listed.items == (last,)
    assert (await memory.deletions(listed.next, 1)).items == (receipt,)
    with pytest.raises(NotFound):
        await memory.deletion("del_nothing")
    with pytest.raises(NotFound):
        await memory.deleted_items("del_nothing", None, 9)


async def test_a_long_list_comes_in_pages(bench):
    await bench.say(*(f"Message {i}" for i in range(1_203)))
    memory = bench.store.namespace(bench.namespace)
    receipt = await memory.delete(Deletion(messages=MessageQuery(speakers=("Ana",))))
    assert receipt.counts == {NodeKind.MESSAGE: 1_203}
    for limit in (400, 1_000, 1_203, 2_000):
        items = await items_of(memory, receipt, limit)
        assert len({item.id for item in items}) == 1_203
        assert items_digest(items) == receipt.digest


async def together(bench, *pairs):
    """Extracts the session: for each tuple of texts one fact that rests on all of them, stated by an event of its own."""
    memory = bench.store.namespace(bench.namespace)
    generation = await memory.begin_generation(GenerationStart(bench.extractor))
    lease = await bench.flushed_lease("s1")
    await bench.embed("s1")
    work = await memory.pending(lease, 1_000)
    by_text = {message.text: message for message in work.messages}
    facts = [bench.fact(" + ".join(pair), [by_text[text] for text in pair], [bench.entity(" ".join(pair))]) for pair in pairs]
    events = [bench.event(fact.text, [fact], [by_text[text] for text in pair]) for fact, pair in zip(facts, pairs, strict=True)]
    entities = tuple(bench.entity(" ".join(pair)) for pair in pairs)
    facts = [bench.fact(f.text, [by_text[t] for t in pair], [e]) for f, pair, e in zip(facts, pairs, entities, strict=True)]
    events = [bench.event(f.text, [f], [by_text[t] for t in pair]) for f, pair in zip(facts, pairs, strict=True)]
    write = ExtractionWrite(generation, work.watermark, work.messages[-1].seq, tuple(facts), tuple(events), entities)
    await memory.commit_extraction(lease, write)
    await memory.finish_job(lease, JobSucceeded())
    return write


async def test_what_also_rests_on_other_messages_is_extracted_anew_without_it(bench):
    ids = {m.client_id: m.id for m in (await bench.say(*(bench.draft(t, i, client_id=t) for i, t in enumerate("abcdef")))).messages}
    await together(bench, "ab", "bc", "d", "ef")
    memory = bench.store.namespace(bench.namespace)
    receipt = await memory.delete(Deletion((ids["a"],)))
    # "bc" went with "b", of which all is extracted anew.
    assert receipt.counts == {NodeKind.MESSAGE: 1, NodeKind.FACT: 2, NodeKind.EVENT: 2, NodeKind.ENTITY: 2}
    assert receipt.again == 2
    statements = await memory.list_statements(StatementQuery(), None, 9)
    assert [s.text for s in statements.items] == ["d", "e + f"]
    assert await memory.check() == []

    lease = await bench.lease()
    assert lease is not None
    work = await memory.pending(lease, 1_000)
    assert work.again
    assert [message.text for message in work.messages] == ["b", "c"]
    assert work.messages[-1].seq in work.flush_marks
    assert work.watermark == 6
    facts = tuple(bench.fact(f"again {m.text}", [m]) for m in work.messages)
    events = tuple(bench.event(f.text, [f], [m]) for f, m in zip(facts, work.messages, strict=True))
    again = ExtractionWrite(
        work.generation, work.watermark, work.watermark, facts, events, again_ids=tuple(message.id for message in work.messages)
    )
    await memory.commit_extraction(lease, again)
    with pytest.raises(StaleWrite):
        await memory.commit_extraction(lease, again)
    assert (await memory.pending(lease, 1_000)).messages == ()
    await memory.finish_job(lease, JobSucceeded())
    assert await bench.lease() is None
    statements = await memory.list_statements(StatementQuery(), None, 9)
    assert [s.text for s in statements.items] == ["again b", "again c", "d", "e + f"]
    assert (await memory.get_session("s1")).extracted_seq == 6
    assert await memory.check() == []


async def test_a_job_is_not_done_while_messages_are_to_be_extracted_anew(bench):
    ids = [m.id for m in (await bench.say(*"abc")).messages]
    await together(bench, "ab", "c")
    memory = bench.store.namespace(bench.namespace)
    await bench.say("new")
    lease = await bench.flushed_lease("s1")
    work = await memory.pending(lease, 9)
    assert not work.again
    await memory.delete(Deletion((ids[0],)))
    await memory.commit_extraction(lease, ExtractionWrite(work.generation, work.watermark, work.messages[-1].seq))
    job = await memory.finish_job(lease, JobSucceeded())
    lease = await bench.lease()
    assert lease is not None
    assert job.id
    assert [m.text for m in (await memory.pending(lease, 9)).messages] == ["b"]
    await memory.delete(Deletion((ids[1],)))
    assert not (await memory.pending(lease, 9)).again


async def test_a_fact_that_somebody_deletes_is_not_extracted_anew(bench):
    await bench.say("one", "two")
    write = await bench.extract()
    memory = bench.store.namespace(bench.namespace)
    receipt = await memory.delete(Deletion((write.statements[0].id,)))
    assert receipt.again == 0
    assert await bench.lease() is None


async def test_another_generation_forgets_what_was_to_be_extracted_anew(bench):
    from graph.model import ExtractionMode, ExtractorSpec

    ids = [m.id for m in (await bench.say(*"ab")).messages]
    await together(bench, "ab")
    memory = bench.store.namespace(bench.namespace)
    await memory.delete(Deletion((ids[0],)))
    await memory.begin_generation(GenerationStart(ExtractorSpec("x", "2", ExtractionMode.EVENT)))
    lease = await bench.lease()
    work = await memory.pending(lease, 9)
    assert (work.again, work.watermark, [m.text for m in work.messages]) == (False, 0, ["b"])
    assert (await memory.list_entities(EntityQuery(), None, 9)).items == ()
    assert (await memory.list_events(EventQuery(), None, 9)).items == ()
