"""Of whose messages something is extracted; all are stored, searched and read to understand the others."""

from collections.abc import Iterable
from enum import StrEnum

from graph.model import Message, Role


class MessagesUse(StrEnum):
    """Whose messages: the user's, the assistant's, or those of everybody."""

    USER = "user"
    ASSISTANT = "assistant"
    BOTH = "both"


_ROLES = {MessagesUse.USER: frozenset({Role.USER}), MessagesUse.ASSISTANT: frozenset({Role.ASSISTANT}), MessagesUse.BOTH: frozenset(Role)}


def set_aside(messages: Iterable[Message], use: MessagesUse) -> frozenset[str]:
    """Ids of the messages of which nothing is to be extracted."""
    return frozenset(message.id for message in messages if message.role not in _ROLES[use])
