"""A user's own questions, and why a memory is not in an answer, on the command line."""

import json
from pathlib import Path
from typing import Any

import pytest

BOTH = "Does Ines live in Porto or in Lisbon?"


@pytest.fixture
def alice(shell: Any, chat: Path) -> dict[str, str]:
    """The chat in a namespace: ids of messages by their first word."""
    entries = [json.loads(line) | {"id": f"m{number}"} for number, line in enumerate(chat.read_text().splitlines(), start=1)]
    chat.write_text("".join(json.dumps(entry) + "\n" for entry in entries))
    assert shell("ingest", chat, "-n", "alice", "--timezone", "Europe/Lisbon").code == 0
    messages = shell("messages", "-n", "alice", "--json").document["messages"]
    return {message["client_id"]: message["id"] for message in messages}


def asked(tmp_path: Path, *lines: object) -> Path:
    file = tmp_path / "questions.jsonl"
    file.write_text("".join((line if isinstance(line, str) else json.dumps(line)) + "\n" for line in lines))
    return file


def test_expected_memories_are_named_by_id_client_id_or_words(shell: Any, alice: dict[str, str], tmp_path: Path) -> None:
    (fact, *_) = shell("facts", "-n", "alice", "--json").document["facts"]
    file = asked(
        tmp_path,
        {"question": "When did Maria move to Lisbon?", "expected": [alice["m1"]]},
        {"question": "When did Maria move to Lisbon?", "expected": ["m1"], "k": 2},
        {"question": "Who plays the cello?", "expected": [{"text": "PLAYS THE CELLO"}]},
        {"question": fact["text"], "expected": [fact["id"]]},
    )
    told = shell("eval", file, "-n", "alice", "--json").document
    assert told["overall"] == {"questions": 4, "recall": 1.0, "all": 1.0, "mrr": told["overall"]["mrr"]}
    assert [question["k"] for question in told["questions"]] == [10, 2, 10, 10]
    assert [question["line"] for question in told["questions"]] == [1, 2, 3, 4]


def test_what_is_missed_is_counted_and_explained(shell: Any, alice: dict[str, str], tmp_path: Path) -> None:
    file = asked(
        tmp_path,
        {"question": BOTH, "expected": ["m3", "m1"], "k": 1},
        {"question": "Who lives in Porto?", "expected": ["m3"], "filter": {"sessions": ["june"]}},
        {"question": "Who lives in Porto?", "expected": ["m99"]},
    )
    told = shell("eval", file, "-n", "alice", "--explain", "--json").document
    assert [question["recall"] for question in told["questions"]] == [0.5, 0.0, 0.0]
    assert [question["all"] for question in told["questions"]] == [False, False, False]
    missed, filtered, unknown = (question["expected"][-1]["miss"] for question in told["questions"])
    assert missed["reason"] == "outscored"
    assert (filtered["reason"], filtered["filtered_by"]) == ("filtered", ["sessions"])
    assert unknown is None
    table = shell("eval", file, "-n", "alice", "--explain").out
    assert "line 1: m1: others scored more" in table
    assert "line 2: m3: the filter keeps it out: sessions" in table
    assert "line 3: m99: no message of the namespace is meant by that" in table
    assert "3 questions: recall 0.167, all 0.000, mrr 0.333" in table


def test_a_recall_below_what_is_wanted_fails_and_says_so(shell: Any, alice: dict[str, str], tmp_path: Path) -> None:
    file = asked(tmp_path, {"question": BOTH, "expected": ["m3", "m1"], "k": 1})
    enough = shell("eval", file, "-n", "alice", "--fail-under", "50")
    assert (enough.code, "below" in enough.err) == (0, False)
    missed = shell("eval", file, "-n", "alice", "--fail-under", "50.5")
    assert missed.code == 1
    assert "recall@k is 50.00 %, below the 50.5 % of --fail-under" in missed.err
    # The figures are there all the same.
    assert "1 question: recall 0.500" in missed.out
    document = shell("eval", file, "-n", "alice", "--fail-under", "100", "--json")
    assert (document.code, json.loads(document.out)["overall"]["recall"]) == (1, 0.5)
    assert shell("eval", file, "-n", "alice", "--fail-under", "101").code == 2


