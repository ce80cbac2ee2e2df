"""Consolidation: what waits, writing summaries, and reading them."""

from collections.abc import Iterable, Sequence
from dataclasses import replace

import apsw
import numpy as np

from graph.errors import StaleWrite
from graph.model import Event, Job, Lease, NodeKind, Summary, SummaryLevel, from_micros, to_micros
from graph.store.embedded.as_of import all_said_before
from graph.store.embedded.files.connection import json_list, row, rows
from graph.store.embedded.files.transaction import Transaction
from graph.store.embedded.jobs.job_queue import cover_consolidation
from graph.store.embedded.jobs.job_rows import save_job
from graph.store.embedded.jobs.leases import held_job
from graph.store.embedded.listings import Conditions, page_of_nodes
from graph.store.embedded.rows.kind_numbers import SUMMARIZES
from graph.store.embedded.rows.node_keys import ids_of, keys_of
from graph.store.embedded.rows.node_rows import read_nodes
from graph.store.embedded.rows.session_rows import session_row
from graph.store.embedded.rows.summary_rows import above, drop_summaries, mark_stale, shared_calls, summaries_changed, write_summary
from graph.store.embedded.rows.usage_rows import add_usage
from graph.store.embedded.searching.filter import session_keys
from graph.store.port import (
    PAGE_BYTES,
    ConsolidationWork,
    ConsolidationWrite,
    Cursor,
    Float16Vector,
    Page,
    SearchedSummaries,
    SummaryQuery,
)
from graph.store.rules.consolidating import check_write, expected_namespace, referred_ids, require_free, require_levels, with_calls
from graph.store.rules.extracting import require_all
from graph.store.rules.jobs import hurried, is_hurried, job_of, progressed
from graph.store.rules.vector_checks import checked_passage_vectors

_WINDOW = int(SummaryLevel.WINDOW)
_PROFILES = f"SELECT key FROM summaries WHERE level = {SummaryLevel.PROFILE:d}"
# What a window no longer tells of waits, unless another one does.
_WAIT_AGAIN = f"""INSERT OR IGNORE INTO waiting_events SELECT session, said_at, key FROM nodes n WHERE key = ? AND retired_at IS NULL
    AND NOT EXISTS (SELECT 1 FROM edges e WHERE e.dst = n.key AND e.{SUMMARIZES})"""


def consolidation_work(db: apsw.Connection, now: int, lease: Lease, limit: int) -> ConsolidationWork:
    """See `Memory.consolidation_work`."""
    job = held_job(db, now, lease)
    revision, generation = row(db, "SELECT revision, generation FROM state")
    keys = [key for (key,) in rows(db, "SELECT key FROM waiting_events ORDER BY session, said_at, key LIMIT ?", (limit + 1,))]
    # Keys are handed out in the order of recording.
    bounds = "SELECT recorded_at FROM nodes WHERE key = (SELECT {}(key) FROM waiting_events)"
    first, last = (db.execute(bounds.format(name)).get for name in ("min", "max"))
    stale = [key for (key,) in rows(db, "SELECT key FROM summaries WHERE stale_since IS NOT NULL ORDER BY level, key LIMIT ?", (limit,))]
    loose = f"""SELECT 1 FROM summaries s WHERE s.level = {_WINDOW} AND s.told
        AND NOT EXISTS (SELECT 1 FROM edges e WHERE e.dst = s.key AND e.{SUMMARIZES}) LIMIT 1"""
    return ConsolidationWork(
        revision=revision,
        generation=generation,
        events=tuple(node for node in read_nodes(db, keys[:limit]).values() if isinstance(node, Event)),
        more=len(keys) > limit,
        first_recorded_at=None if first is None else from_micros(first),
        last_recorded_at=None if last is None else from_micros(last),
        stale=tuple(node for node in read_nodes(db, stale).values() if isinstance(node, Summary)),
        loose=db.execute(loose).fetchone() is not None,
        hurried=is_hurried(job, now),
    )


