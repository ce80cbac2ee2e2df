"""A namespace as a stream of records, all of one revision.

Neo4j has no snapshots. What may change without leaving a trace (sessions, entities, summaries, edges that no node implies) is read at
once, under the namespace's lock, and kept; the rest never changes once it is there, and is read in pages of what was there then. Only what
goes meanwhile cannot be told any more: the export is given up when something is deleted or extracted anew.
"""

from collections.abc import AsyncIterator, Iterable, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np

from graph.errors import NamespaceNotFound, StaleWrite
from graph.model import CHANGE_KINDS, EVENT_LINKS, Edge, EdgeKind, Node, NodeKind, SummaryLevel
from graph.store.neo4j.driver.connection import Connection, Row
from graph.store.neo4j.driver.handle import Handle
from graph.store.neo4j.rows.edge_rows import edge_of
from graph.store.neo4j.rows.namespace_rows import NamespaceState
from graph.store.neo4j.rows.node_edges import EDGE_ORDER
from graph.store.neo4j.rows.node_properties import passage_key
from graph.store.neo4j.rows.node_reading import count_within, node_map, node_of
from graph.store.neo4j.rows.summary_properties import vector_of
from graph.store.neo4j.schema import NODE_LABELS
from graph.store.port import ExportRecord, ExtractedSpan, PassageVector, SessionProgress
from graph.store.rules.node_bytes import BATCH_BYTES

_BATCH = 1_000
# What is read while writers wait comes in larger pages.
_LOCKED_BATCH = 5_000
_LOCK = "MATCH (n:Namespace {name: $namespace}) SET n.locked = 'export' WITH count(*) AS held MATCH (n:Namespace {name: $namespace}) "
_BEGIN = f"{_LOCK} WHERE n.state = '{NamespaceState.ACTIVE.value}' RETURN n.uid, n.revision, n.next_key"
_SESSIONS = f"""CALL () {{ MATCH (m:Session) WHERE m.namespace = $namespace AND m.key > $after WITH m ORDER BY m.namespace, m.key
    LIMIT {_LOCKED_BATCH} RETURN collect([m.key, {node_map(NodeKind.SESSION)}]) AS found }} RETURN found"""
_ENTITIES = f"""CALL () {{ MATCH (m:Entity) WHERE m.namespace = $namespace AND m.key > $after WITH m ORDER BY m.namespace, m.key
    LIMIT {_LOCKED_BATCH} RETURN collect([m.key, {node_map(NodeKind.ENTITY)}]) AS found }} RETURN found"""
_SUMMARIES = f"""CALL () {{ MATCH (m:Summary) WHERE m.namespace = $namespace AND m.level = $level AND m.key > $after
    WITH m ORDER BY m.namespace, m.level, m.key LIMIT {_LOCKED_BATCH}
    RETURN collect([m.key, [{node_map(NodeKind.SUMMARY)}, CASE WHEN $vectors THEN m.v16 END]]) AS found }} RETURN found"""
_AGAIN = "MATCH (a:AgainMark) WHERE a.namespace = $namespace AND a.session >= '' AND a.seq > 0 RETURN collect([a.session, a.seq])"
_SPANS = """MATCH (x:ExtractionSpan) WHERE x.namespace = $namespace AND x.session >= '' AND x.last > 0
    WITH x ORDER BY x.session, x.last, x.first RETURN collect([x.session, x.first, x.last, x.read_from, coalesce(x.call, '')])"""
_MARKS = "MATCH (f:FlushMark) WHERE f.namespace = $namespace AND f.session >= '' AND f.seq > 0 RETURN collect([f.session, f.seq])"
_EXPLICIT = {
    NodeKind.ENTITY: (EdgeKind.RELATES, EdgeKind.SAME_AS, EdgeKind.DIFFERENT_FROM),
    NodeKind.EVENT: tuple(sorted(EVENT_LINKS)),
    NodeKind.MESSAGE: (EdgeKind.MENTIONS, *sorted(CHANGE_KINDS)),
    **dict.fromkeys((NodeKind.FACT, NodeKind.RELATION), tuple(sorted(CHANGE_KINDS))),
}
_GONE = """EXISTS { MATCH (c:Change) WHERE c.namespace = $namespace AND c.revision > $revision
    AND (c.removed IS NOT NULL OR c.retired IS NOT NULL) }"""
_STILL = f"OPTIONAL MATCH (n:Namespace {{name: $namespace, uid: $uid}}) RETURN n IS NULL OR {_GONE}"
_EMBEDDED_SINCE = "MATCH (c:Change) WHERE c.namespace = $namespace AND c.revision > $revision RETURN collect(c.embedded)"


class _EdgeAt(NamedTuple):
    """An edge with what it is sorted by."""

    source_key: int
    kind: int
    order: int
    target_key: int
    via: str
    edge: Edge


