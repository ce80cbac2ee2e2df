"""What a request shows: which step it belongs to, and the messages or memories in it."""

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from itertools import groupby
from operator import attrgetter
from typing import Any

from extract.consolidate.llm.prompting import prompt

KINDS = ("window", "thread", "profile")
_CONVERSATION = re.compile(r"<conversation>\n(.*?)\n</conversation>", re.DOTALL)
_MEMORIES = re.compile(r"<memories>\n(.*?)\n</memories>", re.DOTALL)
_HEADING = re.compile(r"# (?:part (\d+), )?(\d{4}-\d\d-\d\d) \S+ (\d\d:\d\d)")
_MESSAGE = re.compile(r"(\d+)(?:\(([a-z, ]+)\))? (.*)")
_CAPTION = re.compile(r"\d+\(image\): .*")


@dataclass(frozen=True, slots=True)
class ShownMessage:
    """A line of a transcript.

    Attributes:
        number: its number in the transcript, from 1.
        part: the number of the part that it stands in; "" where there is but one.
        day: when it was said, such as "2023-05-08".
        minute: where a line before it says so, to the minute, in the form "2023-05-08 13:56"; else "".
        speaker: who said it.
        text: what was said.
        own: something may be written down of it.
        before: it is context, and covered by another call.
    """

    number: int
    part: str
    day: str
    minute: str
    speaker: str
    text: str
    own: bool
    before: bool


@dataclass(frozen=True, slots=True)
class ShownMemory:
    """A line that a summary is written of: the number of the summary, and its own."""

    summary: int
    number: int
    text: str


def step_of(body: Mapping[str, Any]) -> str:
    """What the request is for: "extraction", "consolidation window", "... thread" or "... profile"."""
    system = body["messages"][0]["content"]
    kind = next((kind for kind, text in _kinds().items() if system.startswith(text)), "")
    return f"consolidation {kind}" if kind else "extraction"


@cache
def _kinds() -> Mapping[str, str]:
    return {kind: prompt(kind) for kind in KINDS}


def messages_in(body: Mapping[str, Any]) -> list[ShownMessage]:
    """The messages of a request for an extraction."""
    found = _CONVERSATION.search(body["messages"][-1]["content"])
    shown: list[ShownMessage] = []
    part = day = minute = ""
    for line in found[1].split("\n") if found else ():
        if heading := _HEADING.fullmatch(line):
            part, day, minute = heading[1] or part, heading[2], f"{heading[2]} {heading[3]}"
        elif not _CAPTION.fullmatch(line) and (told := _MESSAGE.fullmatch(line)):
            marks = (told[2] or "").split(", ")
            speaker, _, text = told[3].partition(": ")
            own, before = not {"before", "read only"} & set(marks), "before" in marks
            shown.append(ShownMessage(int(told[1]), part, day, minute, _unescaped(speaker), _unescaped(text), own, before))
            minute = ""
    return shown


def runs_in(body: Mapping[str, Any]) -> list[list[ShownMessage]]:
    """The same by part: each is a run of messages of one session, as they follow each other there."""
    return [list(run) for _, run in groupby(messages_in(body), key=attrgetter("part"))]


def memories_in(body: Mapping[str, Any]) -> list[ShownMemory]:
    """The events or summaries that a request asks to summarize."""
    found = _MEMORIES.search(body["messages"][-1]["content"])
    lines = [json.loads(line) for line in found[1].split("\n")] if found else []
    return [ShownMemory(one["summary"], one["n"], " ".join(one["says"])) for one in lines if "n" in one]


def _unescaped(text: str) -> str:
    return str(json.loads('"' + text.replace('"', '\\"') + '"'))