def test_finding_nothing_fails_and_names_what_is_not_there(shell: Any, alice: dict[str, str], tmp_path: Path) -> None:
    gone = "msg_01m83qx1c2ekaa7r088k6cq8m9"
    file = asked(tmp_path, {"question": "Who lives in Porto?", "expected": ["m99", gone, {"text": "harpsichord"}]})
    nothing = shell("eval", file, "-n", "alice")
    assert nothing.code == 1
    assert "nothing that is expected was found" in nothing.err
    assert f"alice has nothing that is meant by m99, {gone}, “harpsichord”" in nothing.err
    assert "1 question: recall 0.000" in nothing.out
    assert shell("eval", file, "-n", "alice", "--fail-under", "0").code == 0
    found = shell("eval", asked(tmp_path, {"question": "Who lives in Porto?", "expected": ["m3"]}), "-n", "alice")
    assert (found.code, found.err) == (0, "")


def test_a_question_is_a_turn_of_its_session_and_sees_what_was_said_before(shell: Any, alice: dict[str, str], tmp_path: Path) -> None:
    message = next(m for m in shell("messages", "-n", "alice", "--json").document["messages"] if m["client_id"] == "m3")
    question = {"question": "Who lives in Porto?", "expected": ["m3"]}
    file = asked(
        tmp_path,
        question | {"session": "another", "turns": ["We spoke of my family."]},
        question | {"session": message["session"]},
        question | {"asked_at": "2099-01-01T00:00:00Z"},
        question | {"asked_at": message["sent_at"]},
    )
    told = shell("eval", file, "-n", "alice", "--explain", "--json").document
    assert [one["recall"] for one in told["questions"]] == [1.0, 0.0, 1.0, 0.0]
    _, same, _, before = (one["expected"][0]["miss"] for one in told["questions"])
    assert (same["filtered_by"], before["filtered_by"]) == (["not_sessions"], ["said"])


@pytest.mark.parametrize(
    ("line", "reason"),
    [
        ("{", "line 1: is not JSON"),
        ("[]", "line 1: entry: must be a JSON object"),
        ("1" * 4_301, "line 1: has a number of more than 4,300 digits"),
        ({"expected": ["m1"]}, "line 1: question: is required"),
        ({"question": " ", "expected": ["m1"]}, "line 1: question: "),
        ({"question": "q"}, "line 1: expected: is required"),
        ({"question": "q", "expected": []}, "line 1: expected: must not be empty"),
        ({"question": "q", "expected": [True]}, "line 1: expected[0]: must be an id"),
        ({"question": "q", "expected": [{"words": "x"}]}, "line 1: expected[0].text: is required"),
        ({"question": "q", "expected": ["m1"], "k": 0}, "line 1: k: must be at least 1"),
        ({"question": "q", "expected": ["m1"], "k": "3"}, "line 1: k: must be a whole number"),
        ({"question": "q", "expected": ["m1"], "asked_at": "soon"}, "line 1: asked_at: is not a time"),
        ({"question": "q", "expected": ["m1"], "asked_at": "9998-12-31T23:00:00-05:00"}, "line 1: asked_at: must be between the years"),
        ({"question": "q", "expected": ["m1"], "asked_at": "2024-03-05"}, "line 1: asked_at: needs an offset"),
        ({"question": "q", "expected": ["m1"], "turns": ["x"]}, "line 1: turns: are those of a running session"),
        ({"question": "q", "expected": ["m1"], "session": ["s"]}, "line 1: session: "),
        ({"question": "q", "expected": ["m1"], "session": "s", "turns": [" "]}, "line 1: turns[0]: must not be blank"),
        ({"question": "q", "expected": ["m1"], "filter": {"kinds": ["event"]}}, "line 1: filter.kinds: "),
        ({"question": "q", "expected": ["m1"], "filter": {"from": "soon"}}, "line 1: filter.from: "),
        ({"question": "q", "expected": ["m1"], "answer": "x"}, "line 1: answer: "),
    ],
)
def test_a_bad_line_gets_its_number_its_field_and_the_reason(
    shell: Any, alice: dict[str, str], tmp_path: Path, line: object, reason: str
) -> None:
    file = asked(tmp_path, line, {"question": "Who lives in Porto?", "expected": ["m3"]})
    refused = shell("eval", file, "-n", "alice")
    assert (refused.code, refused.out) == (1, "")
    assert reason in refused.err
    assert shell("eval", file, "-n", "alice", "--skip-broken", "--json").document["overall"]["questions"] == 1


