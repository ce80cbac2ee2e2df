"""Listings in pages. A cursor is the sort key of the last item, so that a page costs the same wherever it starts.

ORDER BY names every column of an index from the first on; otherwise all of the namespace would be read and sorted.
"""

from collections.abc import Sequence
from datetime import datetime
from typing import Any, NamedTuple, TypeVar

from graph.model import Entity, Event, Message, NodeKind, Session, Statement, Summary, to_micros
from graph.store.neo4j.as_of import add_holds, add_known, add_states_what_holds
from graph.store.neo4j.driver.handle import Handle
from graph.store.neo4j.rows.conditions import Conditions
from graph.store.neo4j.rows.node_reading import count_within, node_map, node_of
from graph.store.neo4j.schema import NODE_LABELS
from graph.store.port import PAGE_BYTES, Cursor, EntityQuery, EventQuery, MessageQuery, Page, StatementQuery
from graph.store.rules.paging import page_within
from graph.text.names import folded

N = TypeVar("N", Session, Message, Event, Statement, Entity, Summary)
# Before every key and every time that a datetime can hold.
START = -(2**62)


class Bounds(NamedTuple):
    """What a page may hold."""

    limit: int
    max_bytes: int


class Listed(NamedTuple):
    """Nodes (as kind and map) in order, as many as were read, and how many there are up to one more than the limit."""

    rows: Sequence[Any]
    total: int


async def list_sessions(handle: Handle, cursor: Cursor | None, limit: int, max_bytes: int = PAGE_BYTES) -> Page[Session]:
    """See `Memory.list_sessions`."""
    bounds = Bounds(limit, max_bytes)
    where = in_namespace()
    _after_key(where, cursor[0] if cursor else 0)
    listed = await page_rows(handle, NodeKind.SESSION, where, ("m.key",), bounds)
    return page_of(Session, listed, bounds)


async def last_messages(handle: Handle, session: str, before: datetime, limit: int) -> tuple[Message, ...]:
    """See `Memory.last_messages`."""
    where = in_namespace()
    where.add(f"m.session = {where.value(session)} AND m.seq > {START} AND m.sent_at < {where.value(to_micros(before))}")
    body = f"""CALL (n) {{ MATCH (m:Message) WHERE {where} WITH m ORDER BY m.namespace DESC, m.session DESC, m.seq DESC LIMIT $limit
        RETURN collect({node_map(NodeKind.MESSAGE)}) AS found }} RETURN found"""
    [found] = await handle.row(body, {**where.parameters, "limit": limit})
    return tuple(node for row in reversed(found) if isinstance(node := node_of(NodeKind.MESSAGE, row), Message))


async def list_messages(
    handle: Handle, query: MessageQuery, cursor: Cursor | None, limit: int, max_bytes: int = PAGE_BYTES
) -> Page[Message]:
    """See `Memory.list_messages`: of one session by (seq, key), else by (sent_at, key)."""
    bounds = Bounds(limit, max_bytes)
    where, order = messages_found_by(query, cursor)
    listed = await page_rows(handle, NodeKind.MESSAGE, where, order, bounds)
    return page_of(Message, listed, bounds, "seq" if len(query.sessions) == 1 else "sent_at")


def messages_found_by(query: MessageQuery, cursor: Cursor | None) -> tuple[Conditions, tuple[str, ...]]:
    """The conditions on nodes `m` that are the messages of a query, and the order that its cursors are of."""
    where = in_namespace()
    by_seq = len(query.sessions) == 1
    if by_seq:
        where.add(f"m.session = {where.value(query.sessions[0])} AND m.seq > {where.value(cursor[0] if cursor else START)}")
    else:
        after(where, "m.sent_at", cursor)
        if query.sessions:
            where.one_of("m.session", query.sessions)
    if query.speakers:
        where.one_of("m.speaker", query.speakers)
    where.within("m.sent_at", query.said)
    where.labelled("m", query.labels)
    if query.as_of is not None:
        add_known(where, "m", query.as_of)
    if query.recorded_before is not None:
        where.add(f"m.recorded_at < {where.value(to_micros(query.recorded_before))}")
    return where, ("m.session", "m.seq") if by_seq else ("m.sent_at", "m.key")


async def list_events(handle: Handle, query: EventQuery, cursor: Cursor | None, limit: int, max_bytes: int = PAGE_BYTES) -> Page[Event]:
    """See `Memory.list_events`. A range takes the events whose span overlaps it."""
    bounds = Bounds(limit, max_bytes)
    where = in_namespace("m.retired_at IS NULL")
    after(where, "m.starts_at", cursor)
    if query.sessions:
        where.one_of("m.session", query.sessions)
    if query.range is not None:
        # A span that starts and ends at once is an instant and lies within the range from its first instant on.
        start, end = where.value(to_micros(query.range.start)), where.value(to_micros(query.range.end))
        where.add(f"m.starts_at < {end} AND (m.ends_at > {start} OR m.starts_at >= {start})")
    if query.as_of is not None:
        add_known(where, "m", query.as_of)
        add_states_what_holds(where, "m", query.as_of)
    source = _about(where, query.entity_ids, "INVOLVES", "Event") if query.entity_ids else "MATCH (m:Event)"
    listed = await page_rows(handle, NodeKind.EVENT, where, ("m.starts_at", "m.key"), bounds, source)
    return page_of(Event, listed, bounds, "starts_at")


