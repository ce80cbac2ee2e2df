"""Chat files: JSON Lines of messages and the neutral benchmark format, read into messages with stable client ids."""

from service.cli.chats.chat import Chat, ChatLine, LineProblem
from service.cli.chats.read import read_chat

__all__ = ["Chat", "ChatLine", "LineProblem", "read_chat"]
