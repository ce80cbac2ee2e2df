"""What summaries bring to an answer: a channel of their own beside the memories, and the beginning of a context."""

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from extract.tokens import count_tokens
from graph.model import MemoryFilter, NodeKind, SummaryLevel, TimeRange
from graph.retrieval import Context, NamespaceIndexes, RetrievalAnswer, RetrievalRequest, build_context, retrieve_many
from graph.store.port import Deletion
from tests.extract.consolidate.talk import BOAT, EMBEDDER, GARDEN, PROFILE, START, THREAD, WINDOW, Talk

LATER = START + timedelta(days=60)
TOMATOES = "how are the tomatoes in the garden?"


@pytest.fixture
async def talk(store: Any, clock: Any) -> Talk:
    talk = await Talk(store, clock).create()
    await talk.say(GARDEN, "spring")
    await talk.say(BOAT, "harbour", timedelta(days=3))
    await talk.say(("My tomatoes in the garden climb the trellis now.",), "summer", timedelta(days=20))
    await talk.consolidate()
    return talk


def request(query: str, **more: Any) -> RetrievalRequest:
    return RetrievalRequest(
        "acme/maria", query, 10, "hybrid", more.pop("filter", MemoryFilter()), more.pop("asked_at", LATER), None, **more
    )


async def ask(talk: Talk, query: str, indexes: NamespaceIndexes | None = None, **more: Any) -> RetrievalAnswer:
    return await retrieve_many(talk.store, [request(query, summaries=more.pop("summaries", 3), **more)], EMBEDDER, indexes=indexes)


async def test_summaries_come_beside_the_memories_and_change_nothing_about_them(talk: Talk) -> None:
    with_summaries, without = (
        await ask(talk, TOMATOES),
        await ask(talk, TOMATOES, summaries=0),
    )
    assert with_summaries.hits == without.hits
    assert without.summaries == ()
    found = with_summaries.summaries
    assert [hit.rank for hit in found] == list(range(1, len(found) + 1))
    assert all("tomatoes" in hit.summary.text and hit.summary.member_ids and 0 < hit.score <= 1 for hit in found)
    assert {hit.summary.level for hit in found} == {WINDOW, THREAD}
    assert [hit.score for hit in found] == sorted((hit.score for hit in found), reverse=True)
    assert [hit.summary.id for hit in (await ask(talk, TOMATOES, summaries=1)).summaries] == [found[0].summary.id]


async def test_a_query_about_something_else_finds_no_summary(talk: Talk) -> None:
    assert (await ask(talk, "quantum chromodynamics lectures")).summaries == ()


async def test_the_filter_and_the_running_session_hold_for_summaries(talk: Talk) -> None:
    words = TOMATOES
    of_summer = await ask(talk, words, filter=MemoryFilter(sessions=("summer",)))
    assert of_summer.summaries
    assert {hit.summary.sessions for hit in of_summer.summaries} == {("summer",)}
    not_summer = await ask(talk, words, filter=MemoryFilter(not_sessions=("summer",)))
    assert {hit.summary.sessions for hit in not_summer.summaries} == {("spring",)}
    running = await ask(talk, words, session="summer")
    assert {hit.summary.sessions for hit in running.summaries} == {("spring",)}
    early = await ask(talk, words, filter=MemoryFilter(said=TimeRange(end=START + timedelta(days=1))))
    assert [hit.summary.sessions for hit in early.summaries] == [("spring",)]
    happened = await ask(talk, words, filter=MemoryFilter(happened=TimeRange(start=START + timedelta(days=400))))
    assert happened.summaries == ()


async def test_as_asked_no_summary_knows_what_came_later(talk: Talk) -> None:
    moment = START + timedelta(days=10)
    answer = await ask(talk, TOMATOES, as_asked=True, asked_at=moment)
    assert answer.summaries
    assert all(hit.summary.said_to < moment for hit in answer.summaries)
    context = await build_context(
        talk.store,
        [request("how are the tomatoes?", as_asked=True, asked_at=moment, summaries=5)],
        EMBEDDER,
        2_000,
        count_tokens,
        profile=True,
    )
    assert context.stable_bytes == 0
    assert "climb" not in context.text


async def test_what_was_deleted_or_written_is_known_to_the_next_query(talk: Talk) -> None:
    indexes = NamespaceIndexes()
    before = await ask(talk, TOMATOES, indexes)
    assert any("south wall" in hit.summary.text for hit in before.summaries)
    [first, _] = [event for event in await talk.events() if event.session == "spring"][:2]
    await talk.memory.delete(Deletion((first.evidence_ids[0],)))
    assert all("south wall" not in hit.summary.text for hit in (await ask(talk, "tomatoes in the garden", indexes)).summaries)
    await talk.run()
    after = await ask(talk, TOMATOES, indexes)
    assert after.summaries
    assert all("south wall" not in hit.summary.text for hit in after.summaries)


async def context_of(talk: Talk, query: str, budget: int = 2_000, **more: Any) -> Context:
    asked = request(query, summaries=more.pop("summaries", 3))
    return await build_context(talk.store, [asked], EMBEDDER, budget, count_tokens, profile=more.pop("profile", True), **more)


