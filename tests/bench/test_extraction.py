"""The local rules on the set of utterances: no type may fall below its floor, on what rules were written for and on what was held out."""

import json
from pathlib import Path

import pytest

from bench.__main__ import main
from bench.extraction import CHATS, TYPES, judge, read_chats
from bench.extraction.judge import Score
from bench.report import BenchError

# Least precision and recall in percent: (on lines that rules were written for, on lines held out). Few lines of a type make coarse floors.
FLOORS = {
    "statement": ((97, 98), (95, 90)),
    "speaker": ((99, 99), (97, 97)),
    "pronoun": ((95, 95), (90, 55)),
    "time": ((97, 97), (90, 85)),
    "entity": ((95, 93), (80, 90)),
    "kind": ((97, 90), (95, 80)),
    "relation": ((95, 97), (80, 85)),
    "plan": ((90, 90), (75, 60)),
    "preference": ((95, 95), (95, 95)),
    "habit": ((95, 80), (75, 75)),
    "change": ((90, 95), (80, 65)),
    "cause": ((95, 95), (65, 65)),
    "non-fact": ((95, 95), (80, 95)),
}


@pytest.fixture(scope="module")
def scores() -> tuple[dict[str, Score], dict[str, Score]]:
    chats = read_chats(CHATS)
    assert len(chats) >= 200
    return judge(one for one in chats if not one.held), judge(one for one in chats if one.held)


@pytest.mark.parametrize("kind", TYPES)
def test_no_type_falls_below_its_floor(scores: tuple[dict[str, Score], dict[str, Score]], kind: str) -> None:
    for found, (precision, recall) in zip(scores, FLOORS[kind], strict=True):
        assert 100 * found[kind].precision >= precision
        assert 100 * found[kind].recall >= recall


def test_the_command_prints_one_object_with_every_type(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["extraction", "--json"]) == 0
    figures = json.loads(capsys.readouterr().out)
    assert set(figures) == {"utterances", "tuned", "held_out", "messages_per_s"}
    assert set(figures["tuned"]) == set(figures["held_out"]) == set(TYPES)
    assert set(figures["tuned"]["statement"]) == {"expected", "precision", "recall"}


def test_a_set_that_cannot_be_read_is_told(tmp_path: Path) -> None:
    path = tmp_path / "set.jsonl"
    path.write_text('{"talk": 1}\n')
    with pytest.raises(BenchError, match="cannot be read"):
        read_chats(path)
