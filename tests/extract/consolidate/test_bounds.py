"""What a model reads of a long thread and of very many threads is bounded; what a summary covers is not."""

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from extract.consolidate.llm.bounds import MOST_THREADS, MOST_WINDOWS, latest_windows, main_threads
from extract.consolidate.llm.prompting import prompt
from extract.consolidate.port import SourceGroup
from graph.model import JobState
from graph.store.port import Deletion
from tests.extract.consolidate.conftest import Consolidators, asked, honest, sentence, shown, summaries
from tests.extract.consolidate.groups import source
from tests.extract.consolidate.talk import GARDEN, PROFILE, THREAD, Talk
from tests.extract.llm.openai_server import Body, OpenAiServer, Reply


def of(count: int) -> SourceGroup:
    """So many sources, a day apart, and what stands so far."""
    before = replace(source(900, "What stood before."), id="sum_before")
    return SourceGroup(tuple(source(number, f"Ines said {number}.", days=number) for number in range(count)), (before,))


async def test_of_a_long_thread_the_latest_windows_are_read_after_what_stands_of_it(
    model: OpenAiServer, consolidator_of: Consolidators
) -> None:
    found = await consolidator_of(input_tokens=100_000).threads([of(MOST_WINDOWS + 5)])
    [body] = model.requests
    assert [one["says"] for one in shown(body) if one.get("before")] == [["What stood before."]]
    assert [one["says"] for one in asked(body)[1]] == [[f"Ines said {number}."] for number in range(5, MOST_WINDOWS + 5)]
    [draft] = found.drafts
    assert draft is not None
    assert {id_ for one in draft.sentences for id_ in one.source_ids} <= {f"evt_{number}" for number in range(5, MOST_WINDOWS + 5)}


async def test_a_thread_that_is_read_whole_is_written_from_its_windows_alone(model: OpenAiServer, consolidator_of: Consolidators) -> None:
    await consolidator_of(input_tokens=100_000).threads([of(MOST_WINDOWS)])
    [body] = model.requests
    assert len(asked(body)[1]) == MOST_WINDOWS == len(shown(body))


def test_windows_said_at_the_same_time_are_bounded_too() -> None:
    group = SourceGroup(tuple(source(number, "Ines ran.") for number in range(1_000, 1_200)))
    assert latest_windows(group).sources == group.sources[-MOST_WINDOWS:]


def test_of_very_many_threads_those_said_last_and_the_largest_are_read_in_order() -> None:
    group = of(1_000)
    large = {3, 400, 700}
    sized = replace(group, sources=tuple(replace(one, size=50 if number in large else 2) for number, one in enumerate(group.sources)))
    read = [int(one.id.removeprefix("evt_")) for one in main_threads(sized).sources]
    assert len(read) == MOST_THREADS
    assert read == sorted(read)
    # The others are of one size: the later ones are read.
    rest = MOST_THREADS - MOST_THREADS // 2 - len(large)
    assert set(read) == {*range(1_000 - MOST_THREADS // 2 - rest, 1_000), *large}
    assert main_threads(of(MOST_THREADS)) == of(MOST_THREADS)


async def test_what_is_not_read_is_covered_and_a_deletion_of_it_is_told_of_nowhere(
    store: Any, clock: Any, model: OpenAiServer, consolidator_of: Consolidators, monkeypatch: pytest.MonkeyPatch
) -> None:
    def mixed(body: Body) -> Reply:
        """Says in every sentence of a thread what the call shows, also of what cannot be cited."""
        if body["messages"][0]["content"] != prompt("thread"):
            return honest(body)
        everything = " ".join(" ".join(one["says"]) for one in shown(body))[:700]
        return summaries(*((number, [sentence(everything, one["n"]) for one in sources]) for number, sources in asked(body).items()))

    monkeypatch.setattr("extract.consolidate.llm.bounds.MOST_WINDOWS", 1)
    monkeypatch.setattr("extract.consolidate.llm.bounds.MOST_THREADS", 1)
    model.answers = mixed
    talk = await Talk(store, clock, consolidator_of()).create()
    gone, _ = await talk.say(GARDEN, "spring")
    await talk.consolidate()
    await talk.say(("The tomatoes in my garden need a taller trellis.",), "summer", timedelta(days=20))
    await talk.consolidate()
    [thread] = await talk.summaries(THREAD)
    assert len(thread.member_ids) == 2
    # Of the thread that has grown the model read one window, and what stood of it.
    *_, body = [body for body in model.requests if body["messages"][0]["content"] == prompt("thread")]
    assert len(asked(body)[1]) == 1
    assert "south wall" in str([one["says"] for one in shown(body) if one.get("before")])
    assert "south wall" in thread.text
    await talk.say(("I bought a wooden sailing boat in Porto.",), "harbour", timedelta(days=30))
    assert (await talk.consolidate()).state is JobState.SUCCEEDED
    *_, body = [body for body in model.requests if body["messages"][0]["content"] == prompt("profile")]
    assert len(asked(body)[1]) == 1
    [profile] = await talk.summaries(PROFILE)
    assert sorted(profile.member_ids) == sorted(one.id for one in await talk.summaries(THREAD))
    assert len(profile.member_ids) == 2
    await talk.holds()
    await talk.memory.delete(Deletion((gone,)))
    assert "south wall" not in " ".join(one.text for one in await talk.summaries())
    await talk.run()
    assert "south wall" not in " ".join(one.text for one in await talk.summaries())
    assert all(one.sentences for one in await talk.summaries())
    await talk.holds()
