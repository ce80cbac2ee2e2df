import json
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from bench.__main__ import main
from bench.convert.elements import elements
from bench.dataset import Dataset, read_dataset
from bench.report import BenchError
from tests.bench.published import locomo, longmemeval


def converted(tmp_path: Path, raw: Any, capsys: pytest.CaptureFixture[str], *more: str) -> tuple[Dataset, dict[str, Any]]:
    """What the command makes of a file with this content, and what it says of it."""
    source, target = tmp_path / "raw.json", tmp_path / "neutral.json"
    source.write_text(json.dumps(raw))
    assert main(["convert", str(source), "--out", str(target), "--json", *more]) == 0
    return read_dataset(target), json.loads(capsys.readouterr().out)


def test_locomo_keeps_turns_captions_and_their_order(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    dataset, _ = converted(tmp_path, locomo(), capsys)

    first, second = dataset.conversations
    assert [session.id for session in first.sessions] == ["session_2", "session_10"]
    assert [message.id for message in first.messages] == ["D1:1", "D1:2", "D2:1", "D2:2"]
    assert first.messages[1].sent_at == datetime(2023, 5, 8, 13, 56, 30, tzinfo=UTC)
    assert first.messages[2].sent_at == datetime(2023, 5, 30, 0, 9, tzinfo=UTC)
    assert (first.messages[3].speaker, first.messages[3].image_caption) == ("Nadia", "a cat on a chair")
    assert [(fact.text, fact.evidence) for fact in first.facts] == [
        ("Nadia adopted a cat.", ("D1:1",)),
        ("Piet has a canoe.", ("D1:2", "D2:1")),
    ]
    assert second.messages[0].text == "I bake rye bread."


def test_locomo_reads_evidence_in_every_form_in_which_it_is_written(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    dataset, told = converted(tmp_path, locomo(), capsys)

    questions = dataset.conversations[0].questions
    assert [(q.category, q.answer, q.evidence) for q in questions] == [
        ("temporal", "7 May 2023", ("D1:1",)),
        ("multi-hop", "cat, canoe", ("D1:1", "D1:2")),
        ("single-hop", "1", ("D1:1", "D2:2")),
        ("open-domain", "Likely yes; he has a canoe", ()),
        ("single-hop", "nothing", ("D2:1", "D1:2")),
        ("adversarial", "a cat", ("D1:1",)),
    ]
    # Half of its evidence must not pass for all of it.
    assert "'D'" in questions[4].suspect
    assert told["left_out"] == {
        "turns without text": 1,
        "evidence that names no turn": 1,
        "observations whose evidence names no turn": 1,
    }
    assert told["categories"] == {"adversarial": 1, "multi-hop": 1, "open-domain": 1, "single-hop": 3, "temporal": 1}


def test_longmemeval_puts_sessions_in_order_and_marks_what_answers(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    dataset, told = converted(tmp_path, longmemeval(), capsys)

    kettle, bicycle = dataset.conversations
    assert [session.id for session in kettle.sessions] == ["answer_1", "answer_1#2", "answer_2"]
    question = kettle.questions[0]
    assert question.asked_at == datetime(2023, 5, 30, 23, 40, tzinfo=UTC)
    assert (question.category, question.answer, question.abstention) == ("temporal-reasoning", "3 days", False)
    texts = {message.id: message.text for message in kettle.messages}
    assert {texts[id_] for id_ in question.evidence} == {"My kettle broke today.", "I bought a kettle today."}
    assert {message.role for message in kettle.messages} == {"user", "assistant"}
    assert bicycle.questions[0].abstention
    assert not bicycle.questions[0].counted
    assert told["left_out"] == {"turns without text": 1}


def test_only_the_first_conversations(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    dataset, told = converted(tmp_path, longmemeval(), capsys, "--first", "1")

    assert [conversation.id for conversation in dataset.conversations] == ["q1"]
    assert (told["conversations"], told["questions"]) == (1, 1)


def test_characters_that_no_store_takes_are_counted(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    raw = longmemeval()
    raw[1]["haystack_sessions"][0][0]["content"] = "I ride\x00 my \ud800bicycle."

    dataset, told = converted(tmp_path, raw, capsys)

    assert dataset.conversations[1].messages[0].text == "I ride my bicycle."
    assert told["left_out"]["characters that are NUL or half of a pair"] == 2


def _set(*path: Any) -> Callable[[Any], None]:
    """Puts the last one at the place that the others name."""

    def change(raw: Any) -> None:
        *way, last, value = path
        for step in way:
            raw = raw[step]
        raw[last] = value

    return change


@pytest.mark.parametrize(
    ("raw", "change", "complaint"),
    [
        (locomo, _set(1, "sample_id", None), "[1].sample_id: must be a text"),
        (locomo, _set(1, "sample_id", "conv-1"), "[1]: two conversations have the id 'conv-1'"),
        (
            locomo,
            _set(0, "conversation", "session_2_date_time", "8 May"),
            '[0].conversation.session_2_date_time: must be a time such as "1:56 pm',
        ),
        (locomo, _set(0, "conversation", "session_2", 1, "dia_id", "D1:1"), "[0].conversation: two turns have the dia_id 'D1:1'"),
        (locomo, _set(0, "conversation", "session_2", 0, "speaker", ""), "[0].conversation.session_2[0].speaker: must be a text"),
        (locomo, _set(0, "conversation", "session_2", {}), "[0].conversation.session_2: must be a list"),
        (locomo, _set(1, "conversation", {}), "[1].conversation: has no session with turns"),
        (locomo, _set(0, "qa", 3, "category", 9), "[0].qa[3].category: must be a number from 1 to 5; it is 9"),
        (locomo, _set(0, "qa", 0, "answer", None), "[0].qa[0].answer: must be a text"),
        (locomo, _set(0, "qa", 0, "evidence", "D1:1"), "[0].qa[0].evidence: must be a list"),
        (
            locomo,
            _set(0, "observation", "session_2_observation", "Piet", ["x"]),
            "observation.session_2_observation.Piet[0]: must be a list of",
        ),
        (
            longmemeval,
            _set(1, "haystack_dates", []),
            "[1]: haystack_dates, haystack_session_ids and haystack_sessions must be equally long",
        ),
        (longmemeval, _set(0, "haystack_dates", 2, "May"), "[0].haystack_dates[2]: must be a time such as"),
        (longmemeval, _set(0, "question_date", None), "[0].question_date: must be a time such as"),
        (longmemeval, _set(0, "haystack_sessions", 1, "x"), "[0].haystack_sessions[1]: must be a list of turns"),
        (longmemeval, _set(0, "haystack_sessions", 1, 0, "role", "robot"), "[0].haystack_sessions[1][0].role: must be one of"),
        (longmemeval, _set(1, "answer", None), "[1].answer: must be a text"),
        (longmemeval, _set(0, {"id": 1}), "[0]: has neither `conversation`"),
    ],
)
def test_says_where_a_file_is_wrong_and_writes_nothing(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], raw: Any, change: Callable[[Any], None], complaint: str
) -> None:
    document = raw()
    change(document)
    source, target = tmp_path / "raw.json", tmp_path / "neutral.json"
    source.write_text(json.dumps(document))

    assert main(["convert", str(source), "--out", str(target)]) == 1

    assert complaint in capsys.readouterr().err
    assert [path.name for path in tmp_path.iterdir()] == ["raw.json"]


@pytest.mark.parametrize(
    ("content", "complaint"),
    [
        (b"{}", "must be a JSON array of conversations"),
        (b"", "must be a JSON array of conversations"),
        (b"[]", "is an empty array"),
        (b"[7]", "[0]: has neither"),
        (b'[{"a": tru}]', "[0]: is not JSON"),
        (b'[{"a": "\xff"}]', "is not UTF-8"),
    ],
)
def test_says_what_is_wrong_with_a_file_that_is_no_array(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], content: bytes, complaint: str
) -> None:
    source = tmp_path / "raw.json"
    source.write_bytes(content)

    assert main(["convert", str(source), "--out", str(tmp_path / "neutral.json")]) == 1

    assert complaint in capsys.readouterr().err


def test_says_when_a_file_cannot_be_read_or_written(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    source = tmp_path / "raw.json"
    source.write_text(json.dumps(locomo()))

    assert main(["convert", str(tmp_path / "absent.json"), "--out", str(tmp_path / "x.json")]) == 1
    assert "cannot read" in capsys.readouterr().err
    assert main(["convert", str(source), "--out", str(tmp_path / "absent" / "x.json")]) == 1
    assert "cannot write" in capsys.readouterr().err
    assert main(["convert", str(source), "--out", str(source)]) == 1
    assert "--out: must be another file" in capsys.readouterr().err
    assert json.loads(source.read_text()) == locomo()


@pytest.mark.parametrize("chunk", [1, 2, 7, 1000])
def test_an_array_is_read_in_pieces_of_any_size(tmp_path: Path, chunk: int) -> None:
    values = [{"a": ["x, y] [", 'quo"te', {"é": None}]}, {}, {"b": -3.5}, [], {"c": 1234567}]
    path = tmp_path / "array.json"
    path.write_text("\ufeff \n" + json.dumps(values, indent=1, ensure_ascii=False))

    assert list(elements(path, chunk)) == values


@pytest.mark.parametrize(
    ("content", "complaint"),
    [
        ('[{"a": 1}', r"\[1\]: is not JSON: no comma and no end of the array"),
        ('[{"a": 1} {"a": 2}]', r"\[1\]: is not JSON: no comma and no end of the array"),
        ('[{"a": 1}, {"a": [2', r"\[1\]: is not JSON, or the file ends within it"),
        ('[{"a": 1},', r"\[1\]: is not JSON, or the file ends within it"),
    ],
)
def test_says_after_which_element_an_array_breaks_off(tmp_path: Path, content: str, complaint: str) -> None:
    path = tmp_path / "array.json"
    path.write_text(content)

    with pytest.raises(BenchError, match=complaint):
        list(elements(path))


def test_a_raw_file_is_no_data_set_yet(tmp_path: Path) -> None:
    path = tmp_path / "locomo10.json"
    path.write_text(json.dumps(locomo()))

    with pytest.raises(BenchError, match="go through `python -m bench convert` first"):
        read_dataset(path)
