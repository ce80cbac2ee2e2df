"""Conditions of Cypher that a node, or what it states, was known and held as of a moment."""

from graph.model import AsOf, to_micros
from graph.store.neo4j.rows.conditions import Conditions


def said_before(node: str, moment: str) -> str:
    """That a message, statement or event was said before the moment, in microseconds, and so was all that it rests on."""
    later = f"EXISTS {{ MATCH ({node})-[:EVIDENCED_BY]->(w:Message) WHERE w.said_at >= {moment} }}"
    return f"({node}.said_at < {moment} AND NOT {later})"


def add_known(where: Conditions, node: str, as_of: AsOf) -> None:
    """That it was said by then."""
    if as_of.known is not None:
        where.add(said_before(node, where.value(to_micros(as_of.known))))


def add_holds(where: Conditions, node: str, as_of: AsOf) -> None:
    """That nothing had replaced it by then."""
    where.add(_holds(where, node, as_of))


def add_states_what_holds(where: Conditions, event: str, as_of: AsOf) -> None:
    """That the event states something that held then, or nothing at all."""
    states = f"MATCH ({event})-[:STATES]->(s)"
    where.add(f"(NOT EXISTS {{ {states} }} OR EXISTS {{ {states} WHERE {_holds(where, 's', as_of)} }})")


def add_all_said(where: Conditions, summary: str, as_of: AsOf) -> None:
    """That all that a summary tells of was said by then, down to the messages that its events rest on."""
    if as_of.known is not None:
        moment = where.value(to_micros(as_of.known))
        later = f"MATCH ({summary})-[:SUMMARIZES*1..]->(:Event)-[:EVIDENCED_BY]->(w:Message) WHERE w.said_at >= {moment}"
        where.add(f"({summary}.said_to < {moment} AND NOT EXISTS {{ {later} }})")


def _holds(where: Conditions, node: str, as_of: AsOf) -> str:
    """Relationships tell times as ISO 8601 in UTC, which sorts as the times do."""
    seen = ["c.reverted_at IS NULL", "r.retired_at IS NULL"]
    if as_of.known is not None:
        seen.append(f"coalesce(c.known_at, '') < {where.value(as_of.known.isoformat())}")
    if as_of.valid is not None:
        seen.append(f"coalesce(c.valid_from, '') <= {where.value(as_of.valid.isoformat())}")
    return f"NOT EXISTS {{ MATCH ({node})<-[c:SUPERSEDES]-(r) WHERE {' AND '.join(seen)} }}"
