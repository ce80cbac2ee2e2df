"""The `llm` consolidator against a real HTTP server: several summaries in a call, whatever the server answers."""

import json
from dataclasses import replace
from pathlib import Path

import pytest

from extract.consolidate.llm.consolidator import LlmConsolidator
from extract.consolidate.port import Consolidation, SourceGroup, SummaryDraft
from extract.endpoint import EndpointSettings
from extract.llm.endpoint import Endpoint
from extract.llm.exchanges import RecordingChat, ReplayedChat
from extract.llm.providers import PROVIDERS
from extract.llm.settings import LlmSettings
from extract.metering import collect_usage
from extract.port import ExtractorUnavailable
from tests.extract.consolidate.conftest import Consolidators, honest, sentence, shown, summaries
from tests.extract.consolidate.groups import day, group, source
from tests.extract.llm.openai_server import Body, OpenAiServer, Reply

BUSY = Reply(status=503, error={"message": "busy"})
TOO_LARGE = Reply(status=400, error={"message": "This model's maximum context length is 10 tokens", "code": "context_length_exceeded"})
PLAIN = ("Ines bought tomato plants.", "Ines planted them in the garden.")


def texts(found: Consolidation, place: int = 0) -> list[str]:
    return [one.text for one in drafted(found, place).sentences]


def drafted(found: Consolidation, place: int = 0) -> SummaryDraft:
    draft = found.drafts[place]
    assert draft is not None
    return draft


def told(found: Consolidation) -> list[tuple[str, str]]:
    return [(one.reason.removeprefix("EXTRACTOR_ANSWER_"), one.message) for one in found.partial_failures]


def filtered(body: Body) -> Reply:
    return Reply("", finish="content_filter") if "poison" in body["messages"][-1]["content"] else honest(body)


async def test_several_windows_take_one_call_and_every_sentence_names_its_events(
    model: OpenAiServer, consolidator_of: Consolidators
) -> None:
    groups = [group(*PLAIN), group("Rui runs."), group("Lia sings.", "Lia dances.")]
    groups[2] = replace(groups[2], sources=tuple(replace(one, id=f"{one.id}_of_lia") for one in groups[2].sources))
    found = await consolidator_of().windows(groups)
    assert len(model.requests) == 1
    assert [[one.source_ids for one in draft.sentences] for draft in found.drafts if draft] == [
        [("evt_1",), ("evt_2",)],
        [("evt_1",)],
        [("evt_1_of_lia",), ("evt_2_of_lia",)],
    ]
    assert texts(found, 1) == ["It is said: Rui runs."]
    assert drafted(found, 1).title == "summary 2"
    assert [(one.step, one.calls, one.items) for one in found.usage] == [("consolidate", 1, 3)]
    assert found.partial_failures == ()


async def test_more_windows_than_one_call_takes_are_each_asked_about_once(model: OpenAiServer, consolidator_of: Consolidators) -> None:
    found = await consolidator_of().windows([group(f"Ines ran {number} miles.") for number in range(20)])
    assert len(model.requests) == 3
    assert [texts(found, place) for place in range(20)] == [[f"It is said: Ines ran {number} miles."] for number in range(20)]


async def test_a_group_that_is_too_long_is_read_in_parts(model: OpenAiServer, consolidator_of: Consolidators) -> None:
    found = await consolidator_of(input_tokens=400).windows(
        [group(*(f"Step {number} of a very long plan was finished." for number in range(16)))]
    )
    assert len(model.requests) > 1
    assert [one.source_ids for one in drafted(found).sentences] == [(f"evt_{number}",) for number in range(1, 17)]


async def test_earlier_events_are_shown_and_cannot_be_cited(model: OpenAiServer, consolidator_of: Consolidators) -> None:
    await consolidator_of().windows([group(*PLAIN, context=("Ines has a garden.",))])
    before = [one for one in shown(model.requests[0]) if one.get("before")]
    assert [(one["says"], "n" in one) for one in before] == [(["Ines has a garden."], False)]


async def test_threads_and_profiles_are_asked_for_in_their_own_words(model: OpenAiServer, consolidator_of: Consolidators) -> None:
    consolidator = consolidator_of()
    threads = await consolidator.threads([group(*PLAIN), group("Rui runs.")])
    profile = await consolidator.profile(group("Rui runs."))
    systems = {body["messages"][0]["content"] for body in model.requests}
    assert len(systems) == 2
    assert [len(threads.drafts), len(profile.drafts)] == [2, 1]


