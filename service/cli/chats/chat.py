"""What a chat file holds."""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import NamedTuple

from structmem import NewMessage


@dataclass(frozen=True, slots=True)
class ChatLine:
    """One message of a chat file: where it stands, its session, and what to store."""

    place: str
    session: str
    message: NewMessage


class LineProblem(NamedTuple):
    """A place of the file that cannot be stored, and why."""

    place: str
    reason: str


@dataclass(frozen=True, slots=True)
class Chat:
    """A chat file that was read.

    `time_zone` is what the format says about times without an offset; empty when it says nothing. `looks_like`: what the file seems to be
    where it is no chat file, and which command takes it; empty when that is not known.
    """

    lines: tuple[ChatLine, ...]
    problems: tuple[LineProblem, ...]
    time_zone: str = ""
    looks_like: str = ""


def with_client_ids(lines: Sequence[ChatLine]) -> tuple[ChatLine, ...]:
    """The lines, each message with a client id: its own, or one made of its place in its session and its content.

    The same file again, or one that has grown at its end, gives the same ids, so that what is there already is recognised.
    """
    counts: dict[str, int] = {}
    named = []
    for line in lines:
        counts[line.session] = counts.get(line.session, 0) + 1
        message = line.message
        if not message.client_id:
            content = "\x1f".join((message.speaker, message.text, str(message.sent_at or "")))
            digest = hashlib.sha256(content.encode("utf-8", "surrogatepass")).hexdigest()[:16]
            line = replace(line, message=replace(message, client_id=f"{counts[line.session]}-{digest}"))
        named.append(line)
    return tuple(named)
