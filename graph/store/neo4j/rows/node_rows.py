"""Between nodes of the model and the properties that are stored of them.

A query that reads nodes returns `n{PROJECTION}` maps, never nodes: vectors and the copies for people stay where they are.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import orjson

from graph.model import Entity, Event, Granularity, Message, NodeKind, Participant, Session, Statement, TimeSpan, from_micros, to_micros
from graph.store.neo4j.rows.summary_properties import SUMMARY_PROJECTION
from graph.store.rules.appending import stored_versions, versions_of
from graph.store.rules.node_records import node_of

Properties = dict[str, Any]

SESSION_PROJECTION = "{.id, .key, .name, .time_zone, .recorded_at, .message_count, .first_sent_at, .last_sent_at, .extracted_seq}"
MESSAGE_PROJECTION = """{.id, .key, .session, .seq, .speaker, .role, .text, .sent_at, .recorded_at, .client_id, .label_names, .label_values,
    .image_caption, .edited_at, .versions}"""
EVENT_PROJECTION = """{.id, .key, .session, .title, .said_at, .recorded_at, .starts_at, .ends_at, .time_granularity, .time_expression,
    .retired_at, .generation}"""
STATEMENT_PROJECTION = """{.id, .key, .kind, .session, .text, .speaker, .said_at, .recorded_at, .predicate, .subject, .object, .starts_at,
    .ends_at, .time_granularity, .time_expression, .confidence, .retired_at, .generation}"""
ENTITY_PROJECTION = "{.id, .key, .name, .kind, .aliases, .mention_count, .recorded_at}"
PROJECTIONS = {
    NodeKind.SESSION: SESSION_PROJECTION,
    NodeKind.MESSAGE: MESSAGE_PROJECTION,
    NodeKind.EVENT: EVENT_PROJECTION,
    NodeKind.FACT: STATEMENT_PROJECTION,
    NodeKind.RELATION: STATEMENT_PROJECTION,
    NodeKind.ENTITY: ENTITY_PROJECTION,
    NodeKind.SUMMARY: SUMMARY_PROJECTION,
}


@dataclass(frozen=True, slots=True)
class SystemFields:
    """What a store decides of a node, as against what its writer says. `session_key` is 0 for an entity."""

    namespace: str
    key: int
    session_key: int
    recorded_at: int
    generation: int = 0
    retired_at: int | None = None


def session_properties(namespace: str, key: int, id_: str, name: str, time_zone: str, recorded_at: int) -> Properties:
    """A session without messages."""
    return {
        "namespace": namespace,
        "id": id_,
        "key": key,
        "name": name,
        "time_zone": time_zone,
        "recorded_at": recorded_at,
        "last_seq": 0,
        "message_count": 0,
        "extracted_seq": 0,
    }


def message_properties(message: Message, system: SystemFields, previous_key: int) -> Properties:
    """A message, without what searches read of it."""
    sent_at = to_micros(message.sent_at)
    properties = _head(message.id, system) | {
        "kind": NodeKind.MESSAGE.name,
        "session": message.session,
        "seq": message.seq,
        "previous_key": previous_key,
        "speaker": message.speaker,
        "role": message.role.name,
        "text": message.text,
        "sent_at": sent_at,
        "said_at": sent_at,
    }
    if message.client_id:
        properties["client_id"] = message.client_id
    if message.image_caption:
        properties["image_caption"] = message.image_caption
    if message.edited_at is not None:
        properties["edited_at"] = to_micros(message.edited_at)
    if message.versions:
        properties["versions"] = stored_text_of_versions(message)
    if message.labels:
        properties["label_names"] = list(message.labels)
        properties["label_values"] = list(message.labels.values())
    return properties


def stored_text_of_versions(message: Message) -> str:
    """The earlier versions of a message, as they are stored."""
    return orjson.dumps(stored_versions(message)).decode()


def event_properties(event: Event, system: SystemFields, *, waits: bool = False) -> Properties:
    """An event, without what its edges say. `waits`: it is yet to be summarized."""
    head: Properties = {"session": event.session, "title": event.title}
    if waits:
        head |= {"waits_in": system.session_key, "waits_since": system.recorded_at}
    return _head(event.id, system) | head | _derived(event, system)


def statement_properties(statement: Statement, system: SystemFields, evidence_keys: Sequence[int]) -> Properties:
    """A fact or relation, without what its edges say and what searches read of it."""
    properties = _head(statement.id, system) | _derived(statement, system)
    properties |= {
        "kind": statement.kind.name,
        "session": statement.session,
        "text": statement.text,
        "speaker": statement.speaker,
        "confidence": statement.confidence,
        "evidence_keys": np.array(evidence_keys, dtype="<i8").tobytes(),
    }
    parts = (("predicate", statement.predicate), ("subject", statement.subject), ("object", statement.object))
    return properties | {name: value for name, value in parts if value}


def entity_properties(entity: Entity, system: SystemFields) -> Properties:
    """An entity that nothing names yet."""
    properties = {"name": entity.name, "kind": entity.kind.name, "aliases": list(entity.aliases), "mention_count": 0}
    head = _head(entity.id, system)
    del head["session_key"]
    return head | properties


def _head(id_: str, system: SystemFields) -> Properties:
    return {
        "namespace": system.namespace,
        "id": id_,
        "key": system.key,
        "session_key": system.session_key,
        "recorded_at": system.recorded_at,
    }


def _derived(node: Event | Statement, system: SystemFields) -> Properties:
    said_at = to_micros(node.said_at)
    properties: Properties = {"said_at": said_at, "starts_at": said_at, "ends_at": said_at}
    if node.time is not None:
        properties |= {
            "starts_at": to_micros(node.time.start),
            "ends_at": to_micros(node.time.end),
            "time_granularity": node.time.granularity.name,
            "time_expression": node.time.expression,
        }
    properties["generation"] = system.generation
    if system.retired_at is not None:
        properties["retired_at"] = system.retired_at
    return properties


def session_of(row: Mapping[str, Any]) -> Session:
    """The session of a SESSION_PROJECTION."""
    return node_of(Session, row)


def message_of(row: Mapping[str, Any]) -> Message:
    """The message of a MESSAGE_PROJECTION."""
    return node_of(Message, row, labels=labels_of(row), versions=versions_of(orjson.loads(row["versions"] or "[]")))


def labels_of(row: Mapping[str, Any]) -> dict[str, str]:
    """A message's labels."""
    return dict(zip(row["label_names"] or (), row["label_values"] or (), strict=True))


def event_of(
    row: Mapping[str, Any], evidence: Sequence[str] = (), statements: Sequence[str] = (), participants: Sequence[Participant] = ()
) -> Event:
    """The event of an EVENT_PROJECTION and of what its edges say."""
    listed = {"evidence_ids": tuple(evidence), "statement_ids": tuple(statements), "participants": tuple(participants)}
    return node_of(Event, row, time=_time_of(row), **listed)


def statement_of(row: Mapping[str, Any], evidence: Sequence[str] = (), event: str = "", entities: Sequence[str] = ()) -> Statement:
    """The statement of a STATEMENT_PROJECTION and of what its edges say."""
    listed = {"evidence_ids": tuple(evidence), "entity_ids": tuple(entities)}
    return node_of(Statement, row, time=_time_of(row), event_id=event, **listed)


def entity_of(row: Mapping[str, Any]) -> Entity:
    """The entity of an ENTITY_PROJECTION."""
    return node_of(Entity, row)


def _time_of(row: Mapping[str, Any]) -> TimeSpan | None:
    if row["time_granularity"] is None:
        return None
    start, end = from_micros(row["starts_at"]), from_micros(row["ends_at"])
    return TimeSpan(start, end, Granularity[row["time_granularity"]], row["time_expression"])