async def test_a_date_stands_in_its_sentence_once(model: OpenAiServer, consolidator_of: Consolidators) -> None:
    model.script = [
        summaries(
            (1, [sentence("Ines planted tomatoes.", 1, date="2024-03-04"), sentence("Ines left on 5 March 2024.", 2, date="2024-03-05")])
        )
    ]
    found = await consolidator_of().windows([group(*PLAIN)])
    assert texts(found) == ["Ines planted tomatoes (4 March 2024).", "Ines left on 5 March 2024."]


async def test_the_model_reads_when_it_happened_and_when_it_was_said(model: OpenAiServer, consolidator_of: Consolidators) -> None:
    await consolidator_of().windows([SourceGroup((source(1, "Ines flew to Oslo.", time=day(2024, 2, 1)),))])
    (line,) = shown(model.requests[0])
    assert (line["said"], line["when"]) == ("2024-03-04 09:00 Monday", "1 February 2024")


GOOD = sentence("Ines has tomatoes.", 1)
LEFT_OUT = {
    "ids outside of the window": ([sentence("Ines has tomatoes.", 1, 7, -1)], "2 sources outside of the window"),
    "only ids outside": ([GOOD, sentence("Rui owes Ines money.", 99)], "1 sentences without a source"),
    "no source": ([GOOD, sentence("Rui owes Ines money.")], "1 sentences without a source"),
    "sources that are no numbers": ([GOOD, sentence("Rui owes Ines money.", "1", None, True)], "1 sentences without a source"),
    "a hundred kilobytes": ([GOOD, sentence("Ines " * 20_000, 1)], "1 sentences longer than 800 characters"),
    "repetition": ([GOOD] + [sentence("INES has tomatoes!", 1)] * 50, "50 sentences that repeat another one"),
    "too many": (
        [GOOD] + [sentence(f"Ines has {number} tomatoes.", 1) for number in range(300)],
        "277 sentences beyond 24",
    ),
    "a date outside of the calendar": ([sentence("Ines has tomatoes.", 1, date="2023-02-30")], "1 dates that are not in the calendar"),
    "a date of year 0": ([sentence("Ines has tomatoes.", 1, date="0000-01-01")], "1 dates that are not in the calendar"),
    "words as a date": ([sentence("Ines has tomatoes.", 1, date="next Friday")], "1 dates that are not in the calendar"),
    "a text with such a date": ([GOOD, sentence("Ines left on 2023-13-01.", 2)], "1 sentences with a date that is not in the calendar"),
    "a text with such a day": ([GOOD, sentence("Ines left on 31 June 2023.", 2)], "1 sentences with a date that is not in the calendar"),
    "a sentence that is none": ([GOOD, 7, {"text": None}], "2 sentences that are none"),
    "no words": ([GOOD, sentence("…!", 1)], "1 sentences without words"),
}


@pytest.mark.parametrize(("answered", "why"), LEFT_OUT.values(), ids=LEFT_OUT)
async def test_what_cannot_be_used_is_left_out_and_told(
    answered: list[Body], why: str, model: OpenAiServer, consolidator_of: Consolidators
) -> None:
    model.script = [summaries((1, answered))]
    found = await consolidator_of().windows([group(*PLAIN)])
    assert texts(found)[0] == "Ines has tomatoes."
    assert len(texts(found)) <= 24
    assert set(drafted(found).sentences[0].source_ids) <= {"evt_1", "evt_2"}
    ((reason, message),) = told(found)
    assert reason == "INVALID"
    assert why in message


BROKEN = {
    "no JSON": "I would rather not.",
    "half of it": '{"summaries": [{"summary": 1, "sent',
    "another form": '{"events": []}',
    "a list": "[1, 2]",
    "nothing": "",
    "no list of sentences": json.dumps({"summaries": [{"summary": 1, "title": "x"}]}),
    "only sentences that rest on nothing": json.dumps(
        {"summaries": [{"summary": 1, "title": "x", "sentences": [{"text": "Ines", "sources": []}]}]}
    ),
    "another summary": json.dumps({"summaries": [{"summary": 5, "title": "x", "sentences": [GOOD]}]}),
    "a number as the title and no list": json.dumps({"summaries": [{"summary": 1, "title": 3, "sentences": "Ines"}]}),
    "100 kB of one letter": "a" * 100_000,
    "deep": "[" * 5_000,
}


@pytest.mark.parametrize("content", BROKEN.values(), ids=BROKEN)
async def test_what_cannot_be_read_is_asked_for_once_more(content: str, model: OpenAiServer, consolidator_of: Consolidators) -> None:
    model.script = [Reply(content)]
    found = await consolidator_of().windows([group(*PLAIN)])
    assert len(model.requests) == 2
    assert len(texts(found)) == 2
    assert [(one.step, one.calls) for one in found.usage] == [("consolidate", 1), ("repair", 1)]


