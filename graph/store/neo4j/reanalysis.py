"""Bringing the passages of namespaces to the present analyser, in the background and in batches: other calls go on meanwhile.

A namespace says which analyser made its passages (`analyser`), and while they are being made anew, up to which key they are so
(`reanalysed_to`). Several processes may do it at once, and who comes later goes on where another broke off. What is read and analysed
before a batch is written holds for as long as nobody else has moved `reanalysed_to`, which is seen under the namespace's lock.
"""

import asyncio
import logging
from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from graph.errors import NotFound, StructMemError
from graph.model import Message, NodeKind
from graph.model.ids import MEMORY_KINDS
from graph.store.memory_rows import MemoryRow, memory_rows, source_of
from graph.store.neo4j.driver.change_log import Operation
from graph.store.neo4j.driver.database import Database
from graph.store.neo4j.driver.transaction import Transaction
from graph.store.neo4j.jobs.job_queue import cover_messages
from graph.store.neo4j.rows.namespace_rows import NamespaceState
from graph.store.neo4j.rows.node_reading import count_within
from graph.store.neo4j.rows.node_rows import MESSAGE_PROJECTION, STATEMENT_PROJECTION, Properties, message_of, statement_of
from graph.store.neo4j.rows.node_writer import create_further_passages, create_spans
from graph.store.neo4j.rows.search_columns import further_passages, memory_columns, passage_columns, span_nodes
from graph.store.neo4j.rows.search_tokens import group_of
from graph.store.neo4j.rows.session_rows import session_row
from graph.store.neo4j.schema import NODE_LABELS, vector_property
from graph.store.rules.node_bytes import BATCH_BYTES
from graph.store.rules.reanalysis import Recut, recut, refuse_newer_analyser
from graph.store.rules.spec_rules import waits_for_vectors
from graph.text import ANALYSER_VERSION

_BATCH = 200
# What the database refused is tried again so much later.
_PAUSE_SECONDS = 60.0
_log = logging.getLogger(__name__)

_VERSIONS = f"""MATCH (n:Namespace) WHERE n.state = '{NamespaceState.ACTIVE.value}'
    RETURN coalesce(max(n.analyser), 0),
        collect(CASE WHEN coalesce(n.analyser, 0) < $version OR n.reanalysed_to IS NOT NULL THEN n.name END)"""
_CURRENT = " UNION ALL ".join(
    f"""MATCH (m:{NODE_LABELS[kind]}) WHERE m.namespace = $namespace AND m.key > n.reanalysed_to AND m.digest IS NOT NULL
        RETURN m ORDER BY m.namespace, m.key LIMIT {_BATCH}"""
    for kind in sorted(MEMORY_KINDS)
)
_PASSAGE = "[{0}.ordinal, {0}.digest, {0}.term_hashes, {0}.length]"
_NEXT = f"""MATCH (n:Namespace {{name: $namespace}})
    CALL (n) {{ CALL (n) {{ {_CURRENT} }} WITH m ORDER BY m.key LIMIT {_BATCH} WITH collect(m) AS ms
        RETURN [m IN ms[..{count_within(NodeKind.MESSAGE)}] | {{kind: m.kind, facets: m.facets,
            memory: m{{.namespace, .id, .key, .kind, .said_at, .session, .speaker}},
            node: CASE m.kind WHEN 'MESSAGE' THEN m{MESSAGE_PROJECTION} ELSE m{STATEMENT_PROJECTION} END,
            zone: COLLECT {{ MATCH (s:Session {{namespace: $namespace, name: m.session}}) RETURN s.time_zone }},
            passages: [{_PASSAGE.format("m")}] + CASE WHEN m:Chunked
                THEN [(m)-[:HAS_PASSAGE]->(p) | {_PASSAGE.format("p")}] ELSE [] END}}] AS rows }}
    RETURN n.reanalysed_to, rows"""
_BEGIN = """MATCH (n:Namespace {name: $namespace}) WHERE coalesce(n.analyser, 0) < $at.version
    SET n.analyser = $at.version, n.reanalysed_to = 0"""
