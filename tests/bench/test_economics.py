"""The local model reads what requests show and answers at the declared length; the command counts every message once."""

import json
from collections.abc import Sequence
from datetime import UTC
from pathlib import Path
from typing import Any

import pytest

from bench.__main__ import main
from bench.economics.answers import AnswerLength
from bench.economics.coverage import covered_once
from bench.economics.shown import memories_in, messages_in, step_of
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


@pytest.mark.parametrize(
    ("shown", "covered"),
    [
        (["one", "two", "a long text"], 3),
        (["two", "one", "long text", "a "], 3),
        (["one", "two", "a ", "a l", "ong text"], 2),
        (["one", "two", "a", "long text", " "], 3),
        (["one", "two", "a ", "a long text"], 2),
        (["one", "one", "two", "a long text"], 2),
        (["one", "two", "a "], 1),
        (["one", "two"], 2),
        ([], 0),
    ],
)
def test_a_message_is_covered_whole_or_in_parts_and_once(shown: list[str], covered: int) -> None:
    said = [("Ana", "one"), ("Ana", "two"), ("Ana", "a long text")]
    assert covered_once(said, [("Ana", text) for text in shown]) == covered
    assert covered_once(said, [("Tom", text) for text in shown]) == 0


def test_the_parts_of_a_text_that_repeats_itself_are_found_in_any_order() -> None:
    assert (
        covered_once(
            [("Ana", "aab aa")],
            [
                ("Ana", "aa"),
                ("Ana", "a"),
                ("Ana", "ab "),
            ],
        )
        == 1
    )


def test_what_is_said_twice_is_to_be_shown_twice() -> None:
    assert covered_once([("Ana", "Bye.")] * 2, [("Ana", "Bye.")] * 2) == 2
    assert covered_once([("Ana", "Bye.")] * 2, [("Ana", "Bye.")]) == 0


def test_lengths_of_nothing_are_refused(chats_file: Path, capsys: Any) -> None:
    assert main(["economics", "--data", str(chats_file), "--fact-tokens", "0"]) == 1
    assert "at least 1" in capsys.readouterr().err
