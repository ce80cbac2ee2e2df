"""From rows to nodes. What nodes list (evidence, statements, participants, entities) is filled from the edges, for many nodes at once."""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

import apsw
import orjson

from graph.model import EdgeKind, Entity, Event, Message, Node, NodeKind, Participant, Seed, Session, Statement, SummaryLevel, from_micros
from graph.store.embedded.files.connection import row as one_row
from graph.store.embedded.files.connection import rows as all_rows
from graph.store.embedded.rows.kind_numbers import ABOVE_EVENTS, MEMORIES
from graph.store.embedded.rows.node_bodies import span_of
from graph.store.embedded.rows.node_keys import keys_of, node_id
from graph.store.embedded.rows.session_rows import session_row
from graph.store.port import NodesWithin
from graph.store.rules.appending import versions_of
from graph.store.rules.consolidating import seed_of, summary_of
from graph.store.rules.node_bytes import OVERHEAD
from graph.store.rules.node_records import node_of

_COLUMNS = ("key", "uuid", "kind", "session", "seq", "speaker", "role", "said_at", "recorded_at", "retired_at", "generation", "client_id")
# `= +?` instead of `= ?`: SQLite plans a join anew for every value that it is given, unless an expression hides it. That costs three times
# as much as finding the row.
_SELECT = f"""SELECT {", ".join("s.name" if name == "session" else f"n.{name}" for name in _COLUMNS)}, n.body
    FROM nodes n LEFT JOIN sessions s ON s.key = n.session WHERE n.key = +?"""
_SESSION_COLUMNS = ("name", "time_zone", "message_count", "first_sent_at", "last_sent_at", "extracted_seq")
_SELECT_SESSION = f"""SELECT n.uuid, n.recorded_at, {", ".join(f"s.{name}" for name in _SESSION_COLUMNS)}
    FROM sessions s JOIN nodes n ON n.key = s.key WHERE s.key = +?"""
_BATCH = 1_000
_NEXT_MEMORIES = f"SELECT key FROM nodes WHERE key > ? AND kind IN ({MEMORIES}) AND retired_at IS NULL ORDER BY key LIMIT ?"
_LINKED = (NodeKind.EVENT, NodeKind.FACT, NodeKind.RELATION, NodeKind.SUMMARY)


@dataclass(slots=True)
class _Links:
    """What the edges of one node say."""

    evidence: list[str] = field(default_factory=list)
    statements: list[str] = field(default_factory=list)
    entities: list[str] = field(default_factory=list)
    participants: list[Participant] = field(default_factory=list)
    event: str = ""
    members: list[str] = field(default_factory=list)
    seeds: list[Seed] = field(default_factory=list)

    def of_event(self) -> dict[str, Any]:
        """The fields of an event that they fill."""
        lists = {"evidence_ids": tuple(self.evidence), "statement_ids": tuple(self.statements)}
        return {**lists, "participants": tuple(self.participants)}

    def of_statement(self) -> dict[str, Any]:
        """The fields of a statement that they fill."""
        return {"evidence_ids": tuple(self.evidence), "entity_ids": tuple(self.entities), "event_id": self.event}

    def of_summary(self) -> dict[str, Any]:
        """The fields of a summary that they fill."""
        return {"member_ids": tuple(self.members), "seeds": tuple(self.seeds)}


_NO_LINKS = _Links()


def get_nodes(db: apsw.Connection, ids: Sequence[str]) -> dict[str, Node]:
    """See `Memory.get_nodes`."""
    return {node.id: node for node in read_nodes(db, list(keys_of(db, ids).values())).values()}


def get_session(db: apsw.Connection, name: str) -> Session | None:
    """See `Memory.get_session`."""
    row = session_row(db, name)
    return None if row is None else read_session(db, row.key)


def read_nodes(db: apsw.Connection, keys: Sequence[int], *, linked: bool = True) -> dict[int, Node]:
    """The nodes with these keys, in the order of the keys; unless `linked`, without what their edges say."""
    rows = [
        (dict(zip(_COLUMNS, columns, strict=True)), orjson.loads(body))
        for *columns, body in db.executemany(_SELECT, [(key,) for key in keys])
    ]
    keys_linked = [row["key"] for row, _ in rows if row["kind"] in _LINKED]
    links = _links(db, keys_linked) if linked else {key: _Links() for key in keys_linked}
    return {row["key"]: _node(db, row, body, links.get(row["key"], _NO_LINKS)) for row, body in rows}