@dataclass(frozen=True, slots=True)
class _Begun:
    """A namespace at the revision that is exported, with all that may change."""

    uid: str
    revision: int
    next_key: int
    sessions: Sequence[dict[str, Any]]
    marks: dict[str, list[int]]
    again: dict[str, list[int]]
    spans: dict[str, list[ExtractedSpan]]
    entities: Sequence[dict[str, Any]]
    summaries: Sequence[tuple[dict[str, Any], bytes | None]]
    edges: Sequence[_EdgeAt]


async def export(handle: Handle, with_vectors: bool) -> AsyncIterator[Sequence[ExportRecord]]:
    """See `Memory.export`.

    Raises:
        StaleWrite: something was deleted or extracted anew since the export began; it must be begun again.
    """
    connection, name = handle.connection, handle.name
    async with handle.reading():
        begun = await connection.patiently(lambda: _begin(connection, name, with_vectors))
    handle.found(begun.uid, begun.revision)
    values = {"namespace": name, "uid": begun.uid, "revision": begun.revision, "until": begun.next_key}
    for some in _chunks([node_of(NodeKind.SESSION, row) for row in begun.sessions]):
        yield some
    async for messages in _messages(connection, values):
        yield messages
    for some in _chunks([node_of(NodeKind.ENTITY, row) for row in begun.entities]):
        yield some
    async for rows in _pages(connection, (NodeKind.FACT, NodeKind.RELATION), values):
        yield [node_of(kind, row) for kind, row in rows]
    async for rows in _pages(connection, (NodeKind.EVENT,), values):
        yield [node_of(kind, row) for kind, row in rows]
    for some in _chunks([node_of(NodeKind.SUMMARY, row) for row, _ in begun.summaries]):
        yield some
    for some in _chunks([at.edge for at in begun.edges]):
        yield some
    progress = [
        SessionProgress(
            name, row["extracted_seq"], tuple(begun.marks.get(name, ())), tuple(begun.again.get(name, ())), tuple(begun.spans.get(name, ()))
        )
        for row in begun.sessions
        for name in [row["name"]]
    ]
    for some in _chunks(progress):
        yield some
    if with_vectors:
        async for vectors in _vectors(connection, values):
            if vectors:  # passages of long messages may still wait for theirs
                yield vectors
        for some in _chunks([PassageVector(row["id"], 0, vector_of(blob)) for row, blob in begun.summaries if blob is not None]):
            yield some
    await _ensure_whole(connection, values)


def _by_session(pairs: Iterable[tuple[str, int]]) -> dict[str, list[int]]:
    """Seqs in order by session."""
    seqs: dict[str, list[int]] = {}
    for name, seq in sorted(pairs):
        seqs.setdefault(name, []).append(seq)
    return seqs


async def _begin(connection: Connection, namespace: str, with_vectors: bool) -> _Begun:
    async with connection.session(write=True, namespace=namespace) as session, await session.begin_transaction() as tx:

        async def rows(query: str, **parameters: Any) -> list[Row]:
            result = await tx.run(query, {"namespace": namespace, **parameters})  # type: ignore[arg-type, unused-ignore]  # literals of this package
            return await result.values()

        async def paged(query: str, **parameters: Any) -> list[Any]:
            found: list[Any] = []
            after = 0
            while True:
                [[page]] = await rows(query, after=after, **parameters)
                found += page
                if len(page) < _LOCKED_BATCH:
                    return found
                after = page[-1][0]

        begun = await rows(_BEGIN)
        if not begun:
            raise NamespaceNotFound(namespace)
        [(uid, revision, next_key)] = begun
        sessions = [row for _, row in await paged(_SESSIONS)]
        [[marked]] = await rows(_MARKS)
        [[again]] = await rows(_AGAIN)
        spans: dict[str, list[ExtractedSpan]] = {}
        [[found_spans]] = await rows(_SPANS)
        for name, *values in found_spans:
            spans.setdefault(name, []).append(ExtractedSpan(*values))
        entities = [row for _, row in await paged(_ENTITIES)]
        summaries = [pair for level in SummaryLevel for _, pair in await paged(_SUMMARIES, level=level.name, vectors=with_vectors)]
        edges = [edge for kind in _EXPLICIT for _, of_node in await paged(_edges_query(kind)) for edge in _edges(of_node)]
        # Nothing was written but the lock; in a cluster the pages that follow are read of servers that have this commit.
        await tx.commit()
    return _Begun(
        uid,
        revision,
        next_key,
        sessions,
        _by_session(marked),
        _by_session(again),
        spans,
        entities,
        summaries,
        sorted(edges, key=lambda at: at[:5]),
    )


