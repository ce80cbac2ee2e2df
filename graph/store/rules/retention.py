"""How long the change log goes back."""

# An index reads the change log from its own revision on; one that lags further behind is built anew. The log takes some 30 bytes a
# revision, and 8 a key.
_KEPT_REVISIONS = 100_000
_FORGET_EVERY = 1_000


def forgets_at(revision: int) -> int:
    """Up to which revision the change log is forgotten once this one is there; 0 for nothing. A reader that needs them sees the gap."""
    return max(revision - _KEPT_REVISIONS, 0) if revision % _FORGET_EVERY == 0 else 0