def read_memories(db: apsw.Connection) -> Iterator[dict[int, Message | Statement]]:
    """All current messages and statements, without what their edges say, by key and some at a time."""
    after = 0
    while found := all_rows(db, _NEXT_MEMORIES, (after, _BATCH)):
        keys = [key for (key,) in found]
        nodes = read_nodes(db, keys, linked=False)
        yield {key: node for key, node in nodes.items() if isinstance(node, Message | Statement)}
        after = keys[-1]


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


def _node(db: apsw.Connection, row: dict[str, Any], body: dict[str, Any], links: _Links) -> Node:
    key, kind = row["key"], NodeKind(row["kind"])
    record = {**row, **body, "id": node_id(kind, row["uuid"])}
    match kind:
        case NodeKind.MESSAGE:
            record |= {"sent_at": row["said_at"], "image_caption": body.get("caption"), "edited_at": body.get("edited_at")}
            return node_of(Message, record, labels=body.get("labels", {}), versions=versions_of(body.get("versions", ())))
        case NodeKind.EVENT:
            return node_of(Event, record, time=span_of(body["time"]), **links.of_event())
        case NodeKind.FACT | NodeKind.RELATION:
            return node_of(Statement, record, time=span_of(body["time"]), **links.of_statement())
        case NodeKind.ENTITY:
            entity_kind, mentions = one_row(db, "SELECT kind, mentions FROM entities WHERE key = ?", (key,))
            return node_of(Entity, record | {"kind": entity_kind, "mention_count": mentions})
        case NodeKind.SESSION:
            return read_session(db, key)
        case NodeKind.SUMMARY:
            said_to, stale = one_row(db, "SELECT said_to, stale_since FROM summaries WHERE key = ?", (key,))
            return summary_of(
                body,
                id=record["id"],
                level=SummaryLevel(row["seq"]),
                said_from=from_micros(row["said_at"]),
                said_to=from_micros(said_to),
                recorded_at=from_micros(row["recorded_at"]),
                generation=row["generation"],
                stale_since=None if stale is None else from_micros(stale),
                **links.of_summary(),
            )


def read_session(db: apsw.Connection, key: int) -> Session:
    """The session with this key, which exists."""
    uuid, recorded_at, *columns = one_row(db, _SELECT_SESSION, (key,))
    record = dict(zip(_SESSION_COLUMNS, columns, strict=True))
    return node_of(Session, record, id=node_id(NodeKind.SESSION, uuid), recorded_at=from_micros(recorded_at))


def _links(db: apsw.Connection, keys: Sequence[int]) -> dict[int, _Links]:
    links: dict[int, _Links] = defaultdict(_Links)
    for key in keys:
        links[key] = _Links()
    _fill_targets(db, keys, links)
    sources = db.executemany(
        f"SELECT e.dst, n.uuid, n.kind FROM edges e JOIN nodes n ON n.key = e.src WHERE e.dst = +? AND e.kind = {EdgeKind.STATES:d}",
        [(key,) for key in keys],
    )
    for key, uuid, kind in sources:
        links[key].event = node_id(kind, uuid)
    return links


def _fill_targets(db: apsw.Connection, keys: Iterable[int], links: dict[int, _Links]) -> None:
    rows: Iterable[tuple[Any, ...]] = db.executemany(
        f"""SELECT e.src, e.kind, n.uuid, n.kind, e.properties, CASE e.kind WHEN {EdgeKind.INVOLVES:d} THEN n.body END
           FROM edges e JOIN nodes n ON n.key = e.dst
           WHERE e.src = +? AND (e.kind BETWEEN {EdgeKind.EVIDENCED_BY:d} AND {EdgeKind.MENTIONS:d} OR e.kind IN ({ABOVE_EVENTS}))
           ORDER BY e.kind, e.ordinal""",
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
            case EdgeKind.SUMMARIZES:
                links[key].members.append(target)
            case EdgeKind.SEEDED_BY:
                links[key].seeds.append(seed_of(target, orjson.loads(properties)))
