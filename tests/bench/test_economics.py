"""The local model reads what requests show and answers at the declared length; the command counts every message once."""

import json
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from bench.__main__ import main
from bench.dataset import ChatMessage, ChatSession, Conversation
from bench.economics.answers import AnswerLength
from bench.economics.coverage import coverage
from bench.economics.shown import ShownMessage, memories_in, messages_in, runs_in, step_of
from extract.consolidate.llm.prompting import numbered, prompt
from extract.consolidate.llm.reading import answer_schema as summary_schema
from extract.consolidate.llm.reading import read_answer as read_summaries
from extract.llm.answer import Checks, answer_schema, types_of
from extract.llm.prompting import system_prompt
from extract.llm.reading import read_answer
from extract.llm.transcript import transcript_of
from extract.port import Segment
from extract.tokens import count_tokens
from graph.model import NO_PROFILE, ExtractionMode
from tests.extract.consolidate.groups import group
from tests.extract.llm.conftest import segment

LENGTH = AnswerLength(messages_a_fact=2, fact_tokens=12, memories_a_sentence=2, sentence_tokens=9)
TALK = ("I have a dog.\n3 Tom: no", 'He said "<b>hi</b>": \\o/', "Bye.", "And a cat.")


def request(system: str, text: str, schema: dict[str, Any]) -> dict[str, Any]:
    return {
        "messages": [{"role": "system", "content": system}, {"role": "user", "content": text}],
        "response_format": {"type": "json_schema", "json_schema": {"schema": schema}},
    }


def extraction(segments: Sequence[Segment], mode: ExtractionMode) -> dict[str, Any]:
    return request(system_prompt(mode, NO_PROFILE), transcript_of(segments).text, answer_schema(mode, NO_PROFILE))


def test_every_message_is_read_as_it_was_said() -> None:
    body = extraction([segment(*TALK, context=("What is new?",)), segment("Hello.")], ExtractionMode.EVENT)
    shown = messages_in(body)
    assert [one.text for one in shown] == ["What is new?", *TALK, "Hello."]
    assert [(one.before, one.own, one.part) for one in shown] == [(True, False, "1"), *[(False, True, "1")] * 4, (False, True, "2")]
    assert [[one.minute for one in run] for run in runs_in(body)] == [["2023-05-08 13:56", "", "", "", ""], ["2023-05-08 13:56"]]
    assert step_of(body) == "extraction"


@pytest.mark.parametrize("mode", [ExtractionMode.EVENT, ExtractionMode.FLAT])
def test_answers_are_valid_and_as_long_as_declared(mode: ExtractionMode) -> None:
    segments = [segment(*TALK), segment("Hello.", "It rains in Rome today.")]
    transcript = transcript_of(segments)
    checks = Checks(frozenset(transcript.messages), transcript.own, types_of(NO_PROFILE), frozenset(), UTC, transcript.parts)
    reading = read_answer(LENGTH.answer(extraction(segments, mode)), mode, checks)
    assert not reading.problems
    facts = [fact for event in reading.events for fact in event.facts]
    assert len(facts) == 3
    assert {count_tokens(fact.text) for fact in facts} <= {11, 12}


def test_summaries_cite_everything_once() -> None:
    groups = [group("Ines ran.", "Ines swam.", "Ines slept."), group("Rui sang.")]
    shown = numbered(groups)
    body = request(prompt("window"), shown.text, summary_schema())
    assert step_of(body) == "consolidation window"
    assert [(one.summary, one.number) for one in memories_in(body)] == [(1, 1), (1, 2), (1, 3), (2, 4)]
    reading = read_summaries(LENGTH.answer(body), shown, complete=True)
    assert not any(+left for left in reading.left_out.values())
    assert [[len(one.source_ids) for one in reading.drafts[number].sentences] for number in (1, 2)] == [[1, 2], [1]]
    assert step_of(request(prompt("thread"), shown.text, {})) == "consolidation thread"
    assert step_of(request(prompt("profile"), shown.text, {})) == "consolidation profile"


