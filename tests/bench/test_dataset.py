import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from bench.dataset import read_dataset
from bench.report import BenchError


def test_reads_the_neutral_format(chats_file: Path) -> None:
    dataset = read_dataset(chats_file)

    garden, kitchen = dataset.conversations
    assert dataset.name == "two-gardens"
    assert [message.id for message in garden.messages] == ["g1", "g2", "g3", "g4", "g5"]
    assert garden.messages[4].image_caption == "a lemon tree in bloom"
    assert [(fact.text, fact.evidence) for fact in garden.facts] == [("Ines planted a lemon tree.", ("g1",))]
    assert kitchen.facts == ()
    assert kitchen.messages[1].role == "assistant"


def test_times_without_a_zone_are_utc(chats_file: Path) -> None:
    messages = read_dataset(chats_file).conversations[0].messages

    assert messages[0].sent_at == datetime(2024, 3, 5, 18, 30, tzinfo=UTC)
    assert messages[3].sent_at == datetime(2024, 7, 1, 9, tzinfo=UTC)
    assert messages[4].sent_at == datetime(2024, 7, 1, 9, tzinfo=UTC)


def test_tricks_suspects_and_questions_without_evidence_are_not_counted(chats_file: Path) -> None:
    questions = read_dataset(chats_file).conversations[0].questions

    assert [question.id for question in questions if question.counted] == ["q1", "q2"]


def test_a_question_sees_what_was_said_before_it_and_not_its_own_session(tmp_path: Path, chats: dict[str, Any]) -> None:
    garden = chats["conversations"][0]
    sessions = [session["id"] for session in garden["sessions"]]
    garden["questions"][0].update(asked_at="2024-07-01T09:00:00", session=sessions[0])
    garden["questions"][1].update(asked_at="2024-07-01T09:00:01")
    path = tmp_path / "turns.json"
    path.write_text(json.dumps(chats))

    conversation = read_dataset(path).conversations[0]

    turn, question, *others = conversation.questions
    assert turn.asked_at == datetime(2024, 7, 1, 9, tzinfo=UTC)
    first = {message.id for message in conversation.sessions[0].messages}
    assert conversation.seen_by(turn) == {m.id for m in conversation.messages if m.sent_at < turn.asked_at} - first
    assert conversation.seen_by(question) == {m.id for m in conversation.messages}
    assert all(conversation.seen_by(other) == {m.id for m in conversation.messages} for other in others)


@pytest.mark.parametrize(
    ("change", "complaint"),
    [
        (lambda data: data["conversations"][0]["questions"][0].update(asked_at="soon"), "asked_at: is no ISO 8601 time"),
        (lambda data: data.pop("conversations"), "conversations: must be a list"),
        (lambda data: data.update(conversations=[]), "conversations: is empty"),
        (lambda data: data["conversations"][0]["sessions"][0]["messages"][1].pop("text"), r"sessions\[0\].messages\[1\].text"),
        (lambda data: data["conversations"][0]["sessions"][0]["messages"][1].update(sent_at="soon"), "sent_at: is no ISO 8601 time"),
        (lambda data: data["conversations"][0]["sessions"][0]["messages"][1].update(role="robot"), "role: must be one of"),
        (lambda data: data["conversations"][0]["sessions"][1]["messages"][0].update(id="g1"), "two messages have the id 'g1'"),
        (lambda data: data["conversations"][0]["questions"][0].update(evidence=["g99"]), "'g99', which is no message"),
    ],
)
def test_says_what_is_wrong_and_where(tmp_path: Path, chats: dict[str, Any], change: Any, complaint: str) -> None:
    change(chats)
    path = tmp_path / "broken.json"
    path.write_text(json.dumps(chats))

    with pytest.raises(BenchError, match=complaint):
        read_dataset(path)


def test_a_file_that_is_not_there_or_not_json(tmp_path: Path) -> None:
    with pytest.raises(BenchError, match="cannot read"):
        read_dataset(tmp_path / "absent.json")
    (tmp_path / "text.json").write_text("hello")
    with pytest.raises(BenchError, match="is not JSON"):
        read_dataset(tmp_path / "text.json")
