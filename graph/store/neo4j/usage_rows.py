"""What models were called for."""

from collections.abc import Sequence

from graph.store.commands import UsageEntry
from graph.store.neo4j.transaction import Transaction

_ADD = """UNWIND $at.rows AS row MERGE (u:Usage {namespace: $namespace, step: row.step, model: row.model})
    SET u.calls = coalesce(u.calls, 0) + row.calls, u.items = coalesce(u.items, 0) + row.items,
        u.prompt_tokens = coalesce(u.prompt_tokens, 0) + row.prompt_tokens,
        u.completion_tokens = coalesce(u.completion_tokens, 0) + row.completion_tokens, u.errors = coalesce(u.errors, 0) + row.errors"""


async def add_usage(tx: Transaction, usage: Sequence[UsageEntry]) -> None:
    """Adds model calls to the namespace's sums."""
    rows = [
        {
            "step": entry.step,
            "model": entry.model,
            "calls": entry.calls,
            "items": entry.items,
            "prompt_tokens": entry.prompt_tokens,
            "completion_tokens": entry.completion_tokens,
            "errors": entry.errors,
        }
        for entry in usage
    ]
    if rows:
        await tx.execute(_ADD, {"rows": rows})
