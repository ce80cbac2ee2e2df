"""Generations: one extractor's answers at a time."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import timedelta
from functools import partial

from graph.model import (
    CHANGE_KINDS,
    NO_EXTRACTION,
    ExtractionMode,
    ExtractorSpec,
    Generation,
    IdSource,
    Namespace,
    SummaryLevel,
    from_micros,
)
from graph.store.candidates import StatisticsGroup
from graph.store.neo4j.driver.change_log import Operation
from graph.store.neo4j.driver.handle import Handle
from graph.store.neo4j.driver.transaction import Transaction
from graph.store.neo4j.jobs.job_queue import cover_messages
from graph.store.neo4j.rows.namespace_rows import generation_properties
from graph.store.neo4j.rows.search_columns import REMOVED_ON_RETIREMENT
from graph.store.neo4j.rows.summary_rows import WAITS_NO_MORE
from graph.store.neo4j.schema import EVENT_LINK_TYPES, vector_property
from graph.store.port import GenerationStart

_SET_GENERATION = "MATCH (n:Namespace {name: $namespace}) SET n += $at.generation"
# Batches keep a query's own memory small.
_BATCH = 1_000
# So many nodes are retired in one transaction: Neo4j keeps it in its heap until the commit, about 12 kB a statement.
_AT_ONCE = 5_000
# What the current generation is of while it is being retired in parts. No extractor is like it, and nothing is committed to it.
ENDING = ExtractorSpec("none", "ending", NO_EXTRACTION.mode)
_STATEMENTS = ("Fact", "Relation")
_DERIVED = (*_STATEMENTS, "Event")


@dataclass(frozen=True, slots=True)
class _Progress:
    """How far retiring a generation has come: the index of a label or kind of edge, and the key of the last node of that label."""

    generation: int = 0
    stage: int = 0
    after: int = 0


def open_generation(namespace: Namespace) -> int | None:
    """The generation that may be written to, 0 before the first; None while one is being retired."""
    if namespace.generation is None:
        return 0
    return None if namespace.generation.extractor == ENDING else namespace.generation.number


async def begin_generation(handle: Handle, start: GenerationStart) -> int:
    """See `Memory.begin_generation`.

    What one transaction cannot retire is retired in several, before the one that begins the generation: from the first on watermarks are
    at 0, every session has a job, and the generation at hand is of no extractor, so that whoever works on a job goes on if this process
    cannot.
    """
    progress: _Progress | None = _Progress()
    while progress is not None:
        progress = await handle.write(partial(_retire_part, ids=handle.database.ids, start=start, progress=progress))
    return await handle.write(lambda tx: _begin(tx, handle.database.ids, start))


async def _retire_part(tx: Transaction, ids: IdSource, start: GenerationStart, progress: _Progress) -> _Progress | None:
    """Retires some of a large generation; how far it came, None when the rest fits one transaction."""
    current = tx.namespace.generation
    if current is None or current.extractor == start.extractor:
        return None
    if current.extractor != ENDING:
        [[many]] = await tx.rows(_MANY, {"limit": _AT_ONCE + 1})
        if many <= _AT_ONCE:
            return None
        await _set_generation(tx, replace(current, extractor=ENDING))
        for query in _REWIND:
            await tx.execute(query)
        await _queue(tx, current.extractor.mode, ids)
    if progress.generation != current.number:
        progress = _Progress(current.number)  # the generation of the last part has ended meanwhile, or there was none
    if progress.stage < len(_DERIVED):
        return await _retire_some(tx, progress, _AT_ONCE)
    dropped = progress.stage - len(_DERIVED)
    if dropped == len(_DROP):
        return None
    tx.step()
    tx.summaries_changed()
    tx.supersessions_changed()
    more = await _drop(tx, _DROP[dropped], _AT_ONCE)
    return progress if more else replace(progress, stage=progress.stage + 1)


async def _begin(tx: Transaction, ids: IdSource, start: GenerationStart) -> int:
    current = tx.namespace.generation
    if current is not None and current.extractor == start.extractor:
        return current.number
    if current is not None:
        progress = _Progress()
        while progress.stage < len(_DERIVED):
            progress = await _retire_some(tx, progress, _BATCH)
        for query in _DROP:
            while await _drop(tx, query, _BATCH):
                pass
        tx.something_removed()
        tx.summaries_changed()
        tx.supersessions_changed()
        for query in (*_REWIND, _UNMENTION):
            await tx.execute(query)
    generation = Generation((current.number if current else 0) + 1, start.extractor, from_micros(tx.now))
    await _set_generation(tx, generation)
    await _queue(tx, start.extractor.mode, ids)
    return generation.number


async def _set_generation(tx: Transaction, generation: Generation) -> None:
    await tx.execute(_SET_GENERATION, {"generation": generation_properties(generation)})
    tx.step()


# More than fit one transaction, or fewer.
_MANY = f"""CALL () {{ {
    " UNION ALL ".join(
        f"MATCH (m:{label}) WHERE m.namespace = $namespace AND m.key > 0 AND m.retired_at IS NULL WITH m LIMIT $at.limit RETURN m"
        for label in _DERIVED
    )
} }} RETURN count(m)"""
_NEXT = """MATCH (m:%s) WHERE m.namespace = $namespace AND m.key > $at.after WITH m ORDER BY m.namespace, m.key LIMIT $at.limit
    RETURN collect([m.key, m.retired_at IS NULL])"""
_RETIRE_EVENTS = f"""UNWIND $at.keys AS key MATCH (e:Event {{namespace: $namespace, key: key}})
    SET e.retired_at = $at.now REMOVE {WAITS_NO_MORE}"""
_DROP_SPANS = """UNWIND $at.keys AS key MATCH (f:%s {namespace: $namespace, key: key})-[:NAMES_TIME]->(s:Span) DETACH DELETE s"""
# No summary is of another generation: they go, those above others first. Links that somebody decided stay: the next extraction knows
# nothing of them. So do changes that somebody reverted: it is not to bring them back.
_DROP = (
    *(
        f"""MATCH (s:Summary) WHERE s.namespace = $namespace AND s.level = '{level.name}' AND s.key > 0
            WITH s LIMIT $at.limit DETACH DELETE s RETURN count(*)"""
        for level in sorted(SummaryLevel, reverse=True)
    ),
    """MATCH (a:Entity)-[r:RELATES|SAME_AS|DIFFERENT_FROM]->() WHERE a.namespace = $namespace AND a.key > 0 AND r.decided_at IS NULL
        WITH r LIMIT $at.limit DELETE r RETURN count(*)""",
    f"""MATCH (a:Event)-[r:{EVENT_LINK_TYPES}]->() WHERE a.namespace = $namespace AND a.key > 0
        WITH r LIMIT $at.limit DELETE r RETURN count(*)""",
    *(
        f"""MATCH ()-[r:{kind.name}]->() WHERE r.namespace = $namespace AND r.reverted_at IS NULL
            WITH r LIMIT $at.limit DELETE r RETURN count(*)"""
        for kind in sorted(CHANGE_KINDS)
    ),
    """MATCH (x:ExtractionSpan) WHERE x.namespace = $namespace AND x.session >= '' AND x.last > 0
        WITH x LIMIT $at.limit DELETE x RETURN count(*)""",
    "MATCH (a:Message)-[r:MENTIONS]->() WHERE a.namespace = $namespace AND a.key > 0 WITH r LIMIT $at.limit DELETE r RETURN count(*)",
)
_UNMENTION = "MATCH (e:Entity) WHERE e.namespace = $namespace AND e.key > 0 AND e.mention_count <> 0 SET e.mention_count = 0"
_REWIND = (
    "MATCH (a:AgainMark) WHERE a.namespace = $namespace AND a.session >= '' AND a.seq > 0 DELETE a",
    "MATCH (s:Session) WHERE s.namespace = $namespace AND s.key > 0 SET s.extracted_seq = 0",
    "MATCH (j:Job) WHERE j.namespace = $namespace AND j.key > 0 AND j.state IN ['QUEUED', 'RUNNING'] SET j.done = 0",
)


def _retire_statements(label: str, dimension: int) -> str:
    removed = ", ".join(f"f.{name}" for name in (*REMOVED_ON_RETIREMENT, *([vector_property(dimension)] if dimension else [])))
    return f"""UNWIND $at.keys AS key MATCH (f:{label} {{namespace: $namespace, key: key}})
        WITH f, f.term_hashes AS hashes, f.length AS length
        SET f.retired_at = $at.now REMOVE {removed} RETURN collect([hashes, length])"""


async def _retire_some(tx: Transaction, progress: _Progress, most: int) -> _Progress:
    """Retires those that are current of the next `most` nodes of a label. Nodes stay, with their evidence; what only searches and walks
    need goes."""
    label, after, passed = _DERIVED[progress.stage], progress.after, 0
    while passed < most:
        [[nodes]] = await tx.rows(_NEXT % label, {"after": after, "limit": min(_BATCH, most - passed)})
        if not nodes:
            return replace(progress, stage=progress.stage + 1, after=0)
        after, passed = nodes[-1][0], passed + len(nodes)
        if keys := [key for key, is_current in nodes if is_current]:
            await _retire(tx, label, keys)
    return replace(progress, after=after)


async def _retire(tx: Transaction, label: str, keys: Sequence[int]) -> None:
    values = {"keys": keys, "now": tx.now}
    if label in _STATEMENTS:
        [[passages]] = await tx.execute(_retire_statements(label, tx.namespace.embedding.dimension), values)
        for hashes, length in passages:
            tx.count_passage(StatisticsGroup.STATEMENTS, hashes, length, -1)
        await tx.execute(_DROP_SPANS % label, values)
    else:
        await tx.execute(_RETIRE_EVENTS, values)
    tx.changed(Operation.RETIRED, keys)


async def _drop(tx: Transaction, query: str, most: int) -> bool:
    """Deletes up to so many edges; whether there may be more."""
    [[count]] = await tx.execute(query, {"limit": most})
    return int(count) == most


# Sessions with messages that no open job covers.
_UNCOVERED = """MATCH (s:Session) WHERE s.namespace = $namespace AND s.key > 0 AND s.message_count > 0 AND s.extracted_seq < s.last_seq
    AND NOT EXISTS { MATCH (j:Job) WHERE j.namespace = $namespace AND j.session = s.name AND j.state IN ['QUEUED', 'RUNNING']
        AND j.target >= s.last_seq }
    WITH s ORDER BY s.namespace, s.key RETURN collect([s.name, s.last_seq])"""


async def _queue(tx: Transaction, mode: ExtractionMode, ids: IdSource) -> None:
    """A job for every session whose messages no open job covers, if there is anything to do in this mode."""
    settings = replace(tx.namespace, extraction_mode=mode)
    [[uncovered]] = await tx.rows(_UNCOVERED)
    for session, last_seq in uncovered:
        await cover_messages(tx, settings, ids, session, last_seq, timedelta(0))
    tx.touched_jobs = True
