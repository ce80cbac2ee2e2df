"""Who speaks in a segment, under which name, and to whom."""

import re
from collections.abc import Sequence
from dataclasses import dataclass

from extract.entities import is_generic
from extract.local.person import Voices
from graph.model import Message, Role

_GROUP = re.compile(r"\b[Mm]y\s+(?P<kin>husband|wife|partner|sister|brother|son|daughter|mom|mum|dad|mother|father|family|kids|children|"
    r"parents|"
                    r"boyfriend|girlfriend|friends?|best friend|team|fianc[ée]e?|cousin|dog)\s+and\s+I\b|"
                    r"\b(?P<name>[A-ZÀ-ÖØ-Þ]\w+)\s+and\s+I\b")  # fmt: skip


@dataclass(frozen=True, slots=True)
class Cast:
    """The people of a segment: `people` are names of persons, without roles such as "assistant"."""

    people: frozenset[str]
    speakers: tuple[str, ...]

    def voices(self, message: Message) -> Voices:
        """Who "I", "you" and, where the message has said so, "we" are in it."""
        others = [name for name in self.speakers if name != message.speaker]
        listener = others[0] if len(others) == 1 and not is_generic(others[0]) else ""
        return Voices(display_name(message.speaker), listener, _group(message))


def cast_of(messages: Sequence[Message]) -> Cast:
    """The cast of these messages."""
    speakers = tuple(dict.fromkeys(message.speaker for message in messages))
    return Cast(frozenset(name for name in speakers if not is_generic(name)), speakers)


def display_name(speaker: str) -> str:
    """The name that statements use; a role becomes "The user"."""
    return f"The {speaker.casefold()}" if is_generic(speaker) and not speaker.casefold().startswith("the ") else speaker


def is_machine(message: Message) -> bool:
    """Whether an assistant, a tool or the system speaks."""
    return message.role is not Role.USER


def _group(message: Message) -> str:
    match = _GROUP.search(message.text)
    if match is None:
        return ""
    name = display_name(message.speaker)
    return f"{name} and {match['name']}" if match["name"] else f"{name} and {name}'s {match['kin']}"
