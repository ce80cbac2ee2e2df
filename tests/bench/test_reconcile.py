import argparse
import json
from collections import Counter
from pathlib import Path

import pytest

from bench.reconcile.command import add_arguments, measure
from bench.reconcile.counting import Decided, confusion, decide_all, score
from bench.reconcile.pairs import DEV, HELD_OUT, Outcome, Pair, Said, read_pairs
from bench.report import BenchError


def always_keep(earlier: Said, later: Said) -> Outcome:
    return "keep"


def by_words(earlier: Said, later: Said) -> Outcome:
    return "supersede" if "moved" in later.text else "merge" if earlier.text == later.text else "keep"


def said(text: str, day: int) -> dict[str, str]:
    return {"speaker": "Ana", "role": "user", "said_at": f"2024-05-{day:02d}T09:00:00Z", "text": text}


@pytest.fixture
def pairs(tmp_path: Path) -> list[Pair]:
    texts: list[tuple[str, str, str, Outcome]] = [
        ("change", "I live in Braga.", "I moved to Faro.", "supersede"),
        ("change", "I have a boat.", "The boat is sold.", "supersede"),
        ("same", "I like figs.", "I like figs.", "merge"),
        ("quoted", "I live in Braga.", "Rui says I moved.", "keep"),
    ]
    lines = [
        {"id": f"p{i}", "kind": kind, "earlier": said(one, 1), "later": said(other, 2), "expected": expected}
        for i, (kind, one, other, expected) in enumerate(texts)
    ]
    path = tmp_path / "pairs.jsonl"
    path.write_text("".join(json.dumps(line) + "\n" for line in lines))
    return read_pairs(path)


def test_precision_and_recall_of_each_outcome(pairs: list[Pair]) -> None:
    decided = decide_all(pairs, by_words)

    replaced, merged = score(decided, "supersede"), score(decided, "merge")
    assert (replaced.expected, replaced.decided, replaced.right) == (2, 2, 1)
    assert (replaced.precision, replaced.recall) == (0.5, 0.5)
    assert (merged.precision, merged.recall) == (1, 1)


def test_where_nothing_is_decided_there_is_no_precision(pairs: list[Pair]) -> None:
    found = score(decide_all(pairs, always_keep), "supersede")

    assert found.precision is None
    assert found.recall == 0
    assert score([], "merge").recall is None


def test_confusion_by_kind_and_what_was_expected(pairs: list[Pair]) -> None:
    assert confusion(decide_all(pairs, by_words)) == {
        "change": {"supersede": {"supersede": 1, "merge": 0, "keep": 1}},
        "quoted": {"keep": {"supersede": 1, "merge": 0, "keep": 0}},
        "same": {"merge": {"supersede": 0, "merge": 1, "keep": 0}},
    }
    assert [one.pair.id for one in decide_all(pairs, by_words) if not one.right] == ["p1", "p3"]
    assert Decided(pairs[0], "supersede").right


def test_the_halves_share_no_pair_and_hold_all_kinds() -> None:
    dev, held_out = read_pairs(DEV), read_pairs(HELD_OUT)
    kinds = Counter(pair.kind for pair in dev)

    assert len(dev) + len(held_out) >= 320
    assert set(kinds) == {pair.kind for pair in held_out}
    assert all(abs(count - sum(pair.kind == kind for pair in held_out)) <= 1 for kind, count in kinds.items())
    for part in ("id", "earlier", "later"):
        texts = [getattr(pair, part) for pair in (*dev, *held_out)]
        assert len({text if part == "id" else text.text.lower() for text in texts}) == len(texts)
    assert all(pair.earlier.said_at < pair.later.said_at for pair in (*dev, *held_out))


@pytest.mark.parametrize("held_out", [False, True])
def test_the_command_prints_one_object(held_out: bool, capsys: pytest.CaptureFixture[str]) -> None:
    assert measure(parsed("--json", *(["--held-out"] if held_out else [])), always_keep) == 0
    figures = json.loads(capsys.readouterr().out)

    assert set(figures) == {"half", "pairs", "supersede", "merge", "confusion"}
    assert figures["half"] == ("held out" if held_out else "dev")
    assert figures["supersede"]["decided"] == 0
    assert figures["supersede"]["precision"] is None
    assert sum(sum(counts.values()) for parts in figures["confusion"].values() for counts in parts.values()) == figures["pairs"]


def test_misses_are_shown_of_the_dev_half_alone(capsys: pytest.CaptureFixture[str]) -> None:
    assert measure(parsed("--misses"), always_keep) == 0
    assert "should be supersede" in capsys.readouterr().out
    with pytest.raises(BenchError, match="held out is not to be read"):
        measure(parsed("--misses", "--held-out"), always_keep)


@pytest.mark.parametrize(
    ("line", "complaint"),
    [
        ("{", "pairs.jsonl:1: is not JSON"),
        ('{"id": "p", "kind": "k", "expected": "drop"}', "pairs.jsonl:1.expected: must be one of"),
        ('{"id": "p", "kind": "k", "expected": "keep", "earlier": {"speaker": "A", "said_at": "2024-05-01"}}', "said_at: has no zone"),
    ],
)
def test_says_what_is_wrong_with_a_line(tmp_path: Path, line: str, complaint: str) -> None:
    path = tmp_path / "pairs.jsonl"
    path.write_text(line + "\n")

    with pytest.raises(BenchError, match=complaint):
        read_pairs(path)


def parsed(*arguments: str) -> argparse.Namespace:
    parser = argparse.ArgumentParser()
    add_arguments(parser)
    return parser.parse_args(arguments)
