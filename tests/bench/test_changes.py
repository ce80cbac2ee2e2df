import json
from collections import Counter
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from bench.__main__ import main
from bench.changes.command import CHATS
from bench.changes.counting import judge, summary
from bench.changes.questions import ChangeQuestion, read_changes
from bench.report import BenchError

NOW = ChangeQuestion("q", "Where?", "now", "moved twice", ("c", "d"), newest=("c", "d"), outdated=("a", "b"))
STILL = ChangeQuestion("q", "Which?", "still", "list", ("a", "b"))
AS_OF = ChangeQuestion(
    "q", "Where?", "as_of", "moved twice", ("b",), newest=("c",), outdated=("a",), as_of=datetime(2024, 3, 1, tzinfo=UTC)
)
OTHERS = [f"x{i}" for i in range(19)]


@pytest.mark.parametrize(
    ("ranking", "right", "found"),
    [
        (["x", "c", "a", "d"], True, True),
        (["x", "d"], True, True),
        (["b", "c", "d"], False, True),
        (["a"], False, False),
        ([], False, False),
        ([*OTHERS, "c"], True, True),
        ([*OTHERS, "x", "c"], False, False),
        ([*OTHERS, "a", "c"], False, False),
    ],
)
def test_now_is_right_when_the_newest_state_comes_before_every_outdated_one(ranking: list[str], right: bool, found: bool) -> None:
    verdict = judge(NOW, ranking)

    assert (verdict.right, verdict.found) == (right, found)


@pytest.mark.parametrize(
    ("ranking", "right"), [(["a", "x", "b"], True), (["a", "x"], False), (["a", *OTHERS[:8], "b"], True), (["a", *OTHERS[:9], "b"], False)]
)
def test_still_is_right_when_all_evidence_is_among_the_first_ten(ranking: list[str], right: bool) -> None:
    assert judge(STILL, ranking).right is right


@pytest.mark.parametrize(
    ("ranking", "right", "found"),
    [(["x", "b", "a"], True, True), (["a", "b"], False, True), (["c", "b"], False, True), (["x"], False, False)],
)
def test_as_of_is_right_when_the_first_state_is_that_of_the_date(ranking: list[str], right: bool, found: bool) -> None:
    verdict = judge(AS_OF, ranking)

    assert (verdict.right, verdict.found) == (right, found)


def test_shares_are_percentages_overall_and_by_category() -> None:
    corrected = ChangeQuestion("q2", "Which?", "now", "correction", ("d",), newest=("d",), outdated=("a",))

    figures = summary([judge(NOW, ["c"]), judge(NOW, ["a", "c"]), judge(corrected, ["a"])])

    assert (figures["questions"], figures["right"], figures["found"]) == (3, 33.3, 66.7)
    assert figures["by_category"] == {
        "correction": {"questions": 1, "right": 0.0, "found": 0.0},
        "moved twice": {"questions": 2, "right": 50.0, "found": 100.0},
    }
    assert summary([])["questions"] == 0


def test_the_chats_hold_what_the_benchmark_promises() -> None:
    dataset, questions = read_changes(CHATS)
    asked = [(conversation, question) for conversation in dataset.conversations for question in questions[conversation.id]]
    kinds = Counter(question.kind for _, question in asked)
    categories = Counter(question.category for _, question in asked if question.kind == "now")

    assert kinds["now"] >= 60
    assert min(kinds["still"], kinds["as_of"]) >= 40
    assert categories["moved twice"] >= 12
    assert min(categories["correction"], categories["plan and outcome"]) >= 10
    for conversation, question in asked:
        said = {message.id: message.sent_at for message in conversation.messages}
        assert not set(question.newest) & set(question.outdated)
        if question.kind == "now":
            assert question.evidence == question.newest
            assert question.outdated
            assert max(said[id_] for id_ in question.outdated) <= min(said[id_] for id_ in question.newest)
        if question.as_of is not None:
            assert max(said[id_] for id_ in (*question.evidence, *question.outdated)) < question.as_of
            assert all(said[id_] >= question.as_of for id_ in question.newest)


@pytest.fixture
def changing(chats: dict[str, Any]) -> dict[str, Any]:
    """The chats of two gardens with one question of each kind."""
    chats["conversations"][0]["questions"] = [
        {
            "id": "q1",
            "text": "Whose is the cello?",
            "kind": "now",
            "category": "change",
            "evidence": ["g4"],
            "newest": ["g4"],
            "outdated": ["g2"],
        },
        {"id": "q2", "text": "What did Ines plant?", "kind": "still", "category": "elaboration", "evidence": ["g1", "g5"]},
        {"id": "q3", "text": "Whose is the cello?", "kind": "as_of", "evidence": ["g2"], "newest": ["g4"], "as_of": "2024-05-01"},
    ]
    chats["conversations"][1]["questions"] = []
    return chats


def test_the_command_asks_the_service(tmp_path: Path, changing: dict[str, Any], capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "changing.json"
    path.write_text(json.dumps(changing))

    assert main(["changes", "--data", str(path), "--json"]) == 0
    figures = json.loads(capsys.readouterr().out)

    assert set(figures) == {"dataset", "store", "messages", "now", "still", "as_of", "as_of_by"}
    assert (figures["dataset"], figures["store"], figures["messages"]) == ("two-gardens", "embedded", 7)
    assert figures["now"]["found"] == 100
    assert figures["still"]["right"] == 100
    # What was said after the date is not there to come first.
    assert figures["as_of"]["right"] == 100
    assert set(figures["now"]) == {"questions", "right", "found", "by_category"}


@pytest.mark.parametrize(
    ("change", "complaint"),
    [
        ({"kind": "once"}, r"questions\[0\].kind: must be one of now, still, as_of"),
        ({"newest": []}, r"questions\[0\].newest: must name a message"),
        ({"outdated": ["g9"]}, r"questions\[0\].outdated: 'g9' is no message"),
        ({"kind": "as_of", "as_of": "spring"}, r"questions\[0\].as_of: is no ISO 8601 time"),
    ],
)
def test_says_what_is_wrong_with_a_question(tmp_path: Path, changing: dict[str, Any], change: dict[str, Any], complaint: str) -> None:
    changing["conversations"][0]["questions"][0].update(change)
    path = tmp_path / "changing.json"
    path.write_text(json.dumps(changing))

    with pytest.raises(BenchError, match=complaint):
        read_changes(path)
