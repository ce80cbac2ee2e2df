"""Checking that what searches read of each memory is what the analyser makes of its text, and that the statistics sum it up."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from typing import Any

import numpy as np

from graph.model import Message, NodeKind, Statement
from graph.store.candidates import StatisticsGroup
from graph.store.memory_rows import MemoryRow, memory_rows, source_of
from graph.store.neo4j.driver.connection import Connection
from graph.store.neo4j.driver.term_statistics import GroupDelta
from graph.store.neo4j.rows.node_rows import PROJECTIONS, message_of, statement_of
from graph.store.neo4j.rows.search_columns import passage_columns
from graph.store.neo4j.rows.search_tokens import group_of
from graph.store.neo4j.schema import NODE_LABELS
from graph.store.neo4j.searching.changes import read_head
from graph.store.neo4j.searching.statistics import read_statistics
from graph.store.port import Finding

_BATCH = 1_000
_PASSAGE = "[{0}.terms, {0}.term_hashes, {0}.term_counts, {0}.length, {0}.digest]"
_ZONES = "MATCH (s:Session) WHERE s.namespace = $namespace AND s.key > 0 RETURN collect([s.name, s.time_zone])"
_COLUMNS = ("terms", "term_hashes", "term_counts", "length", "digest")


async def text_findings(connection: Connection, namespace: str, token: str) -> list[Finding]:
    """Memories whose columns are not those of their text, and statistics that do not sum them up."""
    [[pairs]] = await connection.rows(_ZONES, {"namespace": namespace})
    before = await read_statistics(connection, namespace)
    findings: list[Finding] = []
    counted = {group: GroupDelta() for group in StatisticsGroup}
    for kind in (NodeKind.MESSAGE, NodeKind.FACT, NodeKind.RELATION):
        async for rows in _memories(connection, namespace, kind):
            made = await asyncio.to_thread(_analysed, kind, rows, dict(pairs))
            for (_, id_, _, stored), row in zip(rows, made, strict=True):
                if _stored_columns(stored) != _columns(token, kind, row):
                    findings.append(Finding("PASSAGES_OUT_OF_STEP", id_, "the stored passages are not those of the node's text"))
                for passage in row.passages:
                    counted[group_of(kind)].count(passage.terms, passage.length, 1)
    head = await read_head(connection, namespace, before.revision)
    if head.revision == before.revision:
        for group, delta in counted.items():
            hashes, counts = delta.summed()
            told = before.of(hashes)[group]
            mean = delta.length / delta.passages if delta.passages else 0.0
            if told.count != delta.passages or told.mean_length != mean or not np.array_equal(told.document_frequency, counts):
                findings.append(Finding("INDEX_OUT_OF_STEP", "", f"the statistics of {group.name.lower()} do not sum up their passages"))
    return findings


async def _memories(connection: Connection, namespace: str, kind: NodeKind) -> AsyncIterator[list[Any]]:
    query = f"""CALL () {{ MATCH (m:{NODE_LABELS[kind]}) WHERE m.namespace = $namespace AND m.key > $after AND m.retired_at IS NULL
        WITH m ORDER BY m.namespace, m.key LIMIT {_BATCH}
        RETURN collect([m.key, m.id, m{PROJECTIONS[kind]}, [[0, {_PASSAGE.format("m")}]] +
            CASE WHEN m:Chunked THEN [(m)-[:HAS_PASSAGE]->(p) | [p.ordinal, {_PASSAGE.format("p")}]] ELSE [] END]) AS found }}
        RETURN found"""
    after = 0
    while True:
        [[found]] = await connection.rows(query, {"namespace": namespace, "after": after})
        if not found:
            return
        after = found[-1][0]
        yield found


def _analysed(kind: NodeKind, rows: Sequence[Any], zones: dict[str, str]) -> list[MemoryRow]:
    read = message_of if kind is NodeKind.MESSAGE else statement_of
    nodes: list[Message | Statement] = [read(properties) for _, _, properties, _ in rows]
    return memory_rows(source_of(node, zones.get(node.session, "")) for node in nodes)


def _stored_columns(passages: Sequence[Any]) -> list[list[Any]]:
    return [[ordinal, *columns] for ordinal, columns in sorted(passages, key=lambda passage: passage[0])]


def _columns(token: str, kind: NodeKind, row: MemoryRow) -> list[list[Any]]:
    made = [(passage.ordinal, passage_columns(token, kind, passage, "", waits=False)) for passage in row.passages]
    return [[ordinal, *(columns[name] for name in _COLUMNS)] for ordinal, columns in made]
