"""What it took to have conversations remembered and summarized, out of a run's files."""

from collections import Counter
from collections.abc import Iterable, Mapping
from typing import Any

from bench.qa.asking import Asked
from bench.qa.contexts.service import SERVICE_SYSTEMS
from bench.qa.remembering import mode_name
from bench.qa.results import Results

Line = Mapping[str, Any]
# By step and what is counted.
Steps = Counter[tuple[str, str]]
_COUNTS = ("calls", "prompt_tokens", "completion_tokens", "errors")
_CONSOLIDATING = "consolidate"
# Embedding and leaving words out count tokens that no language model reads.
_NO_LLM = ("embed", "compress")


def remembering_figures(results: Results, system: str, asked: Asked) -> dict[str, Any]:
    """The stages "ingest" and, of a system with summaries, "consolidate". A memory that several systems ask is counted for each."""
    if system not in SERVICE_SYSTEMS:
        return {}
    mode = mode_name(SERVICE_SYSTEMS[system].mode)
    conversations = [conversation.id for conversation, _ in asked]
    ingests = {id_: line for id_ in conversations if (line := results.ingests.get(mode, id_)) is not None}
    # A service may write summaries while a long conversation is still being taken in.
    extracting = {key: count for key, count in _steps(ingests.values()).items() if key[0] != _CONSOLIDATING}
    stages = {"ingest": _stage(ingests.values(), Counter(extracting))}
    if SERVICE_SYSTEMS[system].summarized:
        summed = {id_: line for id_ in conversations if (line := results.consolidations.get(mode, id_)) is not None}
        steps = _steps(summed.values())
        # A line tells of all that was taken by then.
        before = _steps(line for id_, line in ingests.items() if id_ in summed)
        steps.subtract({key: count for key, count in before.items() if key[0] != _CONSOLIDATING})
        stages["consolidate"] = _stage(summed.values(), steps)
    return stages


def _steps(lines: Iterable[Line]) -> Steps:
    steps: Steps = Counter()
    for entry in (entry for line in lines for entry in line["usage"]):
        steps.update({(entry["step"], name): int(entry[name]) for name in _COUNTS})
    return steps


def _stage(lines: Iterable[Line], steps: Steps) -> dict[str, Any]:
    told = list(lines)
    by_step = {step: {name: steps[step, name] for name in _COUNTS} for step in sorted({step for step, _ in steps})}
    asked_llm = [counts for step, counts in by_step.items() if step not in _NO_LLM and counts["prompt_tokens"]]
    return {
        "conversations": len(told),
        "messages": sum(int(line["messages"]) for line in told),
        "seconds": round(sum(float(line["seconds"]) for line in told), 3),
        "went_on": sum(bool(line["went_on"]) for line in told),
        **{name: sum(counts[name] for counts in asked_llm) for name in _COUNTS},
        "steps": {step: counts for step, counts in by_step.items() if any(counts.values())},
    }