def test_the_command_counts_calls_and_every_message_once(tmp_path: Path, capsys: Any) -> None:
    sessions = [
        {
            "id": f"s{number}",
            "messages": [
                {"id": f"{number}.{n}", "speaker": "Ana", "role": "user", "text": text, "sent_at": f"2023-05-{number + 10}T09:00:00Z"}
                for n, text in enumerate((f"I bought {number} boats.", "Bye.", "Bye."))
            ],
        }
        for number in range(10)
    ]
    file = tmp_path / "boats.json"
    file.write_text(json.dumps({"name": "boats", "conversations": [{"id": "c", "sessions": sessions, "questions": []}]}))
    assert main(["economics", "--data", str(file), "--json", "--set", "embedder=hashing"]) == 0
    figures = json.loads(capsys.readouterr().out)
    [one] = figures["conversations"]
    assert one["messages_covered"] == one["messages"] == 30
    # One would do: two workers may each be at one session when all are flushed.
    assert one["steps"]["extraction"]["calls"] <= 4
    assert set(one["steps"]) == {"extraction", "consolidation window", "consolidation thread", "consolidation profile"}
    assert one["calls"] == sum(step["calls"] for step in one["steps"].values())
    assert one["total_tokens"] == one["prompt_tokens"] + one["completion_tokens"]
    assert {name: figures["mean"][name] for name in ("calls", "total_tokens")} == {name: one[name] for name in ("calls", "total_tokens")}
    assert figures["mean"]["steps"] == {name: {key: float(value) for key, value in step.items()} for name, step in one["steps"].items()}

    assert main(["economics", "--data", str(file), "--json", "--set", "embedder=hashing", "--extraction-only"]) == 0
    [one] = json.loads(capsys.readouterr().out)["conversations"]
    assert set(one["steps"]) == {"extraction"}


def test_compression_is_a_step_beside_an_extraction_without_it(tmp_path: Path, capsys: Any) -> None:
    told = (
        "Well, it was so that I had been thinking about it for quite a while and then I did not move to Lisbon with {name} in May 2021.",
        "Bye.",
        "And I would say that it is not at all like what we had before, because there is a garden with two hammocks in it for {name}.",
        "Bye.",
        "Bye.",
    )
    sessions = [
        {"id": name, "messages": [turn(f"{name}.{n}", text.format(name=name), n) for n, text in enumerate(told)]}
        for name in ("Ines", "Rui", "Ana", "Tom")
    ]
    file = tmp_path / "moves.json"
    file.write_text(json.dumps({"name": "moves", "conversations": [{"id": "c", "sessions": sessions, "questions": []}]}))
    chosen = ["--extraction-only", "--set", "embedder=hashing", "--set", "compressor=entropy", "--set", "compression_rate=0.4"]
    assert main(["economics", "--data", str(file), "--json", *chosen]) == 0
    figures = json.loads(capsys.readouterr().out)
    [one] = figures["conversations"]
    assert one["messages_covered"] == one["uncompressed"]["messages_covered"] == one["messages"] == 20
    compress, extraction = one["steps"]["compress"], one["steps"]["extraction"]
    assert set(one["steps"]) == {"compress", "extraction"}
    assert compress["cpu_ms"] > 0
    assert 0 < compress["completion_tokens"] < 0.7 * compress["prompt_tokens"]
    # No model was asked to compress.
    assert (one["calls"], one["prompt_tokens"]) == (extraction["calls"], extraction["prompt_tokens"])
    assert (
        one["prompt_ratio"]
        == figures["mean"]["prompt_ratio"]
        == round(extraction["prompt_tokens"] / one["uncompressed"]["prompt_tokens"], 3)
    )
    assert figures["mean"]["steps"]["compress"] == {name: round(value, 1) for name, value in compress.items()}

    assert main(["economics", "--data", str(file), *chosen]) == 0
    told_to_people = capsys.readouterr().out
    assert "compress" in told_to_people
    assert "uncompressed" in told_to_people


def turn(id_: str, text: str, minute: int) -> dict[str, str]:
    return {"id": id_, "speaker": "Eva", "role": "user", "text": text, "sent_at": f"2023-05-17T09:{minute:02}:00Z"}