def test_why_a_memory_is_not_in_an_answer(shell: Any, alice: dict[str, str]) -> None:
    there = shell("explain-miss", alice["m1"], "When did Maria move to Lisbon?", "-n", "alice")
    assert there.out.startswith("It is in the answer, at rank ")
    outscored = shell("explain-miss", alice["m1"], BOTH, "-n", "alice", "-k", "1")
    assert outscored.out.startswith("Others scored more: it would be at rank ")
    assert "My sister Ines lives in Porto." in outscored.out
    assert "ahead by: +" in outscored.out
    assert "in lexical: " in outscored.out
    filtered = shell("explain-miss", alice["m5"], "Sintra", "-n", "alice", "--speaker", "Maria", "--json").document
    assert (filtered["reason"], filtered["filtered_by"]) == ("filtered", ["speakers"])
    assert filtered["hit"]["memory"]["id"] == alice["m5"]
    unknown = shell("explain-miss", "msg_01m83qx1c2ekaa7r088k6cq8m9", "Sintra", "-n", "alice")
    assert unknown.out == "There is no memory msg_01m83qx1c2ekaa7r088k6cq8m9: it never was, or it was deleted.\n"


def test_a_memory_that_shares_nothing_with_the_query_has_no_rank(shell: Any, alice: dict[str, str]) -> None:
    told = shell("explain-miss", alice["m5"], "xylophone", "-n", "alice", "--recipe", "lexical").out
    assert "in lexical: 0.000, no rank" in told
    assert "  –. " in told


@pytest.mark.parametrize(
    ("given", "named"),
    [("m5", '"m5"'), ("msg_" + "x" * 90, f'"msg_{"x" * 36}…"'), ("bell\a", '"bell�"')],
)
def test_an_id_that_is_none_is_named_with_the_reason(shell: Any, alice: dict[str, str], given: str, named: str) -> None:
    refused = shell("explain-miss", given, "Sintra", "-n", "alice")
    assert (refused.code, refused.out) == (1, "")
    assert (
        f"id: {named} is not the id of a node: one is ses_, msg_, evt_, fct_, rel_, ent_ or sum_ and 26 letters and digits" in refused.err
    )


def test_nothing_relevant_is_said(shell: Any, alice: dict[str, str]) -> None:
    found = shell("search", "Who lives in Porto?", "-n", "alice", "--min-relevance", "1")
    assert found.out.startswith("Nothing relevant was found: the most relevant memory reaches 0.")
    told = shell("search", "Who lives in Porto?", "-n", "alice", "--min-relevance", "1", "--json").document
    assert told["nothing_relevant"]
    assert told["hits"] == []
    assert 0 < told["best_relevance"] < 1
    assert "Nothing relevant" in shell("context", "Who lives in Porto?", "-n", "alice", "--min-relevance", "1").out
    assert shell("search", "Porto", "-n", "alice", "--min-relevance", "2").code == 2
