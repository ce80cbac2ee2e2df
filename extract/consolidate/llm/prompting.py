"""The prompts, and groups of sources as the model reads them."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from functools import cache
from importlib.resources import files

from extract.consolidate.port import Source, SourceGroup
from extract.llm.transcript import data_line
from extract.local.dating import date_note

# Of one source so much is read: an event has a handful of statements, a summary a dozen sentences.
_MOST_SENTENCES = 40
_MOST_TEXT = 600


@dataclass(frozen=True, slots=True)
class NumberedGroups:
    """What a request shows: the text, and which group and source each number stands for. Numbers count from 1 through all groups."""

    text: str
    groups: dict[int, SourceGroup]
    sources: dict[int, dict[int, Source]]


@cache
def prompt(name: str) -> str:
    """The text of a prompt's file."""
    return files("extract.consolidate.llm").joinpath("prompts", f"{name}.md").read_text("utf-8").strip()


def numbered(groups: Sequence[SourceGroup]) -> NumberedGroups:
    """The groups with their contexts, one source a line. A context has no numbers, so that nothing can cite it.

    What several groups have as their context stands there once, before all of them; what is a source of one of them is not shown again.
    """
    shown = {source.id for group in groups for source in group.sources}
    lines: list[str] = []
    for group in groups:
        lines += [data_line({"before": True, **_told(source, group)}) for source in group.context if source.id not in shown]
        shown |= {source.id for source in group.context}
    sources: dict[int, dict[int, Source]] = {}
    number = 0
    for place, group in enumerate(groups, 1):
        sources[place] = {}
        for source in group.sources:
            number += 1
            sources[place][number] = source
            lines.append(data_line({"summary": place, "n": number, **_told(source, group)}))
    return NumberedGroups("\n".join(("<memories>", *lines, "</memories>")), dict(enumerate(groups, 1)), sources)


def halves(group: SourceGroup) -> tuple[SourceGroup, SourceGroup] | None:
    """The group in two, by its sources; None for one source."""
    middle = len(group.sources) // 2
    if not middle:
        return None
    return replace(group, sources=group.sources[:middle]), replace(group, sources=group.sources[middle:])


def _told(source: Source, group: SourceGroup) -> dict[str, object]:
    said = source.said_from.astimezone(group.zone).strftime("%Y-%m-%d %H:%M %A")
    told: dict[str, object] = {"said": said, "title": _cut(source.title), "says": list(_says(source, group))}
    if source.time is not None:
        told["when"] = date_note(source.time, group.zone)
    return told


def _says(source: Source, group: SourceGroup) -> Iterator[str]:
    for sentence in source.sentences[:_MOST_SENTENCES]:
        note = date_note(sentence.time, group.zone) if sentence.time not in (None, source.time) and sentence.time else ""
        text = _cut(sentence.text)
        yield text if not note or note.casefold() in text.casefold() else f"{text} ({note})"


def _cut(text: str) -> str:
    return text if len(text) <= _MOST_TEXT else f"{text[:_MOST_TEXT]} …"
