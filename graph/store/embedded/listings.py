"""Listings in pages. A cursor is the sort key of the last item, so that a page costs the same wherever it starts."""

from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import TypeVar

import apsw

from graph.model import EdgeKind, Entity, Event, LabelFilter, Message, NodeKind, Session, Statement, Summary, TimeRange, to_micros
from graph.model.filters import LabelCondition
from graph.store.embedded.as_of import holds, known, states_what_holds
from graph.store.embedded.files.connection import json_list, rows
from graph.store.embedded.rows.kind_numbers import STATEMENTS
from graph.store.embedded.rows.node_keys import keys_of
from graph.store.embedded.rows.node_rows import read_nodes, read_session
from graph.store.embedded.searching.filter import session_keys
from graph.store.port import PAGE_BYTES, Cursor, EntityQuery, EventQuery, MessageQuery, Page, StatementQuery, count_within
from graph.store.rules.paging import page_within
from graph.text.names import folded

N = TypeVar("N", Message, Event, Statement, Entity, Summary)
_START = -(2**62)


class Conditions:
    """The WHERE of a listing, with its values."""

    def __init__(self, *fixed: str) -> None:
        self.terms = list(fixed)
        self.values: list[int | str] = []

    def add(self, term: str, *values: int | str) -> None:
        """A condition, with the values of its question marks."""
        self.terms.append(term)
        self.values.extend(values)

    def one_of(self, column: str, values: Iterable[int | str]) -> None:
        """The column has one of these values."""
        self.add(f"{column} IN (SELECT value FROM json_each(?))", json_list(values))

    def within(self, column: str, range_: TimeRange | None) -> None:
        """The column lies in the range, if there is one."""
        if range_ is not None:
            self.add(f"{column} >= ? AND {column} < ?", to_micros(range_.start), to_micros(range_.end))

    def __str__(self) -> str:
        return " AND ".join(self.terms)


def list_sessions(db: apsw.Connection, cursor: Cursor | None, limit: int, max_bytes: int = PAGE_BYTES) -> Page[Session]:
    """See `Memory.list_sessions`."""
    found = rows(db, "SELECT key FROM sessions WHERE key > ? ORDER BY key LIMIT ?", (cursor[0] if cursor else 0, limit + 1))
    keys = [key for (key,) in found]
    return page_within(max_bytes, [read_session(db, key) for key in keys[:limit]], [(key,) for key in keys])


def last_messages(db: apsw.Connection, session: str, before: datetime, limit: int) -> tuple[Message, ...]:
    """See `Memory.last_messages`."""
    where = Conditions(f"n.kind = {NodeKind.MESSAGE:d}")
    where.one_of("n.session", session_keys(db, [session]))
    where.add("n.said_at < ?", to_micros(before))
    found = rows(db, f"SELECT n.key FROM nodes n WHERE {where} ORDER BY n.seq DESC, n.key DESC LIMIT ?", (*where.values, limit))
    nodes = read_nodes(db, [key for (key,) in reversed(found)])
    return tuple(node for node in nodes.values() if isinstance(node, Message))


def list_messages(
    db: apsw.Connection, query: MessageQuery, cursor: Cursor | None, limit: int, max_bytes: int = PAGE_BYTES
) -> Page[Message]:
    """See `Memory.list_messages`."""
    where, by_seq = messages_found_by(db, query)
    return page_of_nodes(db, where, "n.seq" if by_seq else "n.said_at", cursor, (limit, max_bytes), Message)


def messages_found_by(db: apsw.Connection, query: MessageQuery) -> tuple[Conditions, bool]:
    """The conditions on nodes `n` that are the messages of a query, and whether they are all of one session."""
    where = Conditions(f"n.kind = {NodeKind.MESSAGE:d}")
    sessions = session_keys(db, query.sessions)
    by_seq = len(query.sessions) == 1
    if by_seq:
        where.add("n.session = ?", sessions[0] if sessions else 0)
    elif query.sessions:
        where.one_of("n.session", sessions)
    if query.speakers:
        where.one_of("n.speaker", query.speakers)
    where.within("n.said_at", query.said)
    _add_labels(where, query.labels)
    if query.as_of is not None:
        where.add(known("n", query.as_of))
    if query.recorded_before is not None:
        where.add("n.recorded_at < ?", to_micros(query.recorded_before))
    return where, by_seq


def _add_labels(where: Conditions, labels: LabelFilter) -> None:
    for condition in labels.all_of:
        _add_any(where, [condition], "EXISTS")
    if labels.any_of:
        _add_any(where, labels.any_of, "EXISTS")
    if labels.none_of:
        _add_any(where, labels.none_of, "NOT EXISTS")


