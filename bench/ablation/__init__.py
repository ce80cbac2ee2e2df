"""`bench ablation`: what each part of the default recipe is worth, and what its weights give on conversations that did not choose them."""

import argparse
import asyncio
from collections.abc import Sequence
from pathlib import Path

from bench.ablation.choosing import chosen_elsewhere, perturbed
from bench.ablation.intervals import difference, mean_of
from bench.ablation.parts import VARIANTS
from bench.ablation.searches import Judgements, SearchedQuestion, judged_by, searched
from bench.dataset import read_dataset
from bench.report import Report
from graph.retrieval import DEFAULT_RECIPE, RECIPES

HELP = "leave out each part of the default recipe in turn; choose its weights on other conversations"
MEASURES = ("recall@10", "recall@20", "recall@60", "all@10")


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The flags of this benchmark."""
    parser.add_argument(
        "--data", type=Path, action="append", required=True, metavar="FILE", help="as for bench retrieval; may be given again"
    )
    parser.add_argument(
        "--pool", type=int, default=0, metavar="N", help="choose among N perturbed recipes by cross-validation (default: 0)"
    )
    parser.add_argument("--json", action="store_true", help="print one JSON object and nothing else")


def run(arguments: argparse.Namespace) -> int:
    """Runs the benchmark."""
    report = Report(arguments.json)
    asked = asyncio.run(searched([read_dataset(path) for path in arguments.data], report))
    figures = _measure(asked, arguments.pool, report)
    _show(figures, report)
    report.result(figures)
    return 0


def _measure(asked: Sequence[SearchedQuestion], pool: int, report: Report) -> dict[str, object]:
    default = RECIPES[DEFAULT_RECIPE]
    with report.step("leaving out parts", len(VARIANTS) + 1) as step:
        whole = judged_by(asked, default)
        step.advance()
        left_out: dict[str, Judgements] = {}
        for name, change in VARIANTS.items():
            left_out[name] = judged_by(asked, change(default))
            step.advance()
    names = list(dict.fromkeys(one.dataset for one in asked))
    groups = {name: [place for place, one in enumerate(asked) if one.dataset == name] for name in names}
    for name in names:
        for category in sorted({one.question.category for one in asked if one.dataset == name}):
            groups[f"{name}: {category}"] = [place for place in groups[name] if asked[place].question.category == category]
    figures: dict[str, object] = {
        "questions": {group: len(places) for group, places in groups.items()},
        "default": {group: {measure: mean_of(whole, measure, places) for measure in MEASURES} for group, places in groups.items()},
        "parts": {
            name: {group: difference(judged, whole, "recall@10", places) for group, places in groups.items()}
            for name, judged in left_out.items()
        },
    }
    if pool:
        recipes = perturbed(default, pool)
        with report.step("trying recipes", pool) as step:
            tried: list[Judgements] = []
            for recipe in recipes:
                tried.append(judged_by(asked, recipe))
                step.advance()
        held_out = chosen_elsewhere(asked, [whole, *tried])
        figures["cross_validated"] = {
            group: {measure: mean_of(held_out, measure, places) for measure in MEASURES} for group, places in groups.items()
        }
    return figures


def _show(figures: dict[str, object], report: Report) -> None:
    for part in ("default", "cross_validated"):
        rows = figures.get(part)
        if isinstance(rows, dict):
            report.table(
                part, ("", *MEASURES), [(group, *(f"{mean} ± {half}" for mean, half in row.values())) for group, row in rows.items()]
            )
    parts = figures["parts"]
    assert isinstance(parts, dict)
    groups = [group for group in next(iter(parts.values())) if ":" not in group]
    rows_ = [(name, *(_interval(*row[group]) for group in groups)) for name, row in parts.items()]
    report.table("recall@10 won or lost, with the 95 % interval", ("", *groups), rows_)


def _interval(mean: float, low: float, high: float) -> str:
    return f"{mean:+.1f} [{low:+.1f}, {high:+.1f}]"
