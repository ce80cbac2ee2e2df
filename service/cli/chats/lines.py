"""JSON Lines: one message a line, `{"session", "speaker", "text", "sent_at", "role", "id", "labels", "image_caption"}`."""

import json
from collections.abc import Iterable

from pydantic import Field, ValidationError

from service.cli.chats.chat import Chat, ChatLine, LineProblem
from service.cli.chats.entries import MessageEntry, Name, reason_of, with_id


class _Line(MessageEntry):
    session: Name = Field("", max_length=200)


def read_lines(lines: Iterable[bytes], default_session: str) -> Chat:
    """Reads JSON Lines. Lines without a session belong to `default_session`; blank lines count but hold nothing."""
    found: list[ChatLine] = []
    problems: list[LineProblem] = []
    for number, raw in enumerate(lines, start=1):
        if not raw.strip():
            continue
        place = f"line {number}"
        try:
            document = json.loads(raw.decode("utf-8-sig" if number == 1 else "utf-8"))
            entry = _Line.model_validate(document)
        except UnicodeDecodeError:
            problems.append(LineProblem(place, "is not UTF-8"))
        except json.JSONDecodeError as error:
            problems.append(LineProblem(place, f"is not JSON ({error.msg} at character {error.pos + 1})"))
        except RecursionError:
            problems.append(LineProblem(place, "is nested too deeply"))
        except ValidationError as error:
            problems.append(LineProblem(with_id(place, document), reason_of(error)))
        else:
            found.append(ChatLine(place, entry.session or default_session, entry.message()))
    return Chat(tuple(found), tuple(problems))
