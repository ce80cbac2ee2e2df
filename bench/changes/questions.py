"""Questions about what changes: the neutral format (bench/dataset.py), each question with what it needs besides.

{"id", "text", "kind": "now" | "still" | "as_of", "category", "evidence": [message id],
 "newest": [message id], "outdated": [message id], "as_of"?: time}

now    `newest` (and `evidence`): messages that state what holds now; `outdated`: those that state what held before
still  `evidence`: messages that all still hold, though it may seem that one of them replaced another; `category` says why it may seem so
as_of  `evidence`: messages that state what held at `as_of`; `outdated`: what held before it; `newest`: what came after
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from bench.dataset import Dataset, read_dataset
from bench.fields import field_of, list_of, text_of
from bench.report import BenchError

KINDS = ("now", "still", "as_of")


@dataclass(frozen=True, slots=True)
class ChangeQuestion:
    """A question about what changes; the fields are those of the file. `as_of` is set for that kind alone."""

    id: str
    text: str
    kind: str
    category: str
    evidence: tuple[str, ...]
    newest: tuple[str, ...] = ()
    outdated: tuple[str, ...] = ()
    as_of: datetime | None = None


def read_changes(path: Path) -> tuple[Dataset, Mapping[str, tuple[ChangeQuestion, ...]]]:
    """The conversations of a file, and the questions of each by its id.

    Raises:
        BenchError: the file cannot be read or is not in the format; says where.
    """
    dataset = read_dataset(path)
    conversations = list_of(json.loads(path.read_text(encoding="utf-8")), "conversations", "")
    questions: dict[str, tuple[ChangeQuestion, ...]] = {}
    for index, (conversation, value) in enumerate(zip(dataset.conversations, conversations, strict=True)):
        known = frozenset(message.id for message in conversation.messages)
        place = f"conversations[{index}].questions"
        found = (_question(item, f"{place}[{i}]", known) for i, item in enumerate(list_of(value, "questions", place)))
        questions[conversation.id] = tuple(found)
    return dataset, questions


def _question(value: object, place: str, known: frozenset[str]) -> ChangeQuestion:
    def ids(key: str) -> tuple[str, ...]:
        named = tuple(map(str, list_of(value, key, place))) if field_of(value, key, place) else ()
        unknown = [id_ for id_ in named if id_ not in known]
        if unknown:
            raise BenchError(f"{place}.{key}: {unknown[0]!r} is no message")
        return named

    kind = text_of(value, "kind", place)
    if kind not in KINDS:
        raise BenchError(f"{place}.kind: must be one of {', '.join(KINDS)}")
    evidence, newest, outdated = ids("evidence"), ids("newest"), ids("outdated")
    if not (newest if kind == "now" else evidence):
        raise BenchError(f"{place}.{'newest' if kind == 'now' else 'evidence'}: must name a message")
    as_of = _time(value, place) if kind == "as_of" else None
    id_, text, category = text_of(value, "id", place), text_of(value, "text", place), text_of(value, "category", place, default="")
    return ChangeQuestion(id_, text, kind, category, evidence, newest, outdated, as_of)


def _time(value: object, place: str) -> datetime:
    try:
        moment = datetime.fromisoformat(text_of(value, "as_of", place))
    except ValueError as error:
        raise BenchError(f"{place}.as_of: is no ISO 8601 time") from error
    return moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment.astimezone(UTC)
