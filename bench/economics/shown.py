"""What a request shows: which step it belongs to, and the messages or memories in it."""

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from typing import Any

from extract.consolidate.llm.prompting import prompt

KINDS = ("window", "thread", "profile")
_CONVERSATION = re.compile(r"<conversation>\n(.*?)\n</conversation>", re.DOTALL)
_MEMORIES = re.compile(r"<memories>\n(.*?)\n</memories>", re.DOTALL)
_HEADING = re.compile(r"# (?:part (\d+), )?(\d{4}-\d\d-\d\d) .*")
_MESSAGE = re.compile(r"(\d+)(?:\(([a-z, ]+)\))? (.*)")
_CAPTION = re.compile(r"\d+\(image\): .*")


@dataclass(frozen=True, slots=True)
class ShownMessage:
    """A line of a transcript. `own`: something may be written down of it; `before`: it is context, and covered by another call."""

    number: int
    part: str
    day: str
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
    part = day = ""
    for line in found[1].split("\n") if found else ():
        if heading := _HEADING.fullmatch(line):
            part, day = heading[1] or part, heading[2]
        elif not _CAPTION.fullmatch(line) and (told := _MESSAGE.fullmatch(line)):
            marks = (told[2] or "").split(", ")
            speaker, _, text = told[3].partition(": ")
            own, before = not {"before", "read only"} & set(marks), "before" in marks
            shown.append(ShownMessage(int(told[1]), part, day, _unescaped(speaker), _unescaped(text), own, before))
    return shown


def memories_in(body: Mapping[str, Any]) -> list[ShownMemory]:
    """The events or summaries that a request asks to summarize."""
    found = _MEMORIES.search(body["messages"][-1]["content"])
    lines = [json.loads(line) for line in found[1].split("\n")] if found else []
    return [ShownMemory(one["summary"], one["n"], " ".join(one["says"])) for one in lines if "n" in one]


def _unescaped(text: str) -> str:
    return str(json.loads('"' + text.replace('"', '\\"') + '"'))
