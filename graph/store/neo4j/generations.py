"""Generations: one extractor's answers at a time."""

from dataclasses import replace
from datetime import timedelta

from graph.model import Generation, IdSource, Namespace, from_micros
from graph.store.candidates import StatisticsGroup
from graph.store.commands import GenerationStart
from graph.store.neo4j.change_log import Operation
from graph.store.neo4j.job_queue import cover_messages
from graph.store.neo4j.namespace_rows import generation_properties
from graph.store.neo4j.schema import vector_property
from graph.store.neo4j.search_columns import REMOVED_ON_RETIREMENT
from graph.store.neo4j.transaction import Transaction

_BEGIN = "MATCH (n:Namespace {name: $namespace}) SET n += $at.generation"
# Batches keep a query's own memory small; all of them are one transaction.
_BATCH = 2_000


async def begin_generation(tx: Transaction, ids: IdSource, start: GenerationStart) -> int:
    """See `Store.begin_generation`."""
    current = tx.namespace.generation
    if current is not None and current.extractor == start.extractor:
        return current.number
    if current is not None:
        await _retire(tx)
    generation = Generation((current.number if current else 0) + 1, start.extractor, from_micros(tx.now))
    await tx.execute(_BEGIN, {"generation": generation_properties(generation)})
    tx.step()
    await _queue(tx, replace(tx.namespace, extraction_mode=start.extractor.mode), ids)
    return generation.number


def _retire_statements(label: str, dimension: int) -> str:
    removed = ", ".join(f"f.{name}" for name in (*REMOVED_ON_RETIREMENT, *([vector_property(dimension)] if dimension else [])))
    return f"""MATCH (f:{label}) WHERE f.namespace = $namespace AND f.key > 0 AND f.retired_at IS NULL WITH f LIMIT {_BATCH}
        WITH f, f.key AS key, f.term_hashes AS hashes, f.length AS length
        SET f.retired_at = $at.now REMOVE {removed} RETURN collect(key), collect([hashes, length])"""


_RETIRE_EVENTS = f"""MATCH (e:Event) WHERE e.namespace = $namespace AND e.key > 0 AND e.retired_at IS NULL WITH e LIMIT {_BATCH}
    SET e.retired_at = $at.now RETURN collect(e.key)"""
_DROP_SPANS = """MATCH (f:%s)-[:NAMES_TIME]->(s:Span) WHERE f.namespace = $namespace AND f.key > 0 WITH s LIMIT %d
    DETACH DELETE s RETURN count(*)"""
# Links that somebody decided stay: the next extraction knows nothing of them.
_DROP_EDGES = (
    """MATCH (a:Entity)-[r:RELATES|SAME_AS|DIFFERENT_FROM]->() WHERE a.namespace = $namespace AND a.key > 0 AND r.decided_at IS NULL
        WITH r LIMIT %d DELETE r RETURN count(*)""",
    "MATCH (a:Event)-[r:BEFORE|CAUSES]->() WHERE a.namespace = $namespace AND a.key > 0 WITH r LIMIT %d DELETE r RETURN count(*)",
    "MATCH (a:Message)-[r:MENTIONS]->() WHERE a.namespace = $namespace AND a.key > 0 WITH r LIMIT %d DELETE r RETURN count(*)",
)
_RESET = (
    "MATCH (e:Entity) WHERE e.namespace = $namespace AND e.key > 0 SET e.mention_count = 0",
    "MATCH (s:Session) WHERE s.namespace = $namespace AND s.key > 0 SET s.extracted_seq = 0",
    "MATCH (j:Job) WHERE j.namespace = $namespace AND j.key > 0 AND j.state IN ['QUEUED', 'RUNNING'] SET j.done = 0",
)


async def _retire(tx: Transaction) -> None:
    """Retires all that was extracted. Nodes stay, with their evidence; what only searches and walks need goes."""
    retired: list[int] = []
    for label in ("Fact", "Relation"):
        retired += await _retire_label(tx, label)
        await _repeat(tx, _DROP_SPANS % (label, _BATCH))
    while found := (await tx.execute(_RETIRE_EVENTS, {"now": tx.now}))[0][0]:
        retired += found
    for query in _DROP_EDGES:
        await _repeat(tx, query % _BATCH)
    for query in _RESET:
        await tx.execute(query)
    tx.changed(Operation.RETIRED, retired)


async def _retire_label(tx: Transaction, label: str) -> list[int]:
    retired: list[int] = []
    query = _retire_statements(label, tx.namespace.embedding.dimension)
    while True:
        [[keys, passages]] = await tx.execute(query, {"now": tx.now})
        if not keys:
            return retired
        retired += keys
        for hashes, length in passages:
            tx.count_passage(StatisticsGroup.STATEMENTS, hashes, length, -1)


async def _repeat(tx: Transaction, query: str) -> None:
    """Runs a query that returns how many it deleted until nothing is left."""
    while (await tx.execute(query))[0][0] == _BATCH:
        pass


# Sessions with messages that no open job covers.
_UNCOVERED = """MATCH (s:Session) WHERE s.namespace = $namespace AND s.key > 0 AND s.message_count > 0 AND s.extracted_seq < s.last_seq
    AND NOT EXISTS { MATCH (j:Job) WHERE j.namespace = $namespace AND j.session = s.name AND j.state IN ['QUEUED', 'RUNNING']
        AND j.target >= s.last_seq }
    WITH s ORDER BY s.namespace, s.key RETURN collect([s.name, s.last_seq])"""


async def _queue(tx: Transaction, settings: Namespace, ids: IdSource) -> None:
    """A job for every session whose messages no open job covers."""
    [[uncovered]] = await tx.rows(_UNCOVERED)
    for session, last_seq in uncovered:
        await cover_messages(tx, settings, ids, session, last_seq, timedelta(0))
    tx.touched_jobs = True
