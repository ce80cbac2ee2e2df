"""From rows to nodes. What nodes list (evidence, statements, participants, entities) is filled from the edges, for many nodes at once."""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple

import apsw
import orjson

from graph.model import EdgeKind, Entity, EntityKind, Event, Message, Node, NodeKind, Participant, Role, Session, Statement, from_micros
from graph.store.embedded.files.connection import row as one_row
from graph.store.embedded.rows.node_bodies import span_of
from graph.store.embedded.rows.node_keys import keys_of, node_id
from graph.store.embedded.rows.session_rows import session_row
from graph.store.port import NodesWithin
from graph.store.rules.node_bytes import OVERHEAD

# `= +?` instead of `= ?`: SQLite plans a join anew for every value that it is given, unless an expression hides it. That costs three times
# as much as finding the row.
_SELECT = """
    SELECT n.key, n.uuid, n.kind, s.name, n.seq, n.speaker, n.role, n.said_at, n.recorded_at, n.retired_at, n.generation, n.client_id,
        n.body
    FROM nodes n LEFT JOIN sessions s ON s.key = n.session WHERE n.key = +?
"""
_DERIVED = (NodeKind.EVENT, NodeKind.FACT, NodeKind.RELATION)


class _Row(NamedTuple):
    key: int
    uuid: bytes
    kind: int
    session: str
    seq: int
    speaker: str
    role: int
    said_at: int
    recorded_at: int
    retired_at: int | None
    generation: int
    client_id: str | None
    body: bytes


@dataclass(slots=True)
class _Links:
    """What the edges of one node say."""

    evidence: list[str] = field(default_factory=list)
    statements: list[str] = field(default_factory=list)
    entities: list[str] = field(default_factory=list)
    participants: list[Participant] = field(default_factory=list)
    event: str = ""


def get_nodes(db: apsw.Connection, ids: Sequence[str]) -> dict[str, Node]:
    """See `Memory.get_nodes`."""
    return {node.id: node for node in read_nodes(db, list(keys_of(db, ids).values())).values()}


def get_session(db: apsw.Connection, name: str) -> Session | None:
    """See `Memory.get_session`."""
    row = session_row(db, name)
    return None if row is None else read_session(db, row.key)


def read_nodes(db: apsw.Connection, keys: Sequence[int], *, linked: bool = True) -> dict[int, Node]:
    """The nodes with these keys, in the order of the keys; unless `linked`, without what their edges say."""
    rows = [_Row(*row) for row in db.executemany(_SELECT, [(key,) for key in keys])]
    derived = [row.key for row in rows if row.kind in _DERIVED]
    links = _links(db, derived) if linked else {key: _Links() for key in derived}
    nodes: dict[int, Node] = {}
    for row in rows:
        nodes[row.key] = _node(db, row, links)
    return nodes


def get_nodes_within(db: apsw.Connection, ids: Sequence[str], max_bytes: int) -> NodesWithin:
    """See `Memory.get_nodes_within`."""
    keys = keys_of(db, ids)
    # The length of a blob is known without reading it.
    sizes = dict(db.executemany("SELECT key, length(body) FROM nodes WHERE key = +?", [(key,) for key in keys.values()]))
    kept, omitted = {}, []
    for id_ in dict.fromkeys(ids):
        if id_ not in keys:
            continue
        size = OVERHEAD + sizes[keys[id_]]
        if size > max_bytes:
            omitted.append(id_)
            continue
        max_bytes -= size
        kept[keys[id_]] = id_
    nodes = read_nodes(db, list(kept))
    return NodesWithin({kept[key]: node for key, node in nodes.items()}, tuple(omitted))


def _node(db: apsw.Connection, row: _Row, links: dict[int, _Links]) -> Node:
    match row.kind:
        case NodeKind.MESSAGE:
            return _message(row)
        case NodeKind.EVENT:
            return _event(row, links[row.key])
        case NodeKind.FACT | NodeKind.RELATION:
            return _statement(row, links[row.key])
        case NodeKind.ENTITY:
            return _entity(db, row)
        case _:
            return read_session(db, row.key)


def _message(row: _Row) -> Message:
    body = orjson.loads(row.body)
    return Message(
        id=node_id(row.kind, row.uuid),
        session=row.session,
        seq=row.seq,
        speaker=row.speaker,
        role=Role(row.role),
        text=body["text"],
        sent_at=from_micros(row.said_at),
        recorded_at=from_micros(row.recorded_at),
        client_id=row.client_id or "",
        labels=body.get("labels", {}),
        image_caption=body.get("caption", ""),
    )