def _edges_query(kind: NodeKind) -> str:
    """Pages of nodes of this kind with their edges that no node implies."""
    types = "|".join(edge.name for edge in _EXPLICIT[kind])
    return f"""CALL () {{ MATCH (m:{NODE_LABELS[kind]}) WHERE m.namespace = $namespace AND m.key > $after WITH m ORDER BY m.namespace, m.key
        LIMIT {_LOCKED_BATCH}
        RETURN collect([m.key, [(m)-[r:{types}]->(x) | [m.key, type(r), {EDGE_ORDER}, x.key, m.id, x.id, properties(r)]]]) AS found }}
        RETURN found"""


def _edges(rows: Sequence[Any]) -> list[_EdgeAt]:
    found = []
    for source_key, name, order, target_key, source_id, target_id, properties in rows:
        edge = edge_of(EdgeKind[name], source_id, target_id, properties)
        found.append(_EdgeAt(source_key, int(edge.kind), order, target_key, edge.via_id, edge))
    return found


async def _messages(connection: Connection, values: dict[str, Any]) -> AsyncIterator[list[Node]]:
    """The messages that were there, in the order of their keys; no more at once than have room in a batch."""
    query = f"""CALL () {{ MATCH (m:Message) WHERE m.namespace = $namespace AND m.key > $after AND m.key < $until
        WITH m ORDER BY m.namespace, m.key LIMIT {_BATCH} RETURN collect(m) AS ms }}
        RETURN [m IN ms[..{count_within(NodeKind.MESSAGE)}] | {node_map(NodeKind.MESSAGE)}]"""
    after = 0
    while True:
        [[found]] = await connection.rows(query, {**values, "after": after, "max_bytes": BATCH_BYTES})
        if not found:
            return
        await _ensure_whole(connection, values)
        after = found[-1]["key"]
        yield [node_of(NodeKind.MESSAGE, row) for row in found]


async def _pages(
    connection: Connection, kinds: Sequence[NodeKind], values: dict[str, Any]
) -> AsyncIterator[list[tuple[NodeKind, dict[str, Any]]]]:
    """Nodes of these kinds that were there, in the order of their keys."""
    parts = [
        f"""MATCH (m:{NODE_LABELS[kind]}) WHERE m.namespace = $namespace AND m.key > $after AND m.key < $until
        WITH m ORDER BY m.namespace, m.key LIMIT {_BATCH} RETURN m.key AS key, ['{kind.name}', {node_map(kind)}] AS row"""
        for kind in kinds
    ]
    query = f"CALL () {{ {' UNION ALL '.join(parts)} }} WITH key, row ORDER BY key LIMIT {_BATCH} RETURN collect([key, row])"
    after = 0
    while True:
        [[found]] = await connection.rows(query, {**values, "after": after})
        if not found:
            return
        await _ensure_whole(connection, values)
        after = found[-1][0]
        yield [(NodeKind[name], row) for _, (name, row) in found]


async def _vectors(connection: Connection, values: dict[str, Any]) -> AsyncIterator[list[PassageVector]]:
    """The vectors that were there, by memory and passage."""
    parts = [
        f"""MATCH (m:{NODE_LABELS[kind]}) WHERE m.namespace = $namespace AND m.key > $after AND m.key < $until
            AND (m.v16 IS NOT NULL OR m:Chunked) RETURN m ORDER BY m.namespace, m.key LIMIT {_BATCH}"""
        for kind in (NodeKind.MESSAGE, NodeKind.FACT, NodeKind.RELATION)
    ]
    further = "CASE WHEN m:Chunked THEN [(m)-[:HAS_PASSAGE]->(p) | [p.ordinal, p.v16]] ELSE [] END"
    query = f"""CALL () {{ {" UNION ALL ".join(parts)} }} WITH m ORDER BY m.key LIMIT {_BATCH}
        RETURN collect([m.key, m.id, [[0, m.v16]] + {further}])"""
    after = 0
    while True:
        [[found]] = await connection.rows(query, {**values, "after": after})
        if not found:
            return
        [[blobs]] = await connection.rows(_EMBEDDED_SINCE, values)
        later = set(np.frombuffer(b"".join(blobs), "<i8").tolist())
        await _ensure_whole(connection, values)
        after = found[-1][0]
        yield [
            PassageVector(id_, ordinal, np.frombuffer(blob, np.float16))
            for key, id_, passages in found
            for ordinal, blob in sorted(passages, key=lambda passage: passage[0])
            if blob and passage_key(key, ordinal) not in later
        ]


async def _ensure_whole(connection: Connection, values: dict[str, Any]) -> None:
    [[broken]] = await connection.rows(_STILL, values)
    if broken:
        raise StaleWrite("something was deleted or extracted anew while the namespace was exported; export it again")


def _chunks(records: Sequence[ExportRecord]) -> list[Sequence[ExportRecord]]:
    return [records[start : start + _BATCH] for start in range(0, len(records), _BATCH)]