def conversation(*texts: str) -> Conversation:
    said = tuple(ChatMessage(str(n), "Ana", "user", text, datetime(2023, 5, 17, 9, n // 2, tzinfo=UTC)) for n, text in enumerate(texts))
    return Conversation("c", (ChatSession("s", said),), ())


def run_of(*texts: str, context: Sequence[str] = (), minute: int = 0, speaker: str = "Ana") -> list[ShownMessage]:
    """Lines of one part, of which the first one is told its minute."""
    lines = [(text, True) for text in context] + [(text, False) for text in texts]
    return [
        ShownMessage(n, "", "2023-05-17", "" if n else f"2023-05-17 09:{minute:02}", speaker, text, not before, before)
        for n, (text, before) in enumerate(lines)
    ]


@pytest.mark.parametrize(
    ("runs", "covered"),
    [
        ([run_of("one", "two", "a long text")], 3),
        ([run_of("one", "two"), run_of("a long text", context=("one", "two"))], 3),
        ([run_of("a long text", minute=1), run_of("one", "two")], 3),
        ([run_of("one", "two"), run_of("a ", minute=1), run_of("long text", context=("one", "two"))], 3),
        ([run_of("one", "two"), run_of("a ", minute=1)], 2),
        ([run_of("one", "two"), run_of("a ", minute=1), run_of("a long text", minute=1)], 2),
        ([run_of("one", "two"), run_of("a text", minute=1)], 2),
        ([run_of("one", "two", "a long text"), run_of("two", context=("one",))], 2),
        ([run_of("one", "two", "a long text"), run_of("three")], 2),
        ([run_of("one", "two", "a long text", minute=1)], 0),
        ([run_of("one", "two", "a long text", speaker="Tom")], 0),
        ([run_of("one", "two")], 2),
        ([], 0),
    ],
)
def test_a_message_is_covered_whole_or_in_parts_and_once(runs: list[list[ShownMessage]], covered: int) -> None:
    assert coverage(conversation("one", "two", "a long text"), runs, compressed=False).covered == covered


def test_what_is_said_twice_is_to_be_shown_twice() -> None:
    twice = conversation("Bye.", "Bye.")
    assert coverage(twice, [run_of("Bye."), run_of("Bye.", context=("Bye.",))], compressed=False).covered == 2
    assert coverage(twice, [run_of("Bye."), run_of("Bye.")], compressed=False).covered == 2
    assert coverage(twice, [run_of("Bye.")], compressed=False).covered == 1
    assert coverage(twice, [run_of("Bye.", "Bye."), run_of("Bye.")], compressed=False).covered == 1
    assert coverage(conversation(""), [run_of("")], compressed=False).covered == 1
    assert coverage(conversation(""), [run_of(""), run_of("")], compressed=False).covered == 0


TOLD = "well, it was so that we did not go to see the hammocks with Ines. And then there was a hedgehog in one of them"
LEFT = "did not go hammocks Ines.\nhedgehog one of"


@pytest.mark.parametrize(
    ("shown", "covered"),
    [
        ([LEFT], 1),
        (["did not go ", "hammocks Ines.\nhedgehog one of"], 1),
        (["did not go ", "hammocks Ines.\nhedgehog", " one of"], 1),
        ([TOLD], 1),
        ([LEFT, LEFT], 0),
        ([TOLD, TOLD], 0),
        ([TOLD, LEFT], 0),
        (["hammocks Ines.\nhedgehog one of", "did not go "], 0),  # parts are shown in their order
        (["go hammocks Ines.\nhedgehog one of"], 0),  # "not" must stay
        (["did not go hammocks Ines.\nhedgehogs one of"], 0),
        ([""], 0),
        ([], 0),
    ],
)
def test_a_compressed_message_is_covered_by_what_a_compressor_may_leave(shown: list[str], covered: int) -> None:
    assert coverage(conversation(TOLD), list(map(run_of, shown)), compressed=True).covered == covered
    assert coverage(conversation(TOLD), list(map(run_of, shown)), compressed=False).covered == (shown == [TOLD])


def test_lengths_of_nothing_are_refused(chats_file: Path, capsys: Any) -> None:
    assert main(["economics", "--data", str(chats_file), "--fact-tokens", "0"]) == 1
    assert "at least 1" in capsys.readouterr().err
