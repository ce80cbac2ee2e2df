"""Consolidation: what waits for a summary, and writing summaries."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import replace
from typing import Any

from graph.errors import StaleWrite
from graph.model import Event, Job, Lease, NodeKind, Summary, SummaryLevel, from_micros
from graph.store.neo4j.driver.handle import Handle
from graph.store.neo4j.driver.transaction import Transaction
from graph.store.neo4j.generations import open_generation
from graph.store.neo4j.jobs.job_queue import cover_consolidation
from graph.store.neo4j.jobs.job_rows import JOB_PROJECTION, job_row_of, save_job
from graph.store.neo4j.jobs.leases import held_job
from graph.store.neo4j.rows.edge_rows import NodeRef
from graph.store.neo4j.rows.node_reading import node_map, node_of
from graph.store.neo4j.rows.references import refs_of
from graph.store.neo4j.rows.summary_properties import summary_properties
from graph.store.neo4j.rows.summary_rows import WAITS, WAITS_NO_MORE, drop_summaries, mark_stale, shared_calls, write_summaries
from graph.store.neo4j.rows.usage_rows import add_usage
from graph.store.port import ConsolidationWork, ConsolidationWrite
from graph.store.rules.consolidating import check_write, expected_namespace, referred_ids, require_free, require_levels, with_calls
from graph.store.rules.extracting import require_all
from graph.store.rules.jobs import held, hurried, is_hurried, job_of, progressed
from graph.store.rules.vector_checks import checked_passage_vectors

Refs = Mapping[str, NodeRef]

# Before every time that a datetime can hold.
_START = -(2**62)
_SINCE = f"""MATCH (m:Event) WHERE m.namespace = n.name AND m.waits_since > {_START}
    WITH m ORDER BY m.namespace{{0}}, m.waits_since{{0}} LIMIT 1 RETURN collect(m.waits_since)"""
_LEVELS = " ".join(f"WHEN '{level.name}' THEN {level:d}" for level in SummaryLevel)
# Left to itself the planner takes the index of keys, and reads every event there is.
_WORK = f"""OPTIONAL MATCH (j:Job {{namespace: n.name, id: $at.id}})
    CALL (n) {{ MATCH (m:Event) USING INDEX m:Event(namespace, waits_in, said_at, key)
        WHERE m.namespace = n.name AND m.waits_in > 0 AND m.said_at > {_START} AND m.key > 0
        WITH m ORDER BY m.namespace, m.waits_in, m.said_at, m.key LIMIT $at.limit
        RETURN collect({node_map(NodeKind.EVENT)}) AS events }}
    CALL (n) {{ {_SINCE.format("")} AS first }}
    CALL (n) {{ {_SINCE.format(" DESC")} AS last }}
    CALL (n) {{ MATCH (m:Summary) WHERE m.namespace = n.name AND m.stale_since > {_START}
        WITH m ORDER BY CASE m.level {_LEVELS} END, m.key LIMIT $at.most RETURN collect({node_map(NodeKind.SUMMARY)}) AS stale }}
    RETURN n.revision, n.generation, j{JOB_PROJECTION}, events, first, last, stale, EXISTS {{
        MATCH (m:Summary) WHERE m.namespace = n.name AND m.level = '{SummaryLevel.WINDOW.name}' AND m.key > 0
            AND m.sentences IS NOT NULL AND NOT EXISTS {{ (m)<-[:SUMMARIZES]-() }} }}"""


async def consolidation_work(handle: Handle, lease: Lease, limit: int) -> ConsolidationWork:
    """See `Memory.consolidation_work`."""
    asked = {"at": {"id": lease.job.id, "limit": limit + 1, "most": limit}}
    revision, generation, job, events, first, last, stale, loose = await handle.row(_WORK, asked)
    now = await handle.database.now()
    row = held(job and job_row_of(job), now, lease)
    nodes = [node_of(NodeKind.EVENT, event) for event in events[:limit]]
    summaries = [node_of(NodeKind.SUMMARY, summary) for summary in stale]
    return ConsolidationWork(
        revision=revision,
        generation=generation,
        events=tuple(node for node in nodes if isinstance(node, Event)),
        more=len(events) > limit,
        first_recorded_at=from_micros(first[0]) if first else None,
        last_recorded_at=from_micros(last[0]) if last else None,
        stale=tuple(node for node in summaries if isinstance(node, Summary)),
        loose=loose,
        hurried=is_hurried(row, now),
    )


_KNOWN = """UNWIND $at.ids AS id MATCH (s:Summary {namespace: $namespace, id: id}) RETURN collect([s.id, s.key, s.recorded_at, s.calls])"""
_BELOW = """UNWIND $at.keys AS key MATCH (:Summary {namespace: $namespace, key: key})-[:SUMMARIZES]->(e:Event) RETURN collect(e.key)"""
_COVER = f"UNWIND $at.keys AS key MATCH (e:Event {{namespace: $namespace, key: key}}) REMOVE {WAITS_NO_MORE}"
# What a window no longer tells of waits, unless another one does.
_WAIT_AGAIN = f"""UNWIND $at.keys AS key MATCH (e:Event {{namespace: $namespace, key: key}})
    WHERE e.retired_at IS NULL AND NOT EXISTS {{ (e)<-[:SUMMARIZES]-() }} SET {WAITS}"""


async def commit_consolidation(tx: Transaction, lease: Lease, write: ConsolidationWrite) -> int:
    """See `Memory.commit_consolidation`."""
    check_write(write)
    checked_passage_vectors(tx.namespace.embedding, write.vectors)
    job = await held_job(tx, lease)
    generation = open_generation(tx.namespace)
    if generation is None:
        raise StaleWrite("another generation is about to begin")
    expected_namespace(write, generation, tx.removed_revision)
    [[found]] = await tx.rows(_KNOWN, {"ids": [*write.retire_ids, *(summary.id for summary in write.summaries)]})
    known = {id_: NodeRef(NodeKind.SUMMARY, key) for id_, key, _, _ in found}
    new = [summary.id for summary in write.summaries if summary.id not in known]
    refs = known | {id_: NodeRef(NodeKind.SUMMARY, key) for id_, key in zip(new, tx.keys(len(new)), strict=True)}
    outside, owners = await _outside(tx, write, refs)
    refs |= outside
    calls = {id_: calls for id_, _, _, calls in found if calls}
    kept = await shared_calls(tx, {call for some in calls.values() for call in some}, [ref.key for ref in known.values()])
    write = replace(write, summaries=with_calls(write, owners, {id_: kept.intersection(some) for id_, some in calls.items()}))
    [[before]] = await tx.rows(_BELOW, {"keys": [ref.key for ref in known.values()]})
    await drop_summaries(tx, [refs[id_].key for id_ in write.retire_ids if id_ in known])
    await _write(tx, write, refs, {id_: recorded_at for id_, _, recorded_at, _ in found})
    covered = {refs[member].key for summary in write.summaries if summary.level is SummaryLevel.WINDOW for member in summary.member_ids}
    await tx.execute(_COVER, {"keys": sorted(covered)})
    await tx.execute(_WAIT_AGAIN, {"keys": sorted(set(before) - covered)})
    await _outdate_owners(tx, write, [refs[summary.id].key for summary in write.summaries])
    await add_usage(tx, write.usage)
    anew = sum(summary.id in known for summary in write.summaries)
    save_job(tx, progressed(job, tx.now, len(covered.difference(before)) + anew, write.partial_failures))
    if write.summaries or write.retire_ids:
        tx.summaries_changed()
    return tx.revision


_OWNERS = """UNWIND $at.keys AS key MATCH (m:%s {namespace: $namespace, key: key})<-[:SUMMARIZES]-(s:Summary)
    RETURN collect([m.id, s.id])"""
_RETIRED = """UNWIND $at.keys AS key MATCH (e:Event {namespace: $namespace, key: key}) WHERE e.retired_at IS NOT NULL RETURN count(e)"""


_LEVEL_OF = """UNWIND $at.keys AS key MATCH (s:Summary {namespace: $namespace, key: key}) RETURN collect([s.id, s.level])"""
_PROFILES = f"""MATCH (s:Summary) WHERE s.namespace = $namespace AND s.level = '{SummaryLevel.PROFILE.name}' AND s.key > 0
    RETURN collect(s.id)"""


async def _outside(tx: Transaction, write: ConsolidationWrite, own: Refs) -> tuple[dict[str, NodeRef], dict[str, str]]:
    """The members and seeds that the write does not bring, and the summary of each member that has one.

    Raises StaleWrite when they are not there, not current, or not free; InvalidArgument when they are not of the level below.
    """
    outside = referred_ids(write.summaries) - own.keys()
    refs = await refs_of(tx, outside)
    require_all(refs, outside)
    members = [refs.get(member) or own[member] for summary in write.summaries for member in summary.member_ids]
    owners: dict[str, str] = {}
    for kind, label in ((NodeKind.EVENT, "Event"), (NodeKind.SUMMARY, "Summary")):
        [[pairs]] = await tx.rows(_OWNERS % label, {"keys": [ref.key for ref in members if ref.kind is kind]})
        owners |= dict(pairs)
    require_free(owners, write)
    [[levels]] = await tx.rows(_LEVEL_OF, {"keys": [ref.key for ref in refs.values() if ref.kind is NodeKind.SUMMARY]})
    [[profiles]] = await tx.rows(_PROFILES, {})
    require_levels(write, {id_: SummaryLevel[level] for id_, level in levels}, profiles)
    [[retired]] = await tx.rows(_RETIRED, {"keys": [ref.key for ref in refs.values() if ref.kind is NodeKind.EVENT]})
    if retired:
        raise StaleWrite("another generation has begun")
    return refs, owners


async def _write(tx: Transaction, write: ConsolidationWrite, refs: Refs, recorded: Mapping[str, int]) -> None:
    sessions = await _session_keys(tx, {s.sessions[0] for s in write.summaries if s.level is SummaryLevel.WINDOW})
    vectors = {item.owner_id: item.vector for item in write.vectors}
    nodes: list[dict[str, Any]] = []
    for summary in write.summaries:
        fresh = replace(summary, recorded_at=from_micros(recorded.get(summary.id, tx.now)), stale_since=None)
        session = sessions[summary.sessions[0]] if summary.level is SummaryLevel.WINDOW else None
        nodes.append(summary_properties(fresh, tx.name, refs[summary.id].key, session, vectors.get(summary.id)))
    await write_summaries(tx, write.summaries, nodes, refs)


_SESSIONS = "UNWIND $at.names AS name MATCH (s:Session {namespace: $namespace, name: name}) RETURN collect([s.name, s.key])"


async def _session_keys(tx: Transaction, names: Collection[str]) -> dict[str, int]:
    [[pairs]] = await tx.rows(_SESSIONS, {"names": sorted(names)})
    if len(pairs) < len(names):
        raise StaleWrite("the session is gone")
    return dict(pairs)


# A profile is not above a new thread yet.
_ABOVE = f"""UNWIND $at.keys AS key MATCH (:Summary {{namespace: $namespace, key: key}})<-[:SUMMARIZES]-(s:Summary)
    RETURN s.key AS key UNION MATCH (s:Summary) WHERE $at.threads AND s.namespace = $namespace AND s.level = '{SummaryLevel.PROFILE.name}'
        AND s.key > 0 RETURN s.key AS key"""


async def _outdate_owners(tx: Transaction, write: ConsolidationWrite, written: Sequence[int]) -> None:
    """What is above what was written, and was not written itself, is stale."""
    threads = any(summary.level is SummaryLevel.THREAD for summary in write.summaries)
    above = {key for (key,) in await tx.rows(_ABOVE, {"keys": list(written), "threads": threads})}
    await mark_stale(tx, above - set(written))


_KEYS = "MATCH (s:Summary) WHERE s.namespace = $namespace AND s.key > 0 RETURN collect(s.key)"


async def queue_consolidation(tx: Transaction, anew: bool = False) -> Job:
    """See `Memory.queue_consolidation`."""
    if anew:
        [[keys]] = await tx.rows(_KEYS, {})
        await mark_stale(tx, keys)
    return job_of(tx.name, save_job(tx, hurried(await cover_consolidation(tx), tx.now)))