def _event(row: _Row, links: _Links) -> Event:
    body = orjson.loads(row.body)
    return Event(
        id=node_id(row.kind, row.uuid),
        session=row.session,
        title=body["title"],
        said_at=from_micros(row.said_at),
        recorded_at=from_micros(row.recorded_at),
        evidence_ids=tuple(links.evidence),
        time=span_of(body["time"]),
        statement_ids=tuple(links.statements),
        participants=tuple(links.participants),
        retired_at=None if row.retired_at is None else from_micros(row.retired_at),
        generation=row.generation,
    )


def _statement(row: _Row, links: _Links) -> Statement:
    body = orjson.loads(row.body)
    return Statement(
        id=node_id(row.kind, row.uuid),
        kind=NodeKind(row.kind),
        session=row.session,
        text=body["text"],
        speaker=row.speaker,
        said_at=from_micros(row.said_at),
        recorded_at=from_micros(row.recorded_at),
        evidence_ids=tuple(links.evidence),
        event_id=links.event,
        entity_ids=tuple(links.entities),
        predicate=body["predicate"],
        subject=body["subject"],
        object=body["object"],
        time=span_of(body["time"]),
        confidence=body["confidence"],
        retired_at=None if row.retired_at is None else from_micros(row.retired_at),
        generation=row.generation,
    )


def _entity(db: apsw.Connection, row: _Row) -> Entity:
    body = orjson.loads(row.body)
    kind, mentions = one_row(db, "SELECT kind, mentions FROM entities WHERE key = ?", (row.key,))
    return Entity(
        id=node_id(row.kind, row.uuid),
        name=body["name"],
        kind=EntityKind(kind),
        recorded_at=from_micros(row.recorded_at),
        aliases=tuple(body["aliases"]),
        mention_count=mentions,
    )


def read_session(db: apsw.Connection, key: int) -> Session:
    """The session with this key, which exists."""
    uuid, name, recorded_at, time_zone, count, first, last, extracted = one_row(
        db,
        """SELECT n.uuid, s.name, n.recorded_at, s.time_zone, s.message_count, s.first_sent_at, s.last_sent_at, s.extracted_seq
           FROM sessions s JOIN nodes n ON n.key = s.key WHERE s.key = +?""",
        (key,),
    )
    return Session(
        id=node_id(NodeKind.SESSION, uuid),
        name=name,
        recorded_at=from_micros(recorded_at),
        time_zone=time_zone,
        message_count=count,
        first_sent_at=None if first is None else from_micros(first),
        last_sent_at=None if last is None else from_micros(last),
        extracted_seq=extracted,
    )


def _links(db: apsw.Connection, keys: Sequence[int]) -> dict[int, _Links]:
    links: dict[int, _Links] = defaultdict(_Links)
    for key in keys:
        links[key] = _Links()
    _fill_targets(db, keys, links)
    sources = db.executemany(
        "SELECT e.dst, n.uuid, n.kind FROM edges e JOIN nodes n ON n.key = e.src WHERE e.dst = +? AND e.kind = 4", [(key,) for key in keys]
    )
    for key, uuid, kind in sources:
        links[key].event = node_id(kind, uuid)
    return links


def _fill_targets(db: apsw.Connection, keys: Iterable[int], links: dict[int, _Links]) -> None:
    rows: Iterable[tuple[Any, ...]] = db.executemany(
        """SELECT e.src, e.kind, n.uuid, n.kind, e.properties, CASE e.kind WHEN 5 THEN n.body END
           FROM edges e JOIN nodes n ON n.key = e.dst WHERE e.src = +? AND e.kind BETWEEN 3 AND 6 ORDER BY e.kind, e.ordinal""",
        [(key,) for key in keys],
    )
    for key, kind, uuid, target_kind, properties, body in rows:
        target = node_id(target_kind, uuid)
        match kind:
            case EdgeKind.EVIDENCED_BY:
                links[key].evidence.append(target)
            case EdgeKind.STATES:
                links[key].statements.append(target)
            case EdgeKind.MENTIONS:
                links[key].entities.append(target)
            case EdgeKind.INVOLVES:
                role = orjson.loads(properties)["role"] if properties else ""
                links[key].participants.append(Participant(target, role, orjson.loads(body)["name"]))
