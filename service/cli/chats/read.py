"""Reads a chat file of either format."""

import json
from typing import Any

from service.cli.chats.benchmark import NoSuchConversation, read_benchmark
from service.cli.chats.chat import Chat, ChatLine, LineProblem, with_client_ids
from service.cli.chats.entries import with_id
from service.cli.chats.foreign import looks_like
from service.cli.chats.lines import read_lines


def read_chat(content: bytes, default_session: str, conversation: str | None = None) -> Chat:
    """The messages of a chat file, each with a client id, and the places that cannot be stored.

    Args:
        content: the file. One JSON object with "conversations" is a benchmark file; anything else is JSON Lines.
        default_session: the session of lines that name none.
        conversation: which conversation of a benchmark file to take.

    Raises:
        NoSuchConversation: `conversation` does not choose one.
        ValueError: a benchmark file has another form.
    """
    document = _benchmark(content)
    if document is not None:
        chat = read_benchmark(document, conversation)
    elif conversation is not None:
        raise NoSuchConversation("the file is JSON Lines: it has no conversations to choose from")
    else:
        chat = read_lines(content.split(b"\n"), default_session)
    kept, repeated = _distinct(with_client_ids(chat.lines))
    return Chat(kept, chat.problems + repeated, chat.time_zone, "" if kept else looks_like(content))


def _benchmark(content: bytes) -> Any | None:
    """The document of a benchmark file; None for JSON Lines, whose first line is an object of its own."""
    first = content.lstrip(b"\xef\xbb\xbf \t\r\n").partition(b"\n")[0]
    try:
        line = json.loads(first)
    except (ValueError, RecursionError):
        pass
    else:
        return line if isinstance(line, dict) and "conversations" in line else None
    try:
        whole = json.loads(content.decode("utf-8-sig"))
    except (ValueError, RecursionError):
        return None
    return whole if isinstance(whole, dict) and "conversations" in whole else None


def _distinct(lines: tuple[ChatLine, ...]) -> tuple[tuple[ChatLine, ...], tuple[LineProblem, ...]]:
    """The lines without those that reuse another one's id with other content, and are no edit; the service would refuse them all."""
    seen: dict[tuple[str, str], ChatLine] = {}
    kept: list[ChatLine] = []
    problems: list[LineProblem] = []
    for line in lines:
        key = (line.session, line.message.client_id)
        earlier = seen.setdefault(key, line)
        if earlier is line or line.message.edited_at is not None:
            kept.append(line)
        elif earlier.message != line.message:
            place = with_id(line.place, {"id": line.message.client_id})
            problems.append(LineProblem(place, f"id: stands for another message at {earlier.place}"))
    return tuple(kept), tuple(problems)
