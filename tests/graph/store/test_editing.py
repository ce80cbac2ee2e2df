"""An edited message: a new version in the old one's place, what it said before, and what is made of it anew."""

from dataclasses import replace
from datetime import timedelta

import pytest

from graph.errors import DuplicateMessage, InvalidArgument, StaleWrite
from graph.model import EdgeKind, NodeKind
from graph.store.port import (
    Deletion,
    ExtractedSpan,
    ExtractionWrite,
    GenerationStart,
    PassageVector,
    StatementQuery,
)


def edit(bench, text, client_id, minutes=0, edited=5, **more):
    return bench.draft(text, minutes, client_id=client_id, edited_at=bench.monday + timedelta(minutes=edited), **more)


async def said(bench):
    """Three messages a, b and c, a minute apart, extracted; their ids."""
    outcome = await bench.say(*(bench.draft(f"Old {name}", i, client_id=name) for i, name in enumerate("abc")))
    await bench.extract()
    return [message.id for message in outcome.messages]


async def test_an_edit_takes_the_place_of_the_message_and_keeps_what_it_said(bench):
    ids = await said(bench)
    memory = bench.store.namespace(bench.namespace)
    before = (await memory.get_nodes(ids))[ids[1]]
    bench.clock.advance(60)
    [answer] = (await bench.say(edit(bench, "New b", "b", 1, labels={"topic": "work"}, image_caption="A cat"))).messages
    assert (answer.id, answer.seq, answer.duplicate, answer.edited) == (ids[1], 2, False, True)
    assert await bench.texts() == ["Old a", "New b", "Old c"]
    now = (await memory.get_nodes(ids))[ids[1]]
    assert (now.text, now.labels, now.image_caption) == ("New b", {"topic": "work"}, "A cat")
    assert (now.sent_at, now.recorded_at, now.edited_at) == (before.sent_at, before.recorded_at, bench.monday + timedelta(minutes=5))
    [version] = now.versions
    assert (version.text, version.written_at, version.labels) == ("Old b", before.sent_at, {})
    edges = (await memory.get_node_edges(ids[1], 20)).edges
    assert {(e.source_id, e.target_id) for e in edges if e.kind is EdgeKind.NEXT} == {(ids[0], ids[1]), (ids[1], ids[2])}
    session = await memory.get_session("s1")
    assert (session.message_count, session.extracted_seq) == (3, 3)
    assert "New b" in (await bench.found("New")).values()
    assert "Old b" not in (await bench.found("Old b")).values()
    assert await memory.check() == []


async def test_what_was_made_of_it_goes_and_is_made_anew(bench):
    ids = await said(bench)
    memory = bench.store.namespace(bench.namespace)
    await bench.say(edit(bench, "New b", "b", 1))
    statements = await memory.list_statements(StatementQuery(), None, 9)
    assert [statement.text for statement in statements.items] == ["Fact: Old a", "Fact: Old c"]
    assert [passage.text for passage in await memory.missing_vectors("s1", 9)] == ["New b"]
    lease = await bench.lease()
    work = await memory.pending(lease, 9)
    assert (work.again, [message.id for message in work.messages]) == (True, [ids[1]])
    assert work.messages[0].text == "New b"


async def test_an_edit_before_extraction_is_extracted_as_it_is(bench):
    await bench.say(bench.draft("Old a", client_id="a"), "b")
    await bench.say(edit(bench, "New a", "a"))
    write = await bench.extract()
    assert [statement.text for statement in write.statements] == ["Fact: New a", "Fact: b"]


async def test_versions_are_ordered_by_when_they_were_written(bench):
    ids = await said(bench)
    await bench.say(edit(bench, "Third", "a", edited=30))
    [late] = (await bench.say(edit(bench, "Second", "a", edited=20))).messages
    assert late.edited
    [again] = (await bench.say(edit(bench, "Second", "a", edited=20))).messages
    assert again.duplicate
    [first] = (await bench.say(bench.draft("Old a", client_id="a"))).messages
    assert first.duplicate
    message = (await bench.store.namespace(bench.namespace).get_nodes(ids))[ids[0]]
    assert message.text == "Third"
    assert [version.text for version in message.versions] == ["Old a", "Second"]
    assert await bench.store.namespace(bench.namespace).check() == []


async def test_one_command_may_bring_a_message_and_its_edits(bench):
    first, second = (await bench.say(bench.draft("One", client_id="a"), edit(bench, "Two", "a"))).messages
    assert (first.id, first.edited, second.edited) == (second.id, False, True)
    assert await bench.texts() == ["Two"]
    assert (await bench.store.namespace(bench.namespace).get_nodes([first.id]))[first.id].versions[0].text == "One"
    [new] = (await bench.say(edit(bench, "Edited before it came", "z", 1))).messages
    assert not new.edited
    assert (await bench.store.namespace(bench.namespace).get_nodes([new.id]))[new.id].versions == ()


async def test_other_content_without_an_edit_time_or_of_another_speaker_is_refused(bench):
    await said(bench)
    for draft in (
        bench.draft("Other", client_id="a"),
        edit(bench, "Other", "a", speaker="Ben"),
        edit(bench, "Other", "a", minutes=3),
    ):
        with pytest.raises(DuplicateMessage):
            await bench.say(draft)
    with pytest.raises(InvalidArgument):
        await bench.say(edit(bench, "x" * 2_999_999, "a"))
    assert await bench.texts() == ["Old a", "Old b", "Old c"]


async def test_what_was_read_before_an_edit_is_not_written_after_it(bench):
    outcome = await bench.say(bench.draft("Old a", client_id="a"), "b")
    memory = bench.store.namespace(bench.namespace)
    generation = await memory.begin_generation(GenerationStart(bench.extractor))
    lease = await bench.flushed_lease()
    waiting = await memory.missing_vectors("s1", 9)
    work = await memory.pending(lease, 9)
    await bench.say(edit(bench, "New a", "a"))
    fact = bench.fact("Fact: Old a", [work.messages[0]])
    write = ExtractionWrite(generation, 0, 2, (fact,), span=ExtractedSpan(1, 2, 1), read_before=work.read_before)
    with pytest.raises(StaleWrite):
        await memory.commit_extraction(lease, write)
    vectors = [PassageVector(p.owner_id, p.ordinal, bench.unit(1), p.version) for p in waiting]
    assert await memory.put_vectors(bench.spec.fingerprint, vectors) == 1
    [left] = await memory.missing_vectors("s1", 9)
    assert (left.owner_id, left.text) == (outcome.messages[0].id, "New a")
    work = await memory.pending(lease, 9)
    fact = bench.fact("Fact: New a", [work.messages[0]])
    await memory.commit_extraction(lease, replace(write, statements=(fact,), read_before=work.read_before))
    assert await memory.check() == []


async def test_a_deletion_takes_all_versions(bench):
    ids = await said(bench)
    memory = bench.store.namespace(bench.namespace)
    await bench.say(edit(bench, "New a", "a"))
    receipt = await memory.delete(Deletion((ids[0],)))
    assert receipt.counts[NodeKind.MESSAGE] == 1
    assert await bench.texts() == ["Old b", "Old c"]
    [again] = (await bench.say(bench.draft("Quite other", 9, client_id="a"))).messages
    assert not again.duplicate
    assert await memory.check() == []
