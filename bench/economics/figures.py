"""The figures of conversations: sums, their mean, and the tables for people."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from bench.economics.model import Taken
from bench.report import Report

_COLUMNS = ("calls", "prompt_tokens", "completion_tokens", "total_tokens")


def sums(taken: Iterable[Taken]) -> dict[str, int]:
    """What all of it took."""
    each = list(taken)
    calls, prompt = sum(one.calls for one in each), sum(one.prompt_tokens for one in each)
    completion = sum(one.completion_tokens for one in each)
    return {"calls": calls, "prompt_tokens": prompt, "completion_tokens": completion, "total_tokens": prompt + completion}


def prompt_ratio(figures: Mapping[str, Any]) -> float:
    """The prompt tokens of an extraction, over those of the extraction that was not compressed."""
    compressed, plain = figures["steps"].get("extraction", {}).get("prompt_tokens", 0), figures["uncompressed"]["prompt_tokens"]
    return float(round(compressed / max(1, plain), 3))


def mean_of(found: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    """The mean of conversations' figures, of the same form."""
    mean: dict[str, Any] = _means(found, ("messages", *_COLUMNS, "messages_covered"))
    mean["steps"] = {}
    for step in sorted({step for one in found for step in one["steps"]}):
        told = [one["steps"].get(step, {}) for one in found]
        mean["steps"][step] = _means(told, dict.fromkeys(name for one in told for name in one))
    if found and "uncompressed" in found[0]:
        mean["uncompressed"] = _means([one["uncompressed"] for one in found], found[0]["uncompressed"])
        mean["prompt_ratio"] = prompt_ratio(mean)
    return mean


def _means(figures: Sequence[Mapping[str, float]], names: Iterable[str]) -> dict[str, float]:
    return {name: round(sum(one.get(name, 0) for one in figures) / max(1, len(figures)), 1) for name in names}


def show(name: str, figures: Mapping[str, Any], report: Report) -> None:
    """Prints the figures of each conversation and of each step, and both ways of extraction where prompts were compressed."""
    mean = figures["mean"]
    rows = [*figures["conversations"], {"id": "mean", **mean}]
    told = [(one["id"], *(one[column] for column in _COLUMNS), one["messages_covered"], one["messages"]) for one in rows]
    report.table(name, ("conversation", "calls", "prompt", "completion", "total", "covered", "messages"), told)
    steps = [(step, *(taken.get(column, "") for column in (*_COLUMNS, "cpu_ms"))) for step, taken in mean["steps"].items()]
    report.table("mean by step", ("step", "calls", "prompt", "completion", "total", "CPU ms"), steps)
    if "uncompressed" in mean:
        pairs = [(one["id"], one["steps"].get("extraction", sums([])), one["uncompressed"], one["prompt_ratio"]) for one in rows]
        report.table(
            "prompts of extraction",
            ("conversation", "calls", "compressed", "calls", "uncompressed", "ratio"),
            [(id_, one["calls"], one["prompt_tokens"], two["calls"], two["prompt_tokens"], ratio) for id_, one, two, ratio in pairs],
        )
