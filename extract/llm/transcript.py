"""Segments as the model reads them: a line a message, in which nothing that was said can pass for anything else.

    # part 1, 2023-05-08 Monday 13:56
    1(before) Tom: What is new?
    2 Maria: I moved last Friday!
    2(image): a street in Lisbon

Who wrote a line's text begins it: a number is ours, and so is a "#". Line ends and whatever else could begin a line are escaped.
"""

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import timedelta

from extract.port import Segment
from extract.tokens import count_tokens
from graph.model import Message, Role
from graph.retrieval import CHARACTERS_A_TOKEN
from graph.text.names import folded

# Messages before the segment only help to understand it; long ones are cut.
_MOST_CONTEXT_TEXT = 600
_LEAST_TEXT = 400
# After so much silence a line tells the time again.
_SILENCE = timedelta(hours=1)
# Angle brackets could forge the end of the block; invisible and direction-changing characters could hide text from people's eyes.
_ESCAPED = re.compile("[<>\x7f-\x9f\u00ad\u061c\u200b-\u200f\u2028-\u202e\u2060-\u206f\ufeff\ufff9-\ufffb\U000e0000-\U000e007f]")


@dataclass(frozen=True, slots=True)
class Transcript:
    """The text, and which message each of its numbers stands for.

    `own` are those of which something may be written down; `parts` says of each number which of the segments it belongs to.
    """

    text: str
    messages: dict[int, Message]
    own: frozenset[int]
    parts: dict[int, int]


def transcript_of(segments: Sequence[Segment]) -> Transcript:
    """The segments, each with its context. Numbers count from 1 through all of them: ids are long, and models copy them wrongly."""
    messages: dict[int, Message] = {}
    own: set[int] = set()
    parts: dict[int, int] = {}
    lines = ["<conversation>"]
    for part, segment in enumerate(segments):
        first = len(messages) + 1
        numbered = dict(enumerate((*segment.context, *segment.messages), first))
        mine = {n for n, message in numbered.items() if n >= first + len(segment.context) and message.id not in segment.aside}
        title = f"part {part + 1}, " if len(segments) > 1 else ""
        lines += _lines(segment, numbered, mine, title)
        messages |= numbered
        own |= mine
        parts |= dict.fromkeys(numbered, part)
    return Transcript("\n".join((*lines, "</conversation>")), messages, frozenset(own), parts)


def is_longer(text: str, tokens: int) -> bool:
    """Whether the text has more tokens than these."""
    return len(text) > CHARACTERS_A_TOKEN * tokens or count_tokens(text) > tokens


def halves(segment: Segment) -> tuple[Segment, Segment] | None:
    """The segment in two: by its messages, or the text of its only one; None for one that is short already."""
    messages = segment.messages
    if len(messages) > 1:
        middle = len(messages) // 2
        before = (*segment.context, *messages[:middle])[-max(2, len(segment.context)) :]
        return replace(segment, messages=messages[:middle]), replace(segment, context=before, messages=messages[middle:])
    if len(messages[0].text) < 2 * _LEAST_TEXT:
        return None
    first, second = _cut(messages[0].text)
    return (
        replace(segment, messages=(replace(messages[0], text=first),)),
        replace(segment, messages=(replace(messages[0], text=second, image_caption=""),)),
    )


def _cut(text: str) -> tuple[str, str]:
    """Two parts, cut at a space near the middle where there is one."""
    middle = len(text) // 2
    space = max(text.rfind(mark, middle - _LEAST_TEXT // 2, middle) for mark in (" ", "\n"))
    place = space if space > 0 else middle
    return text[:place], text[place:]


def _lines(segment: Segment, numbered: Mapping[int, Message], own: set[int], title: str) -> Iterator[str]:
    """The lines of one segment: its messages, and before each that was sent on another day or after a silence, when that was."""
    last = None
    first_own = next(iter(numbered), 0) + len(segment.context)
    for number, message in numbered.items():
        sent = message.sent_at.astimezone(segment.zone)
        if last is None or sent.date() != last.date() or sent - last > _SILENCE:
            yield f"# {title}{sent:%Y-%m-%d %A %H:%M}"
            title = ""
        last = sent
        marks = [] if number in own else ["before" if number < first_own else "read only"]
        role = message.role.name.lower()
        if message.role is not Role.USER and folded(message.speaker) != role:
            marks.append(role)
        text = message.text
        if number < first_own and len(text) > _MOST_CONTEXT_TEXT:
            text = f"{text[:_MOST_CONTEXT_TEXT]} …"
        told = f"({', '.join(marks)})" if marks else ""
        speaker = _escaped(message.speaker).replace(":", "\\u003a")  # the first colon ends it
        yield f"{number}{told} {speaker}: {_escaped(text)}"
        if message.image_caption:
            yield f"{number}(image): {_escaped(message.image_caption)}"


def _escaped(text: str) -> str:
    """A text on one line, with the escapes of a JSON string but for quotes, which end nothing here."""
    return _ESCAPED.sub(_escape, json.dumps(text, ensure_ascii=False)[1:-1].replace('\\"', '"'))


def data_line(line: Mapping[str, object]) -> str:
    """One JSON object on a line of its own, in which nothing can forge the end of a block or hide from people's eyes."""
    return _ESCAPED.sub(_escape, json.dumps(line, ensure_ascii=False))


def _escape(match: re.Match[str]) -> str:
    character = match[0]
    return f"\\u{ord(character):04x}" if ord(character) < 0x10000 else json.dumps(character)[1:-1]