def commit_consolidation(tx: Transaction, lease: Lease, write: ConsolidationWrite) -> int:
    """See `Memory.commit_consolidation`."""
    check_write(write)
    checked_passage_vectors(tx.namespace.embedding, write.vectors)
    db = tx.db
    job = held_job(db, tx.now, lease)
    expected_namespace(write, tx.generation, int(db.execute("SELECT removed FROM consolidation").get))
    known = keys_of(db, [*write.retire_ids, *(summary.id for summary in write.summaries)])
    new = [summary.id for summary in write.summaries if summary.id not in known]
    keys = known | dict(zip(new, tx.node_keys(len(new)), strict=True))
    outside = referred_ids(write.summaries) - keys.keys()
    found = keys_of(db, outside)
    require_all(found, outside)
    keys |= found
    owners = _owners(db, write, keys)
    require_free(owners, write)
    require_levels(write, _levels(db, found), ids_of(db, [key for (key,) in db.execute(_PROFILES)]).values())
    _require_current(db, write, keys)
    names = {key: id_ for id_, key in known.items()}
    shared = {names[key]: calls for key, calls in shared_calls(db, names.keys()).items()}
    write = replace(write, summaries=with_calls(write, owners, shared))
    before = _events_below(db, known.values())
    drop_summaries(tx, [keys[id_] for id_ in write.retire_ids if id_ in known])
    _write_summaries(tx, write, keys, list(known.values()))
    covered = {keys[member] for summary in write.summaries if summary.level is SummaryLevel.WINDOW for member in summary.member_ids}
    db.executemany("DELETE FROM waiting_events WHERE key = ?", [(key,) for key in covered])
    db.executemany(_WAIT_AGAIN, [(key,) for key in before - covered])
    written = {keys[summary.id] for summary in write.summaries}
    mark_stale(tx, (above(db, written) | _profile_beside(db, write)) - written)
    add_usage(tx, write.usage)
    anew = sum(summary.id in known for summary in write.summaries)
    save_job(tx, progressed(job, tx.now, len(covered - before) + anew, write.partial_failures))
    if write.summaries or write.retire_ids:
        summaries_changed(tx)
    return int(tx.revision)


def _owners(db: apsw.Connection, write: ConsolidationWrite, keys: dict[str, int]) -> dict[str, str]:
    """The summary that each member is told of by, where there is one."""
    members = {keys[member]: member for summary in write.summaries for member in summary.member_ids}
    found = dict(db.executemany(f"SELECT dst, src FROM edges WHERE dst = ? AND {SUMMARIZES}", [(key,) for key in members]))
    ids = ids_of(db, list(found.values()))
    return {members[key]: ids[owner] for key, owner in found.items()}


def _levels(db: apsw.Connection, members: dict[str, int]) -> dict[str, SummaryLevel]:
    """The levels of those members that are summaries."""
    by_key = {key: id_ for id_, key in members.items()}
    found = db.executemany("SELECT key, level FROM summaries WHERE key = ?", [(key,) for key in by_key])
    return {by_key[key]: SummaryLevel(level) for key, level in found}


def _require_current(db: apsw.Connection, write: ConsolidationWrite, keys: dict[str, int]) -> None:
    wanted = [(keys[id_],) for id_ in referred_ids(write.summaries)]
    if db.executemany("SELECT 1 FROM nodes WHERE key = ? AND retired_at IS NOT NULL", wanted).fetchone():
        raise StaleWrite("another generation has begun")


def _events_below(db: apsw.Connection, keys: Iterable[int]) -> set[int]:
    """The events that these windows summarize."""
    sql = f"SELECT e.dst FROM edges e JOIN summaries s ON s.key = e.src WHERE e.src = ? AND s.level = {_WINDOW} AND e.{SUMMARIZES}"
    return {key for (key,) in db.executemany(sql, [(key,) for key in keys])}


def _write_summaries(tx: Transaction, write: ConsolidationWrite, keys: dict[str, int], known: Sequence[int]) -> None:
    stored = read_nodes(tx.db, known, linked=False).values()
    recorded = {node.id: node.recorded_at for node in stored if isinstance(node, Summary)}
    vectors = {item.owner_id: item.vector for item in write.vectors}
    now = from_micros(tx.now)
    for summary in write.summaries:
        session = _session_of(tx.db, summary)
        fresh = replace(summary, recorded_at=recorded.get(summary.id, now), stale_since=None)
        write_summary(tx, keys[summary.id], fresh, session, keys, vectors.get(summary.id))


