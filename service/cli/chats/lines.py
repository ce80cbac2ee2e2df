"""JSON Lines: one message a line, `{"session", "speaker", "text", "sent_at", "role", "id", "labels", "image_caption", "edited_at"}`."""

from collections.abc import Iterable
from typing import Any

from pydantic import ValidationError

from service.cli.chats.chat import Chat, ChatLine, LineProblem
from service.cli.chats.entries import GivenName, MessageEntry, with_id
from service.cli.chats.json_lines import Unreadable, line_value
from service.cli.chats.reasons import reason_of


class _Line(MessageEntry):
    session: GivenName


def read_lines(lines: Iterable[bytes], default_session: str) -> Chat:
    """Reads JSON Lines. Lines without a session belong to `default_session`; blank lines count but hold nothing."""
    found: list[ChatLine] = []
    problems: list[LineProblem] = []
    for number, raw in enumerate(lines, start=1):
        if not raw.strip():
            continue
        place = f"line {number}"
        try:
            value = line_value(raw, number)
            entry = _Line.model_validate(_with_session(value, default_session))
        except Unreadable as error:
            problems.append(LineProblem(place, str(error)))
        except ValidationError as error:
            problems.append(LineProblem(with_id(place, value), reason_of(error)))
        else:
            found.append(ChatLine(place, entry.session, entry.message()))
    return Chat(tuple(found), tuple(problems))


def _with_session(value: Any, default: str) -> Any:
    names_none = isinstance(value, dict) and value.get("session", "") == ""
    return {**value, "session": default} if names_none else value
