"""Names as they are compared, and names that stand for a role and not for somebody."""

import unicodedata
from functools import lru_cache

# Roles in chats, and words by which people address themselves. An entity or speaker of such a name would join everything with everything.
_ROLE_NAMES = frozenset(
    {
        "user",
        "assistant",
        "system",
        "tool",
        "human",
        "ai",
        "bot",
        "agent",
        "model",
        "customer",
        "me",
        "you",
        "i",
        "the user",
        "the assistant",
    }
)


@lru_cache(maxsize=8_192)
def folded(name: str) -> str:
    """A name as it is compared: without differences of case, width and spacing."""
    return " ".join(unicodedata.normalize("NFKC", name).casefold().split())


def is_role_name(name: str) -> bool:
    """Whether a name names a role in a chat rather than somebody."""
    return folded(name) in _ROLE_NAMES
