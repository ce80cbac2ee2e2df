"""What models were called for."""

from collections import Counter, defaultdict
from collections.abc import Sequence

from graph.store.commands import UsageEntry
from graph.store.neo4j.transaction import Transaction

_COUNTED = ("calls", "items", "prompt_tokens", "completion_tokens", "errors")
# A write whose commit nobody knows of may come again, with others in between: what it added then it does not add once more.
_ADD = """UNWIND $at.rows AS row MERGE (u:Usage {namespace: $namespace, step: row.step, model: row.model})
    WITH u, row WHERE coalesce(u.last_write, '') <> $at.write
    SET u.last_write = $at.write, u.calls = coalesce(u.calls, 0) + row.calls, u.items = coalesce(u.items, 0) + row.items,
        u.prompt_tokens = coalesce(u.prompt_tokens, 0) + row.prompt_tokens,
        u.completion_tokens = coalesce(u.completion_tokens, 0) + row.completion_tokens, u.errors = coalesce(u.errors, 0) + row.errors"""


async def add_usage(tx: Transaction, usage: Sequence[UsageEntry]) -> None:
    """Adds model calls to the namespace's sums."""
    sums: defaultdict[tuple[str, str], Counter[str]] = defaultdict(Counter)
    for entry in usage:
        sums[entry.step, entry.model].update({name: getattr(entry, name) for name in _COUNTED})
    rows = [{"step": step, "model": model, **{name: counted[name] for name in _COUNTED}} for (step, model), counted in sums.items()]
    if rows:
        await tx.execute(_ADD, {"rows": rows, "write": tx.write})