def _session_of(db: apsw.Connection, summary: Summary) -> int | None:
    if summary.level is not SummaryLevel.WINDOW:
        return None
    session = session_row(db, summary.sessions[0])
    if session is None:
        raise StaleWrite("the session is gone")
    return session.key


def _profile_beside(db: apsw.Connection, write: ConsolidationWrite) -> set[int]:
    """The profile, where a thread is written: one that is new is not below it yet."""
    if all(summary.level is not SummaryLevel.THREAD for summary in write.summaries):
        return set()
    return {key for (key,) in db.execute(_PROFILES)}


def queue_consolidation(tx: Transaction, anew: bool = False) -> Job:
    """See `Memory.queue_consolidation`."""
    if anew:
        mark_stale(tx, {key for (key,) in tx.db.execute("SELECT key FROM summaries")})
    return job_of(tx.namespace.name, save_job(tx, hurried(cover_consolidation(tx), tx.now)))


def list_summaries(
    db: apsw.Connection, query: SummaryQuery, cursor: Cursor | None, limit: int, max_bytes: int = PAGE_BYTES
) -> Page[Summary]:
    """See `Memory.list_summaries`."""
    where = Conditions(f"n.kind = {NodeKind.SUMMARY:d}")
    if query.levels:
        where.one_of("n.seq", query.levels)
    if query.sessions:
        sessions = json_list(session_keys(db, query.sessions))
        windows = "SELECT w.key FROM json_each(?) j CROSS JOIN summaries w ON w.session = j.value"
        of_sessions = f"""WITH RECURSIVE told (key) AS ({windows} UNION
            SELECT e.src FROM told t JOIN edges e ON e.dst = t.key AND e.{SUMMARIZES}) SELECT key FROM told"""
        where.add(f"n.key IN ({of_sessions})", sessions)
    if query.happened is not None:
        start, end = to_micros(query.happened.start), to_micros(query.happened.end)
        where.add("n.starts_at < ? AND max(n.ends_at, n.starts_at + 1) > ?", end, start)
    if query.stale is not None:
        sense = "NOT NULL" if query.stale else "NULL"
        where.add(f"(SELECT s.stale_since FROM summaries s WHERE s.key = n.key) IS {sense}")
    if query.as_of is not None and query.as_of.known is not None:
        where.add(all_said_before("n", to_micros(query.as_of.known)))
    return page_of_nodes(db, where, "n.said_at", cursor, (limit, max_bytes), Summary)


def first_vectors(db: apsw.Connection, ids: Sequence[str]) -> dict[str, Float16Vector]:
    """See `Memory.first_vectors`."""
    keys = keys_of(db, ids)
    found = db.executemany(
        """SELECT p.owner, v.vector FROM passages p JOIN vectors v ON v.passage = p.key WHERE p.owner = ?1 AND p.ordinal = 0
           UNION ALL SELECT key, vector FROM summaries WHERE key = ?1 AND vector IS NOT NULL""",
        [(key,) for key in keys.values()],
    )
    by_key = {key: np.frombuffer(blob, dtype=np.float16) for key, blob in found}
    return {id_: by_key[key] for id_, key in keys.items() if key in by_key}


def searched_summaries(db: apsw.Connection, seen: int) -> SearchedSummaries | None:
    """See `Memory.searched_summaries`."""
    changed = int(db.execute("SELECT changed FROM consolidation").get)
    if changed <= seen:
        return None
    stored = dict(rows(db, "SELECT key, vector FROM summaries ORDER BY level, key"))
    nodes = read_nodes(db, list(stored), linked=False)
    said = {key: node for key, node in nodes.items() if isinstance(node, Summary) and node.sentences}
    vectors = {node.id: np.frombuffer(stored[key], dtype=np.float16) for key, node in said.items() if stored[key] is not None}
    return SearchedSummaries(changed, tuple(said.values()), vectors)
