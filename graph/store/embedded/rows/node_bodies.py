"""Nodes as JSON: the fields of a node that no query filters on."""

from collections.abc import Sequence
from typing import Any

import orjson

from graph.model import Event, Granularity, Message, Statement, TimeSpan, from_micros, to_micros
from graph.store.rules.appending import stored_versions


def message_body(message: Message) -> bytes:
    """The text and what came with it."""
    body: dict[str, Any] = {"text": message.text}
    if message.labels:
        body["labels"] = dict(message.labels)
    if message.image_caption:
        body["caption"] = message.image_caption
    if message.edited_at is not None:
        body["edited_at"] = to_micros(message.edited_at)
    if message.versions:
        body["versions"] = stored_versions(message)
    return orjson.dumps(body)


def event_body(event: Event) -> bytes:
    """The title and the time."""
    return orjson.dumps({"title": event.title, "time": span_values(event.time)})


def statement_body(statement: Statement) -> bytes:
    """The text, its parts and the time."""
    return orjson.dumps(
        {
            "text": statement.text,
            "predicate": statement.predicate,
            "subject": statement.subject,
            "object": statement.object,
            "confidence": statement.confidence,
            "time": span_values(statement.time),
        }
    )


def entity_body(name: str, aliases: Sequence[str]) -> bytes:
    """The names."""
    return orjson.dumps({"name": name, "aliases": list(aliases)})


def span_values(span: TimeSpan | None) -> list[Any] | None:
    """A time span as JSON values."""
    return None if span is None else [to_micros(span.start), to_micros(span.end), int(span.granularity), span.expression]


def span_of(values: list[Any] | None) -> TimeSpan | None:
    """The time span of `span_values`."""
    return None if values is None else TimeSpan(from_micros(values[0]), from_micros(values[1]), Granularity(values[2]), values[3])