async def list_statements(
    handle: Handle, query: StatementQuery, cursor: Cursor | None, limit: int, max_bytes: int = PAGE_BYTES
) -> Page[Statement]:
    """See `Memory.list_statements`: facts and relations, each from its own index, merged."""
    bounds = Bounds(limit, max_bytes)
    where = in_namespace()
    after(where, "m.said_at", cursor)
    if not query.include_retired:
        where.add("m.retired_at IS NULL")
    if query.sessions:
        where.one_of("m.session", query.sessions)
    if query.speakers:
        where.one_of("m.speaker", query.speakers)
    where.within("m.said_at", query.said)
    if query.as_of is not None:
        add_known(where, "m", query.as_of)
        add_holds(where, "m", query.as_of)
    parts: list[Listed] = []
    for kind in sorted(query.kinds):
        label = NODE_LABELS[kind]
        source = _about(where, query.entity_ids, "MENTIONS", label) if query.entity_ids else f"MATCH (m:{label})"
        parts.append(await page_rows(handle, kind, where, ("m.said_at", "m.key"), bounds, source))
    rows = sorted((row for part in parts for row in part.rows), key=lambda found: (found[1]["said_at"], found[1]["key"]))
    return page_of(Statement, Listed(rows, sum(part.total for part in parts)), bounds, "said_at")


async def list_entities(handle: Handle, query: EntityQuery, cursor: Cursor | None, limit: int, max_bytes: int = PAGE_BYTES) -> Page[Entity]:
    """See `Memory.list_entities`."""
    bounds = Bounds(limit, max_bytes)
    where = in_namespace()
    _after_key(where, cursor[1] if cursor else START)
    if query.kinds:
        where.one_of("m.kind", sorted(kind.name for kind in query.kinds))
    source = "MATCH (m:Entity)"
    if query.name:
        name = where.value(folded(query.name))
        source = f"MATCH (a:EntityName {{namespace: n.name, folded: {name}}}) MATCH (m:Entity {{namespace: n.name, id: a.entity_id}})"
    listed = await page_rows(handle, NodeKind.ENTITY, where, ("m.key",), bounds, source)
    return page_of(Entity, listed, bounds, "")


def in_namespace(*fixed: str) -> Conditions:
    """The conditions of nodes `m` of the namespace `n`."""
    return Conditions("m.namespace = n.name", *fixed)


def after(where: Conditions, column: str, cursor: Cursor | None) -> None:
    """Places after (column, key) of the cursor. Every column of the index needs a condition for it to be used."""
    place, key = cursor or (START, START)
    least, after_key = where.value(place), where.value(key)
    where.add(f"{column} >= {least} AND m.key > {START} AND ({column} > {least} OR m.key > {after_key})")


def _after_key(where: Conditions, key: int | str) -> None:
    where.add(f"m.key > {where.value(key)}")


def _about(where: Conditions, entity_ids: Sequence[str], edge: str, label: str) -> str:
    """The nodes of a label with such an edge to one of these entities; from the entities on, which have fewer than the namespace."""
    ids = where.value(list(dict.fromkeys(entity_ids)))
    return f"UNWIND {ids} AS id MATCH (:Entity {{namespace: n.name, id: id}})<-[:{edge}]-(m:{label}) WITH DISTINCT n, m"


async def page_rows(handle: Handle, kind: NodeKind, where: Conditions, order: Sequence[str], bounds: Bounds, source: str = "") -> Listed:
    """Up to limit + 1 nodes that pass, in order; what is read of them ends where a page has no room for more."""
    source = source or f"MATCH (m:{NODE_LABELS[kind]})"
    body = f"""CALL (n) {{ {source} WHERE {where} WITH m ORDER BY {", ".join(("m.namespace", *order))} LIMIT $limit
        WITH collect(m) AS ms
        RETURN [m IN ms[..{count_within(kind)}] | {node_map(kind)}] AS found, size(ms) AS total }} RETURN found, total"""
    found, total = await handle.row(body, {**where.parameters, "limit": bounds.limit + 1, "max_bytes": bounds.max_bytes})
    return Listed([(kind, row) for row in found], total)


def page_of(type_: type[N], listed: Listed, bounds: Bounds, column: str | None = None) -> Page[N]:
    """The page; `column` is what the cursor holds beside the key: "" for 0, None where it holds the key alone."""
    nodes = [node for kind, row in listed.rows[: bounds.limit] if isinstance(node := node_of(kind, row), type_)]
    columns = ("key",) if column is None else (column, "key")
    cursors = [tuple(row[name] if name else 0 for name in columns) for _, row in listed.rows]
    return page_within(bounds.max_bytes, nodes, cursors, listed.total)
