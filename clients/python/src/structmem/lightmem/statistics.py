"""The counts of `get_token_statistics`, in LightMem's form."""

from collections.abc import Iterable
from typing import Any

from structmem._answers import UsageEntry

# Extraction by rules, or from a file, calls no model.
_NO_MODELS = {"local", "recorded"}
_STEPS = {"add_memory": ("extract", "repair"), "update": (), "summarize": ("consolidate",)}


def token_statistics(usage: Iterable[UsageEntry]) -> dict[str, Any]:
    """Calls and tokens of a namespace's models since it was created, by what LightMem calls the steps."""
    entries = [entry for entry in usage if entry.model not in _NO_MODELS]
    llm = {name: _sum(entry for entry in entries if entry.step in steps) for name, steps in _STEPS.items()}
    embedding = _sum(entry for entry in entries if entry.step.startswith("embed"))
    return {
        "summary": {
            "total_llm_calls": sum(step["calls"] for step in llm.values()),
            "total_llm_tokens": sum(step["total_tokens"] for step in llm.values()),
            "total_embedding_calls": embedding["calls"],
            "total_embedding_tokens": embedding["total_tokens"],
        },
        "llm": llm,
        "embedding": {"total_calls": embedding["calls"], "total_tokens": embedding["total_tokens"]},
    }


def _sum(entries: Iterable[UsageEntry]) -> dict[str, int]:
    calls = prompt = completion = 0
    for entry in entries:
        calls, prompt, completion = calls + entry.calls, prompt + entry.prompt_tokens, completion + entry.completion_tokens
    return {"calls": calls, "prompt_tokens": prompt, "completion_tokens": completion, "total_tokens": prompt + completion}