_PROGRESS = "MATCH (n:Namespace {name: $namespace}) WHERE n.reanalysed_to = $at.since SET n.reanalysed_to = $at.upto RETURN n.token"
_END = "MATCH (n:Namespace {name: $namespace}) WHERE n.reanalysed_to = $at.since REMOVE n.reanalysed_to"
_COLUMNS = """UNWIND $at.rows AS row MATCH (m:%s {namespace: $namespace, key: row.key}) WHERE m.digest IS NOT NULL SET m += row.columns
    WITH m, row OPTIONAL MATCH (m)-[:NAMES_TIME]->(s:Span) DETACH DELETE s
    WITH DISTINCT m, row OPTIONAL MATCH (m)-[:HAS_PASSAGE]->(p:Passage) WHERE p.ordinal IN row.gone DETACH DELETE p
    RETURN collect(DISTINCT m.key)"""
_KEEP = """UNWIND $at.passages AS passage
    MATCH (p:Passage {namespace: $namespace, owner_key: passage.owner_key, ordinal: passage.ordinal}) SET p += passage"""
_UNCHUNK = """UNWIND $at.keys AS key MATCH (m:Chunked {namespace: $namespace, key: key}) WHERE NOT EXISTS { (m)-[:HAS_PASSAGE]->() }
    REMOVE m:Chunked"""


@dataclass(frozen=True, slots=True)
class _Memory:
    """A memory as it is stored, and what the present analyser makes of it."""

    kind: NodeKind
    stored: Mapping[str, Any]
    row: MemoryRow
    recut: Recut

    @property
    def key(self) -> int:
        return int(self.stored["memory"]["key"])


async def outdated_namespaces(database: Database) -> list[str]:
    """Namespaces whose passages another analyser made. Raises Conflict when that was a newer one."""
    [[newest, names]] = await database.connection.rows(_VERSIONS, {"version": ANALYSER_VERSION})
    refuse_newer_analyser(newest)
    return list(names)


async def keep_analysed(database: Database, names: Sequence[str]) -> None:
    """Analyses these namespaces anew, and tries those again that could not be, until none is left."""
    while names:
        for name in names:
            try:
                await reanalyse(database, name)
            except NotFound:
                continue
            except StructMemError as error:
                _log.warning("namespace %s could not be analysed anew (%s)", name, type(error).__name__)
            except Exception:  # noqa: BLE001  # whatever one namespace holds, the others are analysed, and it is tried again with them
                _log.exception("namespace %s could not be analysed anew", name)
        try:
            if names := await outdated_namespaces(database):
                await asyncio.sleep(_PAUSE_SECONDS)
        except StructMemError as error:
            _log.warning("namespaces are not analysed anew for now (%s)", type(error).__name__)
            await asyncio.sleep(_PAUSE_SECONDS)


async def reanalyse(database: Database, name: str) -> None:
    """Makes all passages of a namespace anew. Raises NamespaceNotFound, and what writes raise; the next call goes on from there."""

    async def begin(tx: Transaction) -> None:
        await tx.execute(_BEGIN, {"version": ANALYSER_VERSION})

    await database.write(name, begin)
    while await _step(database, name):
        pass
    _log.info("namespace %s was analysed anew", name)


async def _step(database: Database, name: str) -> bool:
    """Brings one batch to the present analyser; False when there was none."""
    found = await database.connection.rows(_NEXT, {"namespace": name, "max_bytes": BATCH_BYTES})
    if not found or found[0][0] is None:  # it is gone, or another process has come to the end
        return False
    [[since, rows]] = found
    if not rows:
        await database.write(name, lambda tx: tx.execute(_END, {"since": since}))
        return False
    memories = await database.run(lambda: _analysed(rows))
    await database.write(name, lambda tx: _write(tx, database, since, memories))
    return True