def _add_any(where: Conditions, conditions: Sequence[LabelCondition], exists: str) -> None:
    terms: list[str] = []
    values: list[int | str] = []
    for condition in conditions:
        terms.append("(l.name = ?" + (" AND l.value IN (SELECT value FROM json_each(?)))" if condition.values else ")"))
        values += [condition.key, json_list(condition.values)] if condition.values else [condition.key]
    where.add(f"{exists} (SELECT 1 FROM labels l WHERE l.message = n.key AND ({' OR '.join(terms)}))", *values)


def list_events(db: apsw.Connection, query: EventQuery, cursor: Cursor | None, limit: int, max_bytes: int = PAGE_BYTES) -> Page[Event]:
    """See `Memory.list_events`. A range takes the events whose span overlaps it."""
    where = Conditions(f"n.kind = {NodeKind.EVENT:d}", "n.retired_at IS NULL")
    if query.sessions:
        where.one_of("n.session", session_keys(db, query.sessions))
    if query.range is not None:
        # A span that starts and ends at once is an instant and lies within the range from its first instant on.
        where.add("n.starts_at < ?", to_micros(query.range.end))
        where.add("max(n.ends_at, n.starts_at + 1) > ?", to_micros(query.range.start))
    if query.entity_ids:
        entities = list(keys_of(db, query.entity_ids).values())
        where.add(
            f"""EXISTS (SELECT 1 FROM edges e WHERE e.src = n.key AND e.kind = {EdgeKind.INVOLVES:d}
                AND e.dst IN (SELECT value FROM json_each(?)))""",
            json_list(entities),
        )
    if query.as_of is not None:
        where.add(known("n", query.as_of))
        where.add(states_what_holds("n", query.as_of))
    return page_of_nodes(db, where, "n.starts_at", cursor, (limit, max_bytes), Event)


def list_statements(
    db: apsw.Connection, query: StatementQuery, cursor: Cursor | None, limit: int, max_bytes: int = PAGE_BYTES
) -> Page[Statement]:
    """See `Memory.list_statements`."""
    where = Conditions(f"n.kind IN ({STATEMENTS})")
    if len(query.kinds) == 1:
        where.one_of("n.kind", query.kinds)
    if not query.include_retired:
        where.add("n.retired_at IS NULL")
    if query.sessions:
        where.one_of("n.session", session_keys(db, query.sessions))
    if query.speakers:
        where.one_of("n.speaker", query.speakers)
    where.within("n.said_at", query.said)
    if query.entity_ids:
        entities = list(keys_of(db, query.entity_ids).values())
        where.add(
            f"n.key IN (SELECT e.src FROM json_each(?) j CROSS JOIN edges e ON e.dst = j.value AND e.kind = {EdgeKind.MENTIONS:d})",
            json_list(entities),
        )
    if query.as_of is not None:
        where.add(known("n", query.as_of))
        where.add(holds("n.key", query.as_of))
    return page_of_nodes(db, where, "n.said_at", cursor, (limit, max_bytes), Statement)


def list_entities(db: apsw.Connection, query: EntityQuery, cursor: Cursor | None, limit: int, max_bytes: int = PAGE_BYTES) -> Page[Entity]:
    """See `Memory.list_entities`."""
    where = Conditions(f"n.kind = {NodeKind.ENTITY:d}")
    if query.kinds:
        where.add("(SELECT x.kind FROM entities x WHERE x.key = n.key) IN (SELECT value FROM json_each(?))", json_list(query.kinds))
    if query.name:
        where.add("n.key IN (SELECT a.entity FROM entity_names a WHERE a.folded = ?)", folded(query.name))
    return page_of_nodes(db, where, "0", cursor, (limit, max_bytes), Entity)


def page_of_nodes(
    db: apsw.Connection, where: Conditions, order: str, cursor: Cursor | None, bounds: tuple[int, int], kind: type[N]
) -> Page[N]:
    """One page of nodes by (order, key), of at most so many and of so many bytes; what it has no room for is not read."""
    limit, max_bytes = bounds
    if order == "0":
        where.add("n.key > ?", cursor[1] if cursor else _START)
        ordering = "n.key"
    else:
        if cursor:
            where.add(f"({order}, n.key) > (?, ?)", *cursor)
        ordering = f"{order}, n.key"
    # The length of a blob is known without reading it.
    sql = f"SELECT {order}, n.key, length(n.body) FROM nodes n WHERE {where} ORDER BY {ordering} LIMIT ?"
    found = rows(db, sql, (*where.values, limit + 1))
    within = count_within([length for _, _, length in found[:limit]], max_bytes)
    nodes = read_nodes(db, [key for _, key, _ in found[:within]])
    return page_within(max_bytes, [node for node in nodes.values() if isinstance(node, kind)], [row[:2] for row in found])
