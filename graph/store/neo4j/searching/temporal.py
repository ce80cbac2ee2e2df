"""The temporal channel: memories said or happening in the times that a query names, from the indexes on times."""

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from graph.model import NodeKind, TimeSpan, to_micros
from graph.store.neo4j.connection import Connection
from graph.store.neo4j.schema import NODE_LABELS
from graph.store.neo4j.searching.channels import Hit, best_hits
from graph.store.neo4j.searching.filters import SearchFilter
from graph.store.neo4j.spans import SPAN_WIDTHS

# Of spans of one class that overlap a time, so many times more than wanted are looked at: they differ in length.
_SPAN_OVERFETCH = 2
# The last class of spans has no longest one; such as last a lifetime are looked for around their start.
_OPEN = 2**62


async def temporal(connection: Connection, namespace: str, spans: Sequence[TimeSpan], limit: int, chosen: SearchFilter) -> list[Hit]:
    """The `limit` memories whose `said_at` or spans overlap one of these spans, the most specific and closest first.

    The cost of a time is that of `graph.store.search.temporal`. What was said is an instant, so the ones nearest to the middle of the
    query's span are the cheapest; of spans of one class of length those that lie nearest are looked at.
    """
    if limit <= 0 or not spans:
        return []
    rows: list[Any] = []
    costs: list[NDArray[np.float64]] = []
    query = _query(chosen)
    for span in spans:
        start = to_micros(span.start)
        end = max(to_micros(span.end), start + 1)
        values = {"namespace": namespace, "limit": limit, "spans": _SPAN_OVERFETCH * limit, **chosen.all.parameters, **_bounds(start, end)}
        [[found]] = await connection.rows(query, values)
        rows += found
        costs.append(_costs(np.array([row[3:5] for row in found], np.int64).reshape(-1, 2), start, end))
    return best_hits(rows, -np.concatenate(costs), limit)


def _bounds(start: int, end: int) -> dict[str, int]:
    """Of the time, and for each class of spans where those begin that overlap it, and where one begins that has the same middle."""
    middle = (start + end) // 2
    bounds = {"start": start, "end": end, "middle": middle}
    for width, longest in enumerate((*SPAN_WIDTHS, _OPEN)):
        low = start - longest
        bounds[f"low{width}"] = low
        bounds[f"pivot{width}"] = start if longest == _OPEN else min(max(middle - longest // 2, low), end)
    return bounds


def _query(chosen: SearchFilter) -> str:
    parts = [half for kind in sorted(chosen.kinds) for half in _said(kind, str(chosen.all))]
    for width in range(len(SPAN_WIDTHS) + 1):
        parts += _named(width, str(chosen.all))
    return f"CALL () {{ {' UNION ALL '.join(parts)} }} RETURN collect(place)"


def _said(kind: NodeKind, passing: str) -> list[str]:
    """What was said in the time, from its middle on and before it."""
    at = "sent_at" if kind is NodeKind.MESSAGE else "said_at"
    current = "true" if kind is NodeKind.MESSAGE else "m.retired_at IS NULL"
    halves = (f"m.{at} >= $middle AND m.{at} < $end", ""), (f"m.{at} >= $start AND m.{at} < $middle", " DESC")
    return [
        f"""MATCH (m:{NODE_LABELS[kind]}) WHERE m.namespace = $namespace AND {half} AND m.key IS NOT NULL AND {current} AND {passing}
        WITH m ORDER BY m.namespace{order}, m.{at}{order} LIMIT $limit RETURN [m.key, id(m), false, m.said_at, m.said_at] AS place"""
        for half, order in halves
    ]


def _named(width: int, passing: str) -> list[str]:
    """Spans of one class that overlap the time, from the start that would put one into its middle on and before it."""
    halves = (
        (f"s.starts_at >= $pivot{width} AND s.starts_at < $end", ""),
        (f"s.starts_at >= $low{width} AND s.starts_at < $pivot{width}", " DESC"),
    )
    return [
        f"""MATCH (s:Span) WHERE s.namespace = $namespace AND s.width = {width} AND {half} AND (s.ends_at > $start OR s.starts_at >= $start)
        MATCH (m)-[:NAMES_TIME]->(s) WHERE {passing}
        WITH m, s ORDER BY s.namespace{order}, s.width{order}, s.starts_at{order} LIMIT $spans
        RETURN [m.key, id(m), false, s.starts_at, s.ends_at] AS place"""
        for half, order in halves
    ]


def _costs(times: NDArray[np.int64], start: int, end: int) -> NDArray[np.float64]:
    width = end - start
    wider = np.maximum(times[:, 1] - times[:, 0], width) / width
    # Twice the distance of the middles, so that it stays a whole number.
    apart = np.abs((times[:, 0] - start) + (times[:, 1] - end)) / (2 * width)
    return np.asarray(wider + apart, np.float64)
