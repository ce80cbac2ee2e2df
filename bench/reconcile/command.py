"""The benchmark over a function that decides."""

import argparse

from bench.reconcile.counting import Decided, Score, confusion, decide_all, score
from bench.reconcile.pairs import DEV, HELD_OUT, OUTCOMES, Decide, read_pairs
from bench.report import BenchError, Report

HELP = "precision and recall of what is taken to replace or to repeat an earlier statement, on pairs whose right answer is known"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The flags of this benchmark."""
    parser.add_argument("--held-out", action="store_true", help="judge the half that is held out: figures only")
    parser.add_argument("--misses", action="store_true", help="also print what was decided wrongly; not of the half that is held out")
    parser.add_argument("--json", action="store_true", help="print one JSON object and nothing else")


def measure(arguments: argparse.Namespace, decide: Decide) -> int:
    """Judges one half of the pairs and shows what came of it; returns the exit status.

    Raises:
        BenchError: misses are asked for of the half that is held out.
    """
    if arguments.held_out and arguments.misses:
        raise BenchError("--misses: the half that is held out is not to be read; leave out --held-out or --misses")
    report = Report(arguments.json)
    decided = decide_all(read_pairs(HELD_OUT if arguments.held_out else DEV), decide)
    half = "held out" if arguments.held_out else "dev"
    if arguments.misses:
        _show_misses(decided, report)
    scores: dict[str, dict[str, float | int | None]] = {
        outcome: _figures(score(decided, outcome)) for outcome in OUTCOMES if outcome != "keep"
    }
    by_kind = confusion(decided)
    rows: list[tuple[object, ...]] = [(outcome, *figures.values()) for outcome, figures in scores.items()]
    report.table(f"{half}: {len(decided)} pairs", ("outcome", "expected", "decided", "precision %", "recall %"), rows)
    rows = [(kind, expected, *counts.values()) for kind, parts in by_kind.items() for expected, counts in parts.items()]
    report.table("decided, by kind", ("kind", "expected", *OUTCOMES), rows)
    report.result({"half": half, "pairs": len(decided), **scores, "confusion": by_kind})
    return 0


def _figures(counts: Score) -> dict[str, float | int | None]:
    shares = {"precision": counts.precision, "recall": counts.recall}
    rounded = {name: None if share is None else round(100 * share, 1) for name, share in shares.items()}
    return {"expected": counts.expected, "decided": counts.decided, **rounded}


def _show_misses(decided: list[Decided], report: Report) -> None:
    for one in decided:
        if not one.right:
            pair = one.pair
            report.note(f"{pair.id}: {one.outcome}, should be {pair.expected}\n    {pair.earlier.text}\n    {pair.later.text}")