def _analysed(rows: Sequence[Mapping[str, Any]]) -> list[_Memory]:
    memories = []
    for row in rows:
        kind = NodeKind[row["kind"]]
        node = message_of(row["node"]) if kind is NodeKind.MESSAGE else statement_of(row["node"])
        [made] = memory_rows([source_of(node, next(iter(row["zone"]), ""))])
        old = {ordinal or 0: digest for ordinal, digest, _, _ in row["passages"]}
        memories.append(_Memory(kind, {**row, "node": node}, made, recut(old, made.passages)))
    return memories


async def _write(tx: Transaction, database: Database, since: int, memories: Sequence[_Memory]) -> None:
    if not await tx.execute(_PROGRESS, {"since": since, "upto": memories[-1].key}):
        return  # another process was quicker
    by_kind: defaultdict[NodeKind, list[_Memory]] = defaultdict(list)
    for memory in memories:
        by_kind[memory.kind].append(memory)
    written = [memory for kind, some in by_kind.items() for memory in await _write_some(tx, kind, some)]
    tx.changed(Operation.ADDED, [memory.key for memory in written])
    if waits_for_vectors(tx.namespace.embedding):
        await _queue_vectors(tx, database, {memory.stored["memory"]["session"] for memory in written if memory.recut.made})


async def _write_some(tx: Transaction, kind: NodeKind, memories: Sequence[_Memory]) -> list[_Memory]:
    """Writes memories of one kind; those that are still current."""
    rows = [{"key": memory.key, "columns": _first_columns(tx, memory), "gone": memory.recut.gone} for memory in memories]
    [[keys]] = await tx.execute(_COLUMNS % NODE_LABELS[kind], {"rows": rows})
    current = [memory for memory in memories if memory.key in set(keys)]
    kept: list[Properties] = []
    made: list[Properties] = []
    spans: list[Properties] = []
    for memory in current:
        new = {passage.ordinal for passage in memory.recut.made}
        for passage in _further(tx, memory):
            if passage["ordinal"] in new:
                made.append(passage)
            else:
                passage.pop("waits", None)
                kept.append({"instruction": None, **passage})
        spans += span_nodes(tx.name, memory.key, memory.row.spans)
        for _, _, hashes, length in memory.stored["passages"]:
            tx.count_passage(group_of(kind), hashes, length, -1)
        for cut in memory.row.passages:
            tx.count_passage(group_of(kind), cut.terms, cut.length)
    await tx.execute(_KEEP, {"passages": kept})
    await create_further_passages(tx, kind, made)
    await create_spans(tx, kind, spans)
    await tx.execute(_UNCHUNK, {"keys": [memory.key for memory in current]})
    return current


def _first_columns(tx: Transaction, memory: _Memory) -> Properties:
    """The columns of the memory's own node; None for what it has no more."""
    node, first = memory.stored["node"], memory.row.passages[0]
    waits = waits_for_vectors(tx.namespace.embedding)
    columns: Properties = {"spans": None, "instruction": None}
    columns |= memory_columns(memory.row, node.role if isinstance(node, Message) else None)
    columns |= passage_columns(tx.token, memory.kind, first, memory.stored["facets"], waits=False)
    if first in memory.recut.made:
        columns |= {"v16": None, "waits": waits or None}
        if tx.namespace.embedding.dimension:
            columns[vector_property(tx.namespace.embedding.dimension)] = None
    return columns


def _further(tx: Transaction, memory: _Memory) -> list[Properties]:
    node = memory.stored["node"]
    shared = {**memory.stored["memory"], **memory_columns(memory.row, node.role if isinstance(node, Message) else None)}
    waits = waits_for_vectors(tx.namespace.embedding)
    return further_passages(shared, tx.token, memory.kind, memory.row, memory.stored["facets"], waits=waits)


async def _queue_vectors(tx: Transaction, database: Database, sessions: Collection[str]) -> None:
    """Jobs for the sessions whose passages wait for vectors after their text was cut anew."""
    for name in sorted(sessions):
        session = await session_row(tx, name)
        if session is not None:
            await cover_messages(tx, tx.namespace, database.ids, name, session.last_seq, timedelta(0))
