"""Listings in pages. A cursor is the sort key of the last item, so that a page costs the same wherever it starts.

ORDER BY names every column of an index from the first on; otherwise all of the namespace would be read and sorted.
"""

from collections.abc import Sequence
from typing import Any, TypeVar

from graph.model import Entity, Event, Message, NodeKind, Session, Statement, to_micros
from graph.store.neo4j.driver.handle import Handle
from graph.store.neo4j.rows.conditions import Conditions
from graph.store.neo4j.rows.node_reading import node_map, node_of
from graph.store.neo4j.schema import NODE_LABELS
from graph.store.port import Cursor, EntityQuery, EventQuery, MessageQuery, Page, StatementQuery
from graph.text.names import folded

N = TypeVar("N", Session, Message, Event, Statement, Entity)
# Before every key and every time that a datetime can hold.
_START = -(2**62)


async def list_sessions(handle: Handle, cursor: Cursor | None, limit: int) -> Page[Session]:
    """See `Memory.list_sessions`."""
    where = _in_namespace()
    _after_key(where, cursor[0] if cursor else 0)
    listed = await _page(handle, NodeKind.SESSION, where, ("m.key",), limit)
    return _page_of(Session, listed, limit)


async def list_messages(handle: Handle, query: MessageQuery, cursor: Cursor | None, limit: int) -> Page[Message]:
    """See `Memory.list_messages`: of one session by (seq, key), else by (sent_at, key)."""
    where = _in_namespace()
    by_seq = len(query.sessions) == 1
    if by_seq:
        where.add(f"m.session = {where.value(query.sessions[0])} AND m.seq > {where.value(cursor[0] if cursor else _START)}")
    else:
        _after(where, "m.sent_at", cursor)
        if query.sessions:
            where.one_of("m.session", query.sessions)
    if query.speakers:
        where.one_of("m.speaker", query.speakers)
    where.within("m.sent_at", query.said)
    where.labelled("m", query.labels)
    order = ("m.session", "m.seq") if by_seq else ("m.sent_at", "m.key")
    listed = await _page(handle, NodeKind.MESSAGE, where, order, limit)
    return _page_of(Message, listed, limit, "seq" if by_seq else "sent_at")


async def list_events(handle: Handle, query: EventQuery, cursor: Cursor | None, limit: int) -> Page[Event]:
    """See `Memory.list_events`. A range takes the events whose span overlaps it."""
    where = _in_namespace("m.retired_at IS NULL")
    _after(where, "m.starts_at", cursor)
    if query.sessions:
        where.one_of("m.session", query.sessions)
    if query.range is not None:
        # A span that starts and ends at once is an instant and lies within the range from its first instant on.
        start, end = where.value(to_micros(query.range.start)), where.value(to_micros(query.range.end))
        where.add(f"m.starts_at < {end} AND (m.ends_at > {start} OR m.starts_at >= {start})")
    source = _about(where, query.entity_ids, "INVOLVES", "Event") if query.entity_ids else "MATCH (m:Event)"
    listed = await _page(handle, NodeKind.EVENT, where, ("m.starts_at", "m.key"), limit, source)
    return _page_of(Event, listed, limit, "starts_at")


async def list_statements(handle: Handle, query: StatementQuery, cursor: Cursor | None, limit: int) -> Page[Statement]:
    """See `Memory.list_statements`: facts and relations, each from its own index, merged."""
    where = _in_namespace()
    _after(where, "m.said_at", cursor)
    if not query.include_retired:
        where.add("m.retired_at IS NULL")
    if query.sessions:
        where.one_of("m.session", query.sessions)
    if query.speakers:
        where.one_of("m.speaker", query.speakers)
    where.within("m.said_at", query.said)
    listed: list[Any] = []
    for kind in sorted(query.kinds):
        label = NODE_LABELS[kind]
        source = _about(where, query.entity_ids, "MENTIONS", label) if query.entity_ids else f"MATCH (m:{label})"
        listed += await _page(handle, kind, where, ("m.said_at", "m.key"), limit, source)
    listed.sort(key=lambda found: (found[1]["said_at"], found[1]["key"]))
    return _page_of(Statement, listed[: limit + 1], limit, "said_at")


async def list_entities(handle: Handle, query: EntityQuery, cursor: Cursor | None, limit: int) -> Page[Entity]:
    """See `Memory.list_entities`."""
    where = _in_namespace()
    _after_key(where, cursor[1] if cursor else _START)
    if query.kinds:
        where.one_of("m.kind", sorted(kind.name for kind in query.kinds))
    source = "MATCH (m:Entity)"
    if query.name:
        name = where.value(folded(query.name))
        source = f"MATCH (a:EntityName {{namespace: n.name, folded: {name}}}) MATCH (m:Entity {{namespace: n.name, id: a.entity_id}})"
    listed = await _page(handle, NodeKind.ENTITY, where, ("m.key",), limit, source)
    return _page_of(Entity, listed, limit, "")


def _in_namespace(*fixed: str) -> Conditions:
    return Conditions("m.namespace = n.name", *fixed)


def _after(where: Conditions, column: str, cursor: Cursor | None) -> None:
    """Places after (column, key) of the cursor. Every column of the index needs a condition for it to be used."""
    place, key = cursor or (_START, _START)
    after, after_key = where.value(place), where.value(key)
    where.add(f"{column} >= {after} AND m.key > {_START} AND ({column} > {after} OR m.key > {after_key})")


def _after_key(where: Conditions, key: int | str) -> None:
    where.add(f"m.key > {where.value(key)}")


def _about(where: Conditions, entity_ids: Sequence[str], edge: str, label: str) -> str:
    """The nodes of a label with such an edge to one of these entities; from the entities on, which have fewer than the namespace."""
    ids = where.value(list(dict.fromkeys(entity_ids)))
    return f"UNWIND {ids} AS id MATCH (:Entity {{namespace: n.name, id: id}})<-[:{edge}]-(m:{label}) WITH DISTINCT n, m"


async def _page(handle: Handle, kind: NodeKind, where: Conditions, order: Sequence[str], limit: int, source: str = "") -> list[Any]:
    """Up to limit + 1 nodes (as kind and map) that pass, in order."""
    source = source or f"MATCH (m:{NODE_LABELS[kind]})"
    body = f"""CALL (n) {{ {source} WHERE {where} WITH m ORDER BY {", ".join(("m.namespace", *order))} LIMIT $limit
        RETURN collect({node_map(kind)}) AS found }} RETURN found"""
    (found,) = await handle.row(body, {**where.parameters, "limit": limit + 1})
    return [(kind, row) for row in found]


def _page_of(type_: type[N], listed: Sequence[Any], limit: int, column: str | None = None) -> Page[N]:
    """The page; `column` is what the cursor holds beside the key: "" for 0, None where it holds the key alone."""
    nodes = [node_of(kind, row) for kind, row in listed[:limit]]
    items = tuple(node for node in nodes if isinstance(node, type_))
    if len(listed) <= limit:
        return Page(items, None)
    last = listed[limit - 1][1]
    if column is None:
        return Page(items, (last["key"],))
    return Page(items, (last[column] if column else 0, last["key"]))
