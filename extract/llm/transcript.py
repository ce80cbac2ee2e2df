"""A segment as the model reads it: one JSON object a line, so that nothing that was said can pass for anything else."""

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, replace

from extract.port import Segment
from extract.tokens import count_tokens
from graph.model import Message
from graph.retrieval import CHARACTERS_A_TOKEN

# Messages before the segment only help to understand it; long ones are cut.
_MOST_CONTEXT_TEXT = 600
_LEAST_TEXT = 400
# Angle brackets could forge the end of the block; invisible and direction-changing characters could hide text from people's eyes.
_ESCAPED = re.compile("[<>\x7f-\x9f\u00ad\u061c\u200b-\u200f\u2028-\u202e\u2060-\u206f\ufeff\ufff9-\ufffb\U000e0000-\U000e007f]")


@dataclass(frozen=True, slots=True)
class Transcript:
    """The text, and which message each of its numbers stands for; `own` are those of the segment itself."""

    text: str
    messages: dict[int, Message]
    own: frozenset[int]


def transcript_of(segment: Segment) -> Transcript:
    """The segment with its context. The numbers count from 1: ids are long, and models copy them wrongly."""
    messages = dict(enumerate((*segment.context, *segment.messages), start=1))
    own = frozenset(number for number, message in messages.items() if number > len(segment.context) and message.id not in segment.aside)
    lines = [_line(number, message, segment, number not in own) for number, message in messages.items()]
    return Transcript("\n".join(("<conversation>", *lines, "</conversation>")), messages, own)


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


def _line(number: int, message: Message, segment: Segment, before: bool) -> str:
    text = message.text
    if before and len(text) > _MOST_CONTEXT_TEXT:
        text = f"{text[:_MOST_CONTEXT_TEXT]} …"
    line: dict[str, object] = {
        "n": number,
        "sent": message.sent_at.astimezone(segment.zone).strftime("%Y-%m-%d %H:%M %A"),
        "speaker": message.speaker,
        "role": message.role.name.lower(),
        "text": text,
    }
    if message.image_caption:
        line["image"] = message.image_caption
    if before:
        line["before"] = True
    return data_line(line)


def data_line(line: Mapping[str, object]) -> str:
    """One JSON object on a line of its own, in which nothing can forge the end of a block or hide from people's eyes."""
    return _ESCAPED.sub(_escape, json.dumps(line, ensure_ascii=False))


def _escape(match: re.Match[str]) -> str:
    character = match[0]
    return f"\\u{ord(character):04x}" if ord(character) < 0x10000 else json.dumps(character)[1:-1]