@pytest.mark.parametrize("content", BROKEN.values(), ids=BROKEN)
async def test_what_cannot_be_read_twice_is_told_and_left(content: str, model: OpenAiServer, consolidator_of: Consolidators) -> None:
    model.script = [Reply(content), Reply(content)]
    found = await consolidator_of().windows([group(*PLAIN)])
    assert found.drafts == (None,)
    (unreadable,) = [message for reason, message in told(found) if reason == "UNREADABLE"]
    assert "from 2024-03-05 09:00 had nothing that can be used, twice" in unreadable


async def test_only_the_windows_that_are_missing_are_asked_for_again(model: OpenAiServer, consolidator_of: Consolidators) -> None:
    model.script = [summaries((2, [sentence("Rui runs.", 3)]))]
    found = await consolidator_of().windows([group(*PLAIN), group("Rui runs."), group("Lia sings.")])
    assert [one["says"][0] for one in shown(model.requests[1])] == [*PLAIN, "Lia sings."]
    assert [len(texts(found, place)) for place in range(3)] == [2, 1, 1]
    assert drafted(found, 2).sentences[0].source_ids == ("evt_1",)


async def test_what_stays_missing_was_not_shown_to_the_call_that_writes_the_others(
    model: OpenAiServer, consolidator_of: Consolidators
) -> None:
    model.script = [summaries((2, [sentence("Rui runs, and Ines moved.", 3)])), Reply("I would rather not.")]
    found = await consolidator_of().windows([group(*PLAIN), group("Rui runs.")])
    assert [draft is not None for draft in found.drafts] == [False, True]
    assert [one["says"][0] for one in shown(model.requests[2])] == ["Rui runs."]
    assert texts(found, 1) == ["It is said: Rui runs."]


async def test_drafts_of_one_call_are_told_by_its_number(model: OpenAiServer, consolidator_of: Consolidators) -> None:
    found = await consolidator_of().windows([group(f"Ines ran {number} miles.") for number in range(10)])
    assert found.calls == (0,) * 8 + (1,) * 2


async def test_an_answer_that_is_cut_off_is_asked_for_in_parts(model: OpenAiServer, consolidator_of: Consolidators) -> None:
    model.script = [Reply('{"summaries": [', finish="length")]
    found = await consolidator_of().windows([group(*PLAIN), group("Rui runs.")])
    assert len(model.requests) == 3
    assert [len(texts(found, place)) for place in range(2)] == [2, 1]


async def test_what_a_filter_holds_back_is_told_and_the_others_are_written(model: OpenAiServer, consolidator_of: Consolidators) -> None:
    model.answers = filtered
    found = await consolidator_of().windows([group("Rui runs."), group("About poison."), group("Lia sings.")])
    assert [len(texts(found, place)) for place in range(3)] == [1, 0, 1]
    assert [reason for reason, _ in told(found)] == ["WITHHELD"]
    assert [one.items for one in found.usage] == [2]


@pytest.mark.parametrize("refusal", [Reply("", finish="content_filter"), TOO_LARGE], ids=["withheld", "too large"])
async def test_one_source_that_never_works_blocks_neither_its_window_nor_its_thread_nor_the_profile(
    refusal: Reply, model: OpenAiServer, consolidator_of: Consolidators
) -> None:
    model.answers = lambda body: refusal if "poison" in body["messages"][-1]["content"] else honest(body)
    one = group("About poison.", "Rui runs.", "Lia sings.")
    consolidator = consolidator_of()
    for found in (await consolidator.windows([one]), await consolidator.threads([one]), await consolidator.profile(one)):
        assert [sentence.source_ids for sentence in drafted(found).sentences] == [("evt_2",), ("evt_3",)]
        assert drafted(found).title == "summary 1"
        assert len(told(found)) == 1


async def test_a_window_of_which_nothing_is_worth_keeping_is_empty_and_paid_for_once(
    model: OpenAiServer, consolidator_of: Consolidators
) -> None:
    model.script = [summaries((1, []), (2, [sentence("Rui runs.", 2)]))]
    found = await consolidator_of().windows([group("Hm."), group("Rui runs.")])
    assert [len(texts(found, place)) for place in range(2)] == [0, 1]
    assert (len(model.requests), told(found)) == (1, [])


async def test_a_list_that_was_cut_off_before_its_first_sentence_is_not_taken_for_empty(
    model: OpenAiServer, consolidator_of: Consolidators
) -> None:
    model.script = [Reply('{"summaries": [{"summary": 1, "title": "x", "sentences": [', finish="length")]
    found = await consolidator_of().windows([group("Rui runs.")])
    assert texts(found) == ["It is said: Rui runs."]
    assert [reason for reason, _ in told(found)] == ["TRUNCATED"]


