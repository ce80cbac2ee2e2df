"""What models were called for."""

from collections.abc import Sequence

from graph.store.embedded.files.transaction import Transaction
from graph.store.port import UsageEntry


def add_usage(tx: Transaction, usage: Sequence[UsageEntry]) -> None:
    """Adds model calls to the namespace's sums."""
    tx.db.executemany(
        """INSERT INTO usage VALUES (?, ?, ?, ?, ?, ?, ?) ON CONFLICT DO UPDATE SET calls = calls + excluded.calls,
               items = items + excluded.items, prompt_tokens = prompt_tokens + excluded.prompt_tokens,
               completion_tokens = completion_tokens + excluded.completion_tokens, errors = errors + excluded.errors""",
        [(u.step, u.model, u.calls, u.items, u.prompt_tokens, u.completion_tokens, u.errors) for u in usage],
    )
