"""From LightMem's messages, dictionaries, to those that the service stores."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import groupby
from typing import Any
from zoneinfo import ZoneInfo

from structmem._inputs import NewMessage
from structmem._kinds import Role
from structmem.lightmem.times import instant, moment

# What LightMem writes into a message by itself: it follows from the others.
_DERIVED = {"session_time", "weekday", "sequence_number"}
_READ = {"role", "content", "time_stamp", "speaker_name", "speaker_id", "external_id"} | _DERIVED
_ROLES = {role.value: role for role in Role if role is not Role.UNSPECIFIED}
_MOST_AT_ONCE = 1000
UNTAGGED = "untagged"


@dataclass(frozen=True, slots=True)
class ReadMessages:
    """The messages of one call by session, at most 1,000 in each part, in their order, and how many had nothing in them."""

    parts: tuple[tuple[str, tuple[NewMessage, ...]], ...]
    blank_count: int


def read_messages(messages: Any, tags: Any, zone: ZoneInfo) -> ReadMessages:
    """Reads one message or a list of them.

    LightMem knows no sessions; here the day of a `time_stamp` is one. A message without content is left out, as LightMem's own scripts
    write one after each turn.

    Raises:
        ValueError: a message is not one; the text names which, the field and why.
    """
    if isinstance(messages, Mapping):
        messages = [messages]
    if not isinstance(messages, Sequence) or isinstance(messages, str | bytes):
        raise ValueError(f"messages: must be a dictionary or a list of dictionaries; it is a {type(messages).__name__}")
    labels = dict.fromkeys(map(tag_label, tags_of(tags)), "") or {UNTAGGED: ""}
    read = [_message(index, message, labels, zone) for index, message in enumerate(messages)]
    full = [pair for pair in read if pair is not None]
    return ReadMessages(tuple(_parts(full)), len(read) - len(full))


def tags_of(tags: Any) -> tuple[str, ...]:
    """The tags of BoundMem: a text, or several. Raises ValueError."""
    if tags is None:
        return ()
    given = (tags,) if isinstance(tags, str) else tuple(tags)
    for tag in given:
        if not isinstance(tag, str) or not tag.strip() or len(tag) > 90:
            raise ValueError(f"boundmem_tags: must be texts of 1 to 90 characters; one is {tag!r}")
    return tuple(tag.strip() for tag in given)


def tag_label(tag: str) -> str:
    """The key of the label that stands for a tag."""
    return f"tag:{tag}"


def label_value(value: Any) -> str | None:
    """A plain value as a label has it; None for what is no plain value."""
    if isinstance(value, bool):
        return "true" if value else "false"
    return str(value) if isinstance(value, str | int | float) else None


def _message(index: int, message: Any, labels: Mapping[str, str], zone: ZoneInfo) -> tuple[str, NewMessage] | None:
    where = f"messages[{index}]"
    if not isinstance(message, Mapping):
        raise ValueError(f"{where}: must be a dictionary; it is a {type(message).__name__}")
    content = message.get("content", "")
    if not isinstance(content, str):
        raise ValueError(f"{where}.content: must be a text; it is a {type(content).__name__}")
    role = message.get("role", "user")
    if role not in _ROLES:
        raise ValueError(f"{where}.role: must be one of {', '.join(_ROLES)}; it is {role!r}")
    try:
        day, sent_at = moment(message.get("time_stamp")).date().isoformat(), instant(message.get("time_stamp"), zone)
    except (ValueError, OverflowError) as error:
        raise ValueError(f"{where}.time_stamp: {error}") from None
    if not content.strip():
        return None
    speaker_id, name = message.get("speaker_id"), message.get("speaker_name")
    further = {**_further(where, message), **({"speaker_id": str(speaker_id)} if speaker_id else {})}
    return day, NewMessage(
        speaker=str(name or speaker_id or role),
        text=content,
        sent_at=sent_at,
        role=_ROLES[role],
        client_id=str(message.get("external_id") or ""),
        labels={**labels, **further},
    )


def _further(where: str, message: Mapping[str, Any]) -> dict[str, str]:
    further = {}
    for key, value in message.items():
        if key in _READ or value is None:
            continue
        plain = label_value(value)
        if plain is None:
            raise ValueError(f"{where}.{key}: becomes a label, so it must be a text, a number or a bool; it is a {type(value).__name__}")
        further[str(key)] = plain
    return further


def _parts(pairs: list[tuple[str, NewMessage]]) -> Iterable[tuple[str, tuple[NewMessage, ...]]]:
    for session, group in groupby(pairs, key=lambda pair: pair[0]):
        messages = [message for _, message in group]
        for start in range(0, len(messages), _MOST_AT_ONCE):
            yield session, tuple(messages[start : start + _MOST_AT_ONCE])