async def test_a_model_that_cannot_be_asked_is_asked_again_later(model: OpenAiServer, consolidator_of: Consolidators) -> None:
    model.answers = lambda body: Reply(status=503, error={"message": "busy"})
    with collect_usage() as spent, pytest.raises(ExtractorUnavailable):
        await consolidator_of().windows([group(*PLAIN)])
    assert [(one.step, one.calls, one.errors) for one in spent] == [("consolidate", 1, 1)]


async def test_what_was_written_before_the_model_went_away_is_kept(model: OpenAiServer, consolidator_of: Consolidators) -> None:
    model.script = [honest, Reply(status=503, error={"message": "busy"})]
    found = await consolidator_of().windows([group(f"Ines ran {number} miles.") for number in range(20)])
    assert [draft is None for draft in found.drafts] == [False] * 8 + [True] * 12
    assert [one.reason for one in found.partial_failures] == ["EXTRACTOR_UNAVAILABLE"]


async def test_of_a_batch_that_was_parted_what_its_first_part_gave_is_kept(model: OpenAiServer, consolidator_of: Consolidators) -> None:
    model.script = [Reply('{"summaries": [', finish="length"), honest, BUSY]
    found = await consolidator_of().windows([group("Rui runs."), group("Lia sings."), group("Ana swims."), group("Ben rows.")])
    assert [draft is not None for draft in found.drafts] == [True, True, False, False]
    assert [one.reason for one in found.partial_failures] == ["EXTRACTOR_UNAVAILABLE"]


async def test_half_a_window_is_none_while_the_other_half_is_to_be_asked_for(model: OpenAiServer, consolidator_of: Consolidators) -> None:
    model.script = [honest, Reply('{"summaries": [', finish="length"), honest, BUSY]
    others = [group(f"Ines ran {number} miles.") for number in range(8)]
    found = await consolidator_of().windows([*others, group(*PLAIN)])
    assert [draft is not None for draft in found.drafts] == [True] * 8 + [False]


async def test_a_model_that_goes_away_before_a_repair_is_unavailable_and_not_unreadable(
    model: OpenAiServer, consolidator_of: Consolidators
) -> None:
    model.script = [summaries((2, [sentence("Rui runs.", 3)])), BUSY]
    # What the answer said of the second may repeat the others, of which nothing is stored yet.
    with pytest.raises(ExtractorUnavailable):
        await consolidator_of().windows([group(*PLAIN), group("Rui runs."), group("Lia sings.")])
    model.script = [Reply("I would rather not."), BUSY]
    with pytest.raises(ExtractorUnavailable):
        await consolidator_of().windows([group(*PLAIN)])


async def test_a_repair_that_is_kept_back_is_not_told_as_a_second_answer(model: OpenAiServer, consolidator_of: Consolidators) -> None:
    model.script = [Reply("I would rather not."), Reply("", finish="content_filter")]
    found = await consolidator_of().windows([group("Rui runs.")])
    assert found.drafts == (None,)
    ((reason, message),) = told(found)
    assert (reason, "twice" in message) == ("UNREADABLE", False)


async def test_recorded_exchanges_answer_without_a_network(model: OpenAiServer, tmp_path: Path) -> None:
    settings = LlmSettings("custom", "a-model")
    endpoint = Endpoint(PROVIDERS["custom"], EndpointSettings(model.url, key="sk-secret"))
    recording = LlmConsolidator(RecordingChat(endpoint, tmp_path / "exchanges.jsonl"), settings)
    live = await recording.windows([group(*PLAIN)])
    await recording.aclose()
    await model.stop()
    replayed = LlmConsolidator(ReplayedChat(tmp_path / "exchanges.jsonl"), settings)
    assert (await replayed.windows([group(*PLAIN)])).drafts == live.drafts
    assert replayed.fingerprint == recording.fingerprint
    with pytest.raises(ExtractorUnavailable):
        await replayed.windows([group("Something else.")])


async def test_what_several_windows_look_back_to_is_shown_once(model: OpenAiServer, consolidator_of: Consolidators) -> None:
    first = group(*PLAIN, context=("Ines has a garden.", "Ines likes salad."))
    second = replace(first, sources=(source(7, "The plants bear fruit.", days=9),), context=(*first.context, first.sources[0]))
    found = await consolidator_of().windows([first, second])
    lines = shown(model.requests[0])
    assert [(one["says"], one.get("n")) for one in lines] == [
        (["Ines has a garden."], None),
        (["Ines likes salad."], None),
        ([PLAIN[0]], 1),
        ([PLAIN[1]], 2),
        (["The plants bear fruit."], 3),
    ]
    assert [one.source_ids for one in drafted(found, 1).sentences] == [("evt_7",)]