async def test_a_context_begins_with_the_profile_byte_for_byte_the_same(talk: Talk) -> None:
    first, second = await context_of(talk, "how are the tomatoes?"), await context_of(talk, "what does the sailing boat need?")
    assert first.stable_bytes == second.stable_bytes > 0
    stable = first.text.encode()[: first.stable_bytes]
    assert second.text.encode().startswith(stable)
    assert stable.decode().startswith("About Maria, up to 2023-06-06:\n- ")
    assert first.text != second.text
    assert first.entries[0].kind is NodeKind.SUMMARY
    assert first.entries[0].text == stable.decode()


async def test_profile_summaries_and_memories_share_the_budget(talk: Talk) -> None:
    for budget in (16, 60, 120, 250, 2_000):
        context = await context_of(talk, TOMATOES, budget)
        assert count_tokens(context.text) == context.token_count <= budget
        assert context.text.strip() == context.text
        told = [entry for entry in context.entries if entry.kind is NodeKind.SUMMARY]
        assert sum(count_tokens(entry.text) for entry in told) <= budget / 2
        assert all(entry.text in context.text for entry in context.entries)
    assert {entry.kind for entry in context.entries} >= {NodeKind.SUMMARY, NodeKind.MESSAGE}
    plain = await context_of(talk, TOMATOES, summaries=0, profile=False)
    assert context.text.endswith(plain.text)
    assert plain.stable_bytes == 0


async def test_a_summary_in_a_context_says_when_and_nothing_twice(talk: Talk) -> None:
    context = await context_of(talk, TOMATOES, profile=False)
    [window] = [one for one in await talk.summaries(WINDOW) if one.sessions == ("spring",)]
    [line] = [entry.text for entry in context.entries if entry.node_id == window.id]
    assert line.startswith("2023-05-17: Maria planted tomatoes along the south wall")
    assert line.count("south wall") == 1
    assert context.text.count(line) == 1


async def test_a_recipe_without_vectors_finds_summaries_by_words(talk: Talk) -> None:
    asked = replace(request("tomatoes in the garden", summaries=2), recipe="lexical")
    found = (await retrieve_many(talk.store, [asked], None)).summaries
    assert len(found) == 2
    assert all(hit.summary.level is not SummaryLevel.PROFILE for hit in found)
    for hit in found:
        [words] = hit.contributions
        assert (words.signal, words.points) == ("lexical", hit.score)


async def test_a_summary_says_what_made_its_score(talk: Talk) -> None:
    for query in (TOMATOES, "What have I been up to?"):
        found = (await ask(talk, query)).summaries
        assert found
        assert all(sum(part.points for part in hit.contributions) == pytest.approx(hit.score, abs=1e-12) for hit in found)
    assert {part.signal for hit in (await ask(talk, TOMATOES)).summaries for part in hit.contributions} == {"dense", "lexical"}
    assert not any(hit.contributions for hit in (await ask(talk, TOMATOES, explain=False)).summaries)


async def test_summaries_that_say_the_same_are_told_once(talk: Talk) -> None:
    """A thread is made of sentences of its windows; whichever comes first, those after it say something else."""
    everything = (await ask(talk, TOMATOES, summaries=10)).summaries
    told: set[str] = set()
    for hit in everything:
        sentences = {sentence.text for sentence in hit.summary.sentences}
        assert not sentences <= told
        told |= sentences
    assert {"spring", "summer"} <= {session for hit in everything for session in hit.summary.sessions}


@pytest.mark.parametrize("query", ["What have I been up to?", "Summarise everything, please", "What do you know about me?"])
async def test_a_question_for_all_of_it_gets_the_threads_said_last(talk: Talk, query: str) -> None:
    found = (await ask(talk, query, summaries=2)).summaries
    assert [hit.rank for hit in found] == [1, 2]
    assert {hit.summary.level for hit in found} == {THREAD}
    lasts = [hit.summary.said_to for hit in found]
    assert lasts == sorted(lasts, reverse=True)
    assert lasts[0] == max(one.said_to for one in await talk.summaries(THREAD))


async def test_the_profile_is_left_out_where_the_filter_names_sessions(talk: Talk) -> None:
    for filter_ in (MemoryFilter(sessions=("summer",)), MemoryFilter(not_sessions=("summer",))):
        asked = request(TOMATOES, summaries=3, filter=filter_)
        built = await build_context(talk.store, [asked], EMBEDDER, 2_000, count_tokens, profile=True)
        assert built.stable_bytes == 0
        assert ("climb" in built.text) is bool(filter_.sessions)
    turn = await build_context(talk.store, [request(TOMATOES, session="summer")], EMBEDDER, 2_000, count_tokens, profile=True)
    assert turn.stable_bytes > 0


async def test_a_context_says_no_sentence_twice(talk: Talk) -> None:
    """Of the profile, the summaries and the memories; what is left out of a summary stands elsewhere in the text."""
    sentences = {sentence.text for level in (WINDOW, THREAD, PROFILE) for one in await talk.summaries(level) for sentence in one.sentences}
    for query in (TOMATOES, "what does the sailing boat need?", "what have I been up to?"):
        for profile in (False, True):
            context = await context_of(talk, query, profile=profile, summaries=10)
            assert all(context.text.count(sentence) <= 1 for sentence in sentences)
            assert all(entry.text in context.text for entry in context.entries)
    told = await ask(talk, TOMATOES)
    context = await context_of(talk, TOMATOES, profile=False)
    assert all(sentence.text in context.text for hit in told.summaries for sentence in hit.summary.sentences)
