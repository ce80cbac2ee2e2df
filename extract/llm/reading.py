"""From the model's text to the items that can be used, and what is wrong with the others."""

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, TypeVar

from pydantic import BaseModel, ValidationError
from pydantic_core import from_json

from extract.llm.answer import Checks, Fact, FlatFact, NamedEntity, Relation, one_line
from graph.model import ExtractionMode

_MOST_CHARACTERS = 400_000
_MOST_EVENTS = 200
_MOST_ITEMS = 200
_MOST_TITLE = 120
# Only at the start: a fact may quote such tags.
_THOUGHT = re.compile(r"\s*<think>.*?</think>", re.DOTALL)
I = TypeVar("I", bound=BaseModel)  # noqa: E741  # an item


@dataclass(slots=True)
class ReadEvent:
    """An event with those of its statements that can be used. `causes` are places in the answer's list."""

    title: str
    facts: list[Fact | FlatFact] = field(default_factory=list)
    relations: list[Relation] = field(default_factory=list)
    causes: list[int] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class Problem:
    """An item that cannot be used: where it stood, the fields that are wrong and why, and the item itself."""

    place: str
    event: str
    fields: tuple[str, ...]
    why: str
    item: object


@dataclass(slots=True)
class Reading:
    """What an answer says. `broken`: it is no JSON of this form at all."""

    events: list[ReadEvent] = field(default_factory=list)
    entities: list[NamedEntity] = field(default_factory=list)
    problems: list[Problem] = field(default_factory=list)
    broken: bool = False

    def add(self, repaired: "Reading") -> None:
        """Takes in what was asked for again: statements of an event of the same title join it."""
        by_title = {event.title: event for event in self.events}
        for event in repaired.events:
            known = by_title.get(event.title)
            if known is None:
                # Its causes count in another list.
                event.causes = []
                self.events.append(event)
            else:
                known.facts += event.facts
                known.relations += event.relations
        self.entities += repaired.entities

    def of_part(self, part: int, parts: Mapping[int, int]) -> "Reading":
        """What rests on the messages of one part; `parts` says which one each number belongs to. Events keep their places, for `causes`."""
        events = [
            replace(
                event,
                facts=[one for one in event.facts if parts[one.messages[0]] == part],
                relations=[one for one in event.relations if parts[one.messages[0]] == part],
            )
            for event in self.events
        ]
        return Reading(events, self.entities)


def read_answer(text: str, mode: ExtractionMode, checks: Checks, complete: bool = True) -> Reading:
    """Reads an answer; of one that was cut off (not `complete`), what stands before the cut."""
    try:
        # Half a surrogate pair, which no UTF-8 can hold, would raise another error than the rest of what is no JSON.
        data = from_json(json_in(text).encode(errors="replace"), allow_partial=not complete)
    except ValueError:
        return Reading(broken=True)
    if not isinstance(data, dict):
        return Reading(broken=True)
    reading = Reading()
    if mode is ExtractionMode.FLAT:
        if not isinstance(data.get("facts"), list):
            return Reading(broken=True)
        for fact in _items(data["facts"], FlatFact, "facts", "", checks, reading):
            reading.events.append(ReadEvent(fact.text[:_MOST_TITLE], [fact]))
        return reading
    if not isinstance(data.get("events"), list):
        return Reading(broken=True)
    for index, event in enumerate(data["events"][:_MOST_EVENTS]):
        _event(event, f"events[{index}]", checks, reading)
    reading.entities += _items(data.get("entities", []), NamedEntity, "entities", "", checks, reading)
    return reading


def problems_in_words(problems: Sequence[Problem]) -> str:
    """The items with their problems, as JSON lines for the model to correct."""
    lines = ({"kind": one.place.partition("[")[0], "event": one.event, "problem": one.why, "item": one.item} for one in problems)
    return "\n".join(json.dumps(line, ensure_ascii=False).replace("<", "\\u003c").replace(">", "\\u003e") for line in lines)


def parts_of(problem: Problem, parts: Mapping[int, int]) -> frozenset[int]:
    """Which parts an item that cannot be used is about, as far as the numbers in it say; all of them where they say nothing."""
    numbers = problem.item.get("messages") if isinstance(problem.item, dict) else None
    named = {parts[one] for one in numbers if isinstance(one, int) and one in parts} if isinstance(numbers, list) else set()
    return frozenset(named or parts.values())


def json_in(text: str) -> str:
    """The JSON object in an answer of at most 400,000 characters, without the thoughts and fences that some models put around it."""
    thought = _THOUGHT.match(text)
    text = text[thought.end() if thought else 0 :][:_MOST_CHARACTERS]
    start, end = text.find("{"), text.rfind("}")
    return text[start : end + 1] if 0 <= start < end and text[end + 1 :].strip(" \n`") == "" else text[max(start, 0) :]


def _event(data: object, place: str, checks: Checks, reading: Reading) -> None:
    if not isinstance(data, dict):
        reading.problems.append(Problem(place, "", ("event",), "must be an object", None))
        reading.events.append(ReadEvent(""))  # the places of the others must not move
        return
    title = data.get("title")
    event = ReadEvent(one_line(title)[:_MOST_TITLE] if isinstance(title, str) else "")
    event.facts += _items(data.get("facts", []), Fact, "facts", event.title, checks, reading)
    event.relations += _items(data.get("relations", []), Relation, "relations", event.title, checks, reading)
    causes = data.get("causes")
    event.causes = [one for one in causes if isinstance(one, int)] if isinstance(causes, list) else []
    reading.events.append(event)


def _items(data: Any, kind: type[I], name: str, event: str, checks: Checks, reading: Reading) -> Iterator[I]:
    if not isinstance(data, list):
        reading.problems.append(Problem(name, event, (name,), "must be a list", None))
        return
    if len(data) > _MOST_ITEMS:
        reading.problems.append(Problem(name, event, (name,), f"must be at most {_MOST_ITEMS}", None))
    for index, item in enumerate(data[:_MOST_ITEMS]):
        try:
            yield kind.model_validate(item, context=checks)
        except ValidationError as error:
            found = [(".".join(map(str, one["loc"])) or "item", str(one["msg"]).removeprefix("Value error, ")) for one in error.errors()]
            why = "; ".join(f"{where}: {what}" for where, what in found)
            reading.problems.append(Problem(f"{name}[{index}]", event, tuple(dict.fromkeys(where for where, _ in found)), why, item))
