"""What models were called for."""

from collections import Counter, defaultdict
from collections.abc import Sequence

from graph.store.neo4j.driver.transaction import Transaction
from graph.store.port import UsageEntry

_COUNTED = ("calls", "items", "prompt_tokens", "completion_tokens", "errors")
# A write whose commit nobody knows of may come again, with others in between: what it added then it does not add once more. It comes again
# within seconds, before so many others have added to the same sum.
_REMEMBERED = 50
_ADD = f"""UNWIND $at.rows AS row MERGE (u:Usage {{namespace: $namespace, step: row.step, model: row.model}})
    WITH u, row, coalesce(u.writes, []) AS writes WHERE NOT $at.write IN writes
    SET u.writes = ([$at.write] + writes)[0..{_REMEMBERED}],
        {", ".join(f"u.{name} = coalesce(u.{name}, 0) + row.{name}" for name in _COUNTED)}"""


async def add_usage(tx: Transaction, usage: Sequence[UsageEntry]) -> None:
    """Adds model calls to the namespace's sums."""
    sums: defaultdict[tuple[str, str], Counter[str]] = defaultdict(Counter)
    for entry in usage:
        sums[entry.step, entry.model].update({name: getattr(entry, name) for name in _COUNTED})
    rows = [{"step": step, "model": model, **{name: counted[name] for name in _COUNTED}} for (step, model), counted in sums.items()]
    if rows:
        await tx.execute(_ADD, {"rows": rows, "write": tx.write})
