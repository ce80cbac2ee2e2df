"""Conditions of SQL that a node, or what it states, was known and held as of a moment."""

from graph.model import AsOf, EdgeKind, to_micros


def said_before(node: str, moment: int) -> str:
    """That a message, statement or event was said before the moment, in microseconds, and so was all that it rests on."""
    return f"""({node}.said_at < {moment} AND NOT EXISTS (SELECT 1 FROM edges v JOIN nodes w ON w.key = v.dst
        WHERE v.src = {node}.key AND v.kind = {EdgeKind.EVIDENCED_BY:d} AND w.said_at >= {moment}))"""


def known(node: str, as_of: AsOf) -> str:
    """That it was said by then; always true where all that was said counts."""
    return "1" if as_of.known is None else said_before(node, to_micros(as_of.known))


def holds(key: str, as_of: AsOf) -> str:
    """That nothing had replaced the node of this key by then. Edges tell times as ISO 8601 in UTC, which sorts as the times do."""
    seen = ["c.properties ->> 'reverted_at' IS NULL"]
    if as_of.known is not None:
        seen.append(f"coalesce(c.properties ->> 'known_at', '') < '{as_of.known.isoformat()}'")
    if as_of.valid is not None:
        seen.append(f"coalesce(c.properties ->> 'valid_from', '') <= '{as_of.valid.isoformat()}'")
    return f"""NOT EXISTS (SELECT 1 FROM edges c JOIN nodes r ON r.key = c.src AND r.retired_at IS NULL
        WHERE c.dst = {key} AND c.kind = {EdgeKind.SUPERSEDES:d} AND {" AND ".join(seen)})"""


def states_what_holds(event: str, as_of: AsOf) -> str:
    """That the event states something that held then, or nothing at all."""
    states = f"FROM edges s WHERE s.src = {event}.key AND s.kind = {EdgeKind.STATES:d}"
    return f"(NOT EXISTS (SELECT 1 {states}) OR EXISTS (SELECT 1 {states} AND {holds('s.dst', as_of)}))"


def all_said_before(summary: str, moment: int) -> str:
    """That all that a summary tells of was said before the moment, in microseconds, down to the messages that its events rest on."""
    below = f"""WITH RECURSIVE below (key) AS (SELECT {summary}.key UNION
        SELECT e.dst FROM below b JOIN edges e ON e.src = b.key AND e.kind = {EdgeKind.SUMMARIZES:d})"""
    later = f"""{below} SELECT 1 FROM below b JOIN edges v ON v.src = b.key AND v.kind = {EdgeKind.EVIDENCED_BY:d}
        JOIN nodes w ON w.key = v.dst WHERE w.said_at >= {moment}"""
    return f"((SELECT s.said_to FROM summaries s WHERE s.key = {summary}.key) < {moment} AND NOT EXISTS ({later}))"
