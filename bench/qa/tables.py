"""The figures of a run as tables for people."""

from typing import Any

from bench.report import Report

_HELD = {"mean_memories": "memories", "mean_summaries": "summaries", "mean_context_tokens": "tokens"}
_WRONG = {"unanswered": "unanswered", "unjudged": "unjudged", "malformed_verdicts": "malformed verdicts", "cut_off": "cut off"}


def show(figures: dict[str, Any], report: Report) -> None:
    """Tables that a terminal of 80 columns has room for: a row for each system within each category."""
    systems: dict[str, Any] = figures["systems"]
    categories = list(next(iter(systems.values()))["by_category"])
    rows = [
        (f"{category}, {name}", *_scores_shown(found["by_category"][category]))
        for category in categories
        for name, found in systems.items()
    ]
    rows += [(f"all, {name}", *_scores_shown(found["overall"])) for name, found in systems.items()]
    report.table(f"{figures['dataset']}: answers judged right", ("category, system", "questions", "right %", "F1 %"), rows)
    if any("abstention" in found for found in systems.values()):
        sums = [(name, found["task_averaged_accuracy"], found["abstention"]["accuracy"]) for name, found in systems.items()]
        report.table("as LongMemEval sums it up, in percent", ("system", "mean of categories", "abstention"), sums)
    report.table(
        "what a context holds on average", ("system", *_HELD.values()), [_row(name, found, _HELD) for name, found in systems.items()]
    )
    report.table("what went wrong", ("system", *_WRONG.values()), [_row(name, found, _WRONG) for name, found in systems.items()])
    stages = [
        (f"{name}, {stage}", *(found.get(part, "") for part in ("seconds", "calls", "prompt_tokens", "completion_tokens")))
        for name, figures_ in systems.items()
        for stage, found in figures_["stages"].items()
        if found
    ]
    report.table("what it took", ("system, stage", "seconds", "calls", "prompt tokens", "completion tokens"), stages)


def _scores_shown(scores: dict[str, Any]) -> tuple[object, ...]:
    return tuple("" if scores.get(part) is None else scores[part] for part in ("questions", "accuracy", "f1"))


def _row(name: str, found: dict[str, Any], columns: dict[str, str]) -> tuple[object, ...]:
    return name, *("" if found[part] is None else found[part] for part in columns)
