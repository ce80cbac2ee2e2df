"""The temporal channel: memories said or happening in the times that a query names, from the indexes on times."""

import asyncio
from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from graph.model import MEMORY_KINDS, NodeKind, TimeSpan, to_micros
from graph.store.neo4j.driver.connection import Connection
from graph.store.neo4j.rows.spans import SPAN_WIDTHS
from graph.store.neo4j.schema import NODE_LABELS
from graph.store.neo4j.searching.channels import Hit, best_hits
from graph.store.neo4j.searching.filters import SearchFilter

# Of spans of one class that overlap a time, so many times more than wanted are looked at: they differ in length.
_SPAN_OVERFETCH = 2
# Labels are judged after that, once and not in each part of the queries, whose plans would take long to make.
_LABEL_OVERFETCH = 8
# The last class of spans has no longest one; such as last a lifetime are looked for around their start.
_OPEN = 2**62


async def temporal(connection: Connection, namespace: str, spans: Sequence[TimeSpan], limit: int, chosen: SearchFilter) -> list[Hit]:
    """The `limit` memories whose `said_at` or spans overlap one of these spans, the most specific and closest first.

    The cost of a time is that of `graph.store.search.temporal`. What was said is an instant, so the ones nearest to the middle of the
    query's span are the cheapest; of spans of one class of length those that lie nearest are looked at.
    """
    if limit <= 0 or not spans:
        return []
    windows = [(to_micros(span.start), max(to_micros(span.end), to_micros(span.start) + 1)) for span in spans]
    queries = _said_query(chosen), _named_query(chosen)
    most = limit * (_LABEL_OVERFETCH if chosen.labels != "true" else 1)
    shared = {"namespace": namespace, "limit": most, "most_spans": _SPAN_OVERFETCH * most, **chosen.parameters}
    asked = [(query, start, end) for start, end in windows for query in queries]
    answers = await asyncio.gather(*(connection.rows(query, shared | _bounds(start, end)) for query, start, end in asked))
    rows: list[Any] = []
    costs: list[NDArray[np.float64]] = []
    for [[found]], (_, start, end) in zip(answers, asked, strict=True):
        rows += found
        costs.append(_costs(np.array([row[3:5] for row in found], np.int64).reshape(-1, 2), start, end))
    return best_hits(rows, -np.concatenate(costs), limit)


def _bounds(start: int, end: int) -> dict[str, Any]:
    """Of the time, and for each class of spans where those begin that overlap it, and where one begins that has the same middle."""
    middle = (start + end) // 2
    classes = [
        {
            "width": width,
            "low": start - longest,
            "pivot": start if longest == _OPEN else max(min(middle - longest // 2, end), start - longest),
        }
        for width, longest in enumerate((*SPAN_WIDTHS, _OPEN))
    ]
    return {"at": {"start": start, "end": end, "middle": middle, "classes": classes}}


def _said_query(chosen: SearchFilter) -> str:
    """What was said in the time, of each kind from the middle on and before it."""
    parts = []
    for kind in sorted(MEMORY_KINDS):
        at = "sent_at" if kind is NodeKind.MESSAGE else "said_at"
        halves = (f"m.{at} >= $at.middle AND m.{at} < $at.end", ""), (f"m.{at} >= $at.start AND m.{at} < $at.middle", " DESC")
        parts += [
            f"""MATCH (m:{NODE_LABELS[kind]}) WHERE m.namespace = $namespace AND {half} AND m.key IS NOT NULL
            AND m.retired_at IS NULL AND {chosen.of_memories}
            WITH m ORDER BY m.namespace{order}, m.{at}{order} LIMIT $limit RETURN m, [m.key, id(m), false, m.said_at, m.said_at] AS found"""
            for half, order in halves
        ]
    return f"CALL () {{ {' UNION ALL '.join(parts)} }} WITH m, found WHERE {chosen.labels} RETURN collect(found)"


def _named_query(chosen: SearchFilter) -> str:
    """Spans that overlap the time, of each class from the start that would put one into its middle on, and before it."""
    halves = (
        ("s.starts_at >= class.pivot AND s.starts_at < $at.end", ""),
        ("s.starts_at >= class.low AND s.starts_at < class.pivot", " DESC"),
    )
    parts = [
        f"""MATCH (s:Span) WHERE s.namespace = $namespace AND s.width = class.width AND {half}
        AND (s.ends_at > $at.start OR s.starts_at >= $at.start)
        MATCH (m)-[:NAMES_TIME]->(s) WHERE {chosen.of_memories}
        WITH m, s ORDER BY s.namespace{order}, s.width{order}, s.starts_at{order} LIMIT $most_spans
        RETURN m, [m.key, id(m), false, s.starts_at, s.ends_at] AS found"""
        for half, order in halves
    ]
    return f"""UNWIND $at.classes AS class CALL (class) {{ {" UNION ALL ".join(parts)} }}
        WITH m, found WHERE {chosen.labels} RETURN collect(found)"""


def _costs(times: NDArray[np.int64], start: int, end: int) -> NDArray[np.float64]:
    width = end - start
    wider = np.maximum(times[:, 1] - times[:, 0], width) / width
    # Twice the distance of the middles, so that it stays a whole number.
    apart = np.abs((times[:, 0] - start) + (times[:, 1] - end)) / (2 * width)
    return np.asarray(wider + apart, np.float64)
