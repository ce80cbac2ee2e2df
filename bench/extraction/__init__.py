"""`bench extraction`: what the local rules find in chats whose right answers are written down, by type, and how quick they are.

The set (tests/extract/local/chats.jsonl) was written before the rules saw it; every third line is held out: nothing is tuned on it.
"""

import argparse
from pathlib import Path

from bench.dataset import read_dataset
from bench.extraction.chats import read_chats
from bench.extraction.judge import TYPES, Score, judge, misses
from bench.extraction.speed import messages_of, messages_per_second
from bench.report import Report

HELP = "Measures precision and recall of the local extractor by type on a set of utterances, and its messages per second."
CHATS = Path(__file__).parents[2] / "tests" / "extract" / "local" / "chats.jsonl"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The options of this subcommand."""
    parser.add_argument("--set", type=Path, default=CHATS, help="the utterances with what should come out (default: the project's own)")
    parser.add_argument("--data", type=Path, help="conversations in the benchmark format to measure the speed on (default: the utterances)")
    parser.add_argument("--misses", action="store_true", help="also print what is missed or too much; of lines that are held out nothing")
    parser.add_argument("--json", action="store_true", help="print one JSON object and nothing else")


def run(parsed: argparse.Namespace) -> int:
    """Judges the set and measures the speed."""
    report = Report(parsed.json)
    chats = read_chats(parsed.set)
    tuned, held = [chat for chat in chats if not chat.held], [chat for chat in chats if chat.held]
    scores = {"tuned": judge(tuned), "held_out": judge(held)}
    if parsed.misses:
        for chat in tuned:
            for miss in misses(chat):
                report.note(f"{chat.turns[-1][1][:70]}\n    {miss}")
    for name, lines in (("tuned", len(tuned)), ("held_out", len(held))):
        found = scores[name]
        report.table(
            f"{name}: {lines} utterances", ("type", "expected", "precision", "recall"), [_row(kind, found[kind]) for kind in TYPES]
        )
    timed = messages_of(read_dataset(parsed.data).conversations) if parsed.data else [list(chat.messages()) for chat in chats]
    speed = round(messages_per_second(timed))
    report.note(f"{speed:,} messages a second of one core")
    figures = {name: {kind: _figures(found[kind]) for kind in TYPES} for name, found in scores.items()}
    report.result({"utterances": len(chats), **figures, "messages_per_s": speed})
    return 0


def _row(kind: str, score: Score) -> tuple[object, ...]:
    return kind, score.expected, *(f"{100 * value:.1f}" for value in (score.precision, score.recall))


def _figures(score: Score) -> dict[str, object]:
    return {"expected": score.expected, "precision": round(100 * score.precision, 1), "recall": round(100 * score.recall, 1)}
