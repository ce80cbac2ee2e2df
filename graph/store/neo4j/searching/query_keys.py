"""The keys behind what a query names, for the search index: sessions, messages whose labels pass, memories to measure besides."""

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from graph.model import MEMORY_KINDS
from graph.store.candidates import CandidateQuery
from graph.store.neo4j.driver.connection import Connection
from graph.store.neo4j.rows.conditions import label_values, labels_pass
from graph.store.neo4j.rows.node_reading import ids_by_kind
from graph.store.neo4j.schema import NODE_LABELS
from graph.store.neo4j.searching.changes import Head, read_head
from graph.store.rules.index_queries import ResolvedNames


def _sessions(name: str) -> tuple[str, str]:
    return (
        f"""CALL (n) {{ UNWIND $at.{name} AS name MATCH (s:Session {{namespace: n.name, name: name}})
    RETURN collect(s.key) AS {name} }}""",
        name,
    )


def _memories(prefix: str) -> list[tuple[str, str]]:
    return [
        (
            f"""CALL (n) {{ UNWIND $at.{prefix}{label} AS id MATCH (m:{label} {{namespace: n.name, id: id}})
    RETURN collect(m.key) AS {prefix}{label} }}""",
            f"{prefix}{label}",
        )
        for label in (NODE_LABELS[kind] for kind in sorted(MEMORY_KINDS))
    ]


_INCLUDED, _EXCLUDED = _memories(""), _memories("not")
_LABELLED = f"""CALL (n) {{ MATCH (m:Message) WHERE m.namespace = n.name AND m.key > 0 AND {labels_pass("m", "$at.labels")}
    RETURN collect(m.key) AS labelled }}"""


async def resolved_head(connection: Connection, namespace: str, since: int, query: CandidateQuery) -> tuple[Head, ResolvedNames]:
    """The head of the namespace and the keys behind the query's names, in one round trip."""
    chosen = query.filter
    parts = [_sessions("sessions"), *_INCLUDED, *([(_LABELLED, "labelled")] if chosen.labels else [])]
    # Only where something is left out, so that all other queries keep their one plan.
    without = [_sessions("not_sessions"), *_EXCLUDED] if chosen.not_sessions or chosen.not_ids else []
    head = await read_head(connection, namespace, since, parts + without, {"at": _named(query)})
    sessions, *found = head.answers[: len(parts)]
    not_sessions, *not_memories = head.answers[len(parts) :] or [()]
    labelled = found.pop() if chosen.labels else None
    return head, ResolvedNames(
        frozenset(sessions) if chosen.sessions else None,
        None if labelled is None else np.sort(np.array(labelled, np.int64)),
        _joined(found),
        frozenset(not_sessions),
        _joined(not_memories),
    )


def _joined(found: Sequence[Sequence[int]]) -> NDArray[np.int64]:
    return np.unique(np.array([key for keys in found for key in keys], np.int64))


def _named(query: CandidateQuery) -> dict[str, Sequence[Any] | dict[str, Any]]:
    chosen = query.filter
    included, excluded = ids_by_kind(query.include), ids_by_kind(chosen.not_ids)
    ids: dict[str, Sequence[Any]] = {}
    for kind in MEMORY_KINDS:
        ids |= {NODE_LABELS[kind]: included.get(kind, []), f"not{NODE_LABELS[kind]}": excluded.get(kind, [])}
    names = {"sessions": list(chosen.sessions), "not_sessions": list(chosen.not_sessions)}
    return {**names, "labels": label_values(chosen.labels), **ids}
