"""The keys behind what a query names, for the search index: sessions, messages whose labels pass, memories to measure besides."""

from collections.abc import Sequence
from typing import Any

import numpy as np

from graph.model import MEMORY_KINDS
from graph.store.candidates import CandidateQuery
from graph.store.neo4j.driver.connection import Connection
from graph.store.neo4j.rows.conditions import label_values, labels_pass
from graph.store.neo4j.rows.node_reading import ids_by_kind
from graph.store.neo4j.schema import NODE_LABELS
from graph.store.neo4j.searching.changes import Head, read_head
from graph.store.rules.index_queries import ResolvedNames

_SESSIONS = """CALL (n) { UNWIND $at.sessions AS name MATCH (s:Session {namespace: n.name, name: name})
    RETURN collect(s.key) AS sessions }"""
_INCLUDED = [
    (
        f"""CALL (n) {{ UNWIND $at.{label} AS id MATCH (m:{label} {{namespace: n.name, id: id}}) RETURN collect(m.key) AS {label} }}""",
        label,
    )
    for label in (NODE_LABELS[kind] for kind in sorted(MEMORY_KINDS))
]
_LABELLED = f"""CALL (n) {{ MATCH (m:Message) WHERE m.namespace = n.name AND m.key > 0 AND {labels_pass("m", "$at.labels")}
    RETURN collect(m.key) AS labelled }}"""


async def resolved_head(connection: Connection, namespace: str, since: int, query: CandidateQuery) -> tuple[Head, ResolvedNames]:
    """The head of the namespace and the keys behind the query's names, in one round trip."""
    chosen = query.filter
    parts = [(_SESSIONS, "sessions"), *_INCLUDED, *([(_LABELLED, "labelled")] if chosen.labels else [])]
    head = await read_head(connection, namespace, since, parts, {"at": _named(query)})
    sessions, *found = head.answers
    labelled = found.pop() if chosen.labels else None
    return head, ResolvedNames(
        frozenset(sessions) if chosen.sessions else None,
        None if labelled is None else np.sort(np.array(labelled, np.int64)),
        np.unique(np.array([key for keys in found for key in keys], np.int64)),
    )


def _named(query: CandidateQuery) -> dict[str, Sequence[Any] | dict[str, Any]]:
    included = ids_by_kind(query.include)
    ids: dict[str, Sequence[Any]] = {NODE_LABELS[kind]: included.get(kind, []) for kind in MEMORY_KINDS}
    return {"sessions": list(query.filter.sessions), "labels": label_values(query.filter.labels), **ids}
