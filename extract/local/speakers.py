"""Who speaks in a segment, under which name, and to whom."""

import re
from collections.abc import Sequence
from dataclasses import dataclass

from extract.local.kinship import PEOPLE, PERSONS
from extract.local.person import Voices
from graph.model import Message, Role
from graph.text.names import is_role_name

_KIN = rf"(?P<kin>(?:{PEOPLE}|{PERSONS}|family|team|class|dog))"
_NAME = r"(?P<name>[A-ZÀ-ÖØ-Þ]\w+)"
_GROUP = re.compile(rf"\b[Mm]y\s+{_KIN}\s+and\s+I\b|\b(?:[Mm]y\s+(?:{PERSONS})\s+)?{_NAME}\s+and\s+I\b")
_WE = re.compile(r"\b(?:[Ww]e|[Uu]s|[Oo]urs?)\b")
# "I did a class with my sister and we loved it."
_WITH = re.compile(rf"\b(?:with|met|saw|visited)\s+(?:my\s+{_KIN}|{_NAME})\b(?!['’])")


@dataclass(frozen=True, slots=True)
class Cast:
    """The people of a segment: `people` are names of persons, without roles such as "assistant"."""

    people: frozenset[str]
    speakers: tuple[str, ...]

    def voices(self, message: Message, earlier: Sequence[Message] = ()) -> Voices:
        """Who "I", "you" and, where it or the `earlier` messages have said so, "we" are in it."""
        others = [name for name in self.speakers if name != message.speaker]
        listener = others[0] if len(others) == 1 and not is_role_name(others[0]) else ""
        return Voices(display_name(message.speaker), listener, _group(message, earlier))


def cast_of(messages: Sequence[Message]) -> Cast:
    """The cast of these messages."""
    speakers = tuple(dict.fromkeys(message.speaker for message in messages))
    return Cast(frozenset(name for name in speakers if not is_role_name(name)), speakers)


def display_name(speaker: str) -> str:
    """The name that statements use; a role becomes "The user"."""
    return f"The {speaker.casefold()}" if is_role_name(speaker) and not speaker.casefold().startswith("the ") else speaker


def is_machine(message: Message) -> bool:
    """Whether an assistant, a tool or the system speaks."""
    return message.role is not Role.USER


def _group(message: Message, earlier: Sequence[Message]) -> str:
    """Who "we" are: whom the message, or one that its speaker sent just before, names together with "I"."""
    if not _WE.search(message.text):
        return ""
    name = display_name(message.speaker)
    for text in (message.text, *(one.text for one in reversed(earlier) if one.speaker == message.speaker)):
        match = _GROUP.search(text)
        if match:
            return f"{match['name']} and {name}" if match["name"] else f"{name} and {name}'s {match['kin']}"
    match = _WITH.search(message.text)
    if match:
        return f"{name} and {match['name']}" if match["name"] else f"{name} and {name}'s {match['kin']}"
    return ""
