"""Deleting memories with all that rests on them, and mending what is left: in one transaction, a long session in several."""

from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence

from graph.model import STATEMENT_KINDS, IdSource, JobState, NodeKind, from_micros
from graph.model.ids import MEMORY_KINDS
from graph.store.neo4j.closure import Doomed, by_kind, close
from graph.store.neo4j.driver.change_log import Operation
from graph.store.neo4j.driver.handle import Handle
from graph.store.neo4j.driver.transaction import Transaction
from graph.store.neo4j.jobs.job_queue import cover_consolidation, open_jobs
from graph.store.neo4j.jobs.job_rows import save_job
from graph.store.neo4j.rows.edge_rows import NodeRef
from graph.store.neo4j.rows.references import refs_of
from graph.store.neo4j.rows.requests import first_answer, remember_answer
from graph.store.neo4j.rows.search_tokens import group_of
from graph.store.neo4j.rows.session_rows import existing_session
from graph.store.neo4j.rows.summary_rows import drop_memberless, take_words
from graph.store.neo4j.schema import NODE_LABELS, STATED_EDGES
from graph.store.port import Deletion, DeletionReceipt
from graph.store.rules import deleting
from graph.store.rules.jobs import ended

# So many messages of a session go in one transaction, which Neo4j holds in its heap. Of 12,000 with their facts and events, 36,000 nodes,
# one was more than a heap of 384 MB has room for.
_AT_ONCE = 1_000


async def delete(handle: Handle, deletion: Deletion) -> DeletionReceipt:
    """See `Memory.delete`.

    Of a long session the oldest messages go first, in transactions of their own, each with all that rests on them: if this process ends
    meanwhile, the same deletion goes on from there. The receipt, made with the last one, counts them all.
    """
    deleting.check_deletion(deletion)
    counts: Counter[NodeKind] = Counter()
    while deletion.session:
        gone = await handle.write(lambda tx: _delete_oldest(tx, deletion))
        if gone is None:
            break
        counts += gone
    return await handle.write(lambda tx: _delete_all(tx, handle.database.ids, deletion, counts))


_OLDEST = """MATCH (m:Message) WHERE m.namespace = $namespace AND m.session = $at.session AND m.seq > 0
    WITH m ORDER BY m.namespace, m.session, m.seq LIMIT $at.limit RETURN collect(m.key)"""


async def _delete_oldest(tx: Transaction, deletion: Deletion) -> Counter[NodeKind] | None:
    """Deletes the oldest messages of a session that has too many for one transaction; None of one that has not."""
    if await first_answer(tx, deletion.request_id, deleting.deletion_digest(deletion)) is not None:
        return None
    session = await existing_session(tx, deletion.session)
    [[keys]] = await tx.rows(_OLDEST, {"session": session.name, "limit": _AT_ONCE + 1})
    if len(keys) <= _AT_ONCE:
        return None
    doomed: Doomed = dict.fromkeys(NodeRef(NodeKind.MESSAGE, key) for key in keys[:_AT_ONCE])
    await close(tx, doomed)
    return await _delete(tx, doomed, None)


async def _delete_all(tx: Transaction, ids: IdSource, deletion: Deletion, before: Counter[NodeKind]) -> DeletionReceipt:
    digest = deleting.deletion_digest(deletion)
    answer = await first_answer(tx, deletion.request_id, digest)
    if answer is not None:
        return deleting.receipt_of(answer)
    doomed, missing, session = await _named(tx, deletion)
    await close(tx, doomed)
    counts = before + await _delete(tx, doomed, session)
    receipt = DeletionReceipt(ids.mint("del"), from_micros(tx.now), counts, tx.revision, missing)
    await remember_answer(tx, deletion.request_id, digest, deleting.stored_receipt(receipt))
    return receipt


_OF_SESSION = """MATCH (x:%s) WHERE x.namespace = $namespace AND x.session = $at.session%s RETURN collect(x.key)"""


async def _named(tx: Transaction, deletion: Deletion) -> tuple[Doomed, tuple[str, ...], NodeRef | None]:
    """What the deletion names: nodes, ids that are not there, the session."""
    if not deletion.session:
        refs = await refs_of(tx, deletion.memory_ids)
        doomed: Doomed = dict.fromkeys(ref for ref in refs.values() if ref.kind in deleting.DELETABLE)
        return doomed, deleting.missing_ids(deletion, refs, doomed), None
    session = await existing_session(tx, deletion.session)
    doomed = {}
    for kind in sorted(deleting.DELETABLE):
        indexed = " AND x.seq > 0" if kind is NodeKind.MESSAGE else ""
        [[keys]] = await tx.rows(_OF_SESSION % (NODE_LABELS[kind], indexed), {"session": session.name})
        doomed |= dict.fromkeys(NodeRef(kind, key) for key in keys)
    return doomed, (), NodeRef(NodeKind.SESSION, session.key)


_NAMED_BY = """UNWIND $at.keys AS key MATCH (x:%s {namespace: $namespace, key: key})-[:INVOLVES|MENTIONS]->(e:Entity)
    RETURN collect(DISTINCT e.key)"""
_MESSAGE_ROWS = """UNWIND $at.keys AS key MATCH (m:Message {namespace: $namespace, key: key})
    RETURN collect([m.session, m.seq, m.speaker])"""


async def _delete(tx: Transaction, doomed: Doomed, session: NodeRef | None) -> Counter[NodeKind]:
    keys = by_kind(doomed)
    entities = await _entities_named_by(tx, keys)
    entities |= await _drop_stated_edges(tx, keys)
    messages = await _messages(tx, keys.get(NodeKind.MESSAGE, []))
    await _uncount_passages(tx, keys)
    told = await take_words(tx, await _told_of(tx, keys))
    await _drop_nodes(tx, keys)
    memberless = await drop_memberless(tx, told)
    await _uncount_speakers(tx, messages)
    if session is None:
        await _mend_sessions(tx, messages)
    else:
        await _drop_session(tx, session)
    unnamed = await _drop_unnamed(tx, entities)
    await _recount_mentions(tx, entities - unnamed)
    gone = [ref.key for ref in doomed] + sorted(unnamed) + ([session.key] if session else [])
    if gone:
        tx.changed(Operation.REMOVED, gone)
        tx.something_removed()
        tx.supersessions_changed()
    if told:
        await cover_consolidation(tx)
    kinds = [*(ref.kind for ref in doomed), *[NodeKind.SUMMARY] * memberless]
    return deleting.deleted_counts(kinds, len(unnamed), session=session is not None)


_TELLING = """UNWIND $at.keys AS key MATCH (x:%s {namespace: $namespace, key: key})%s<-[:SUMMARIZES|SEEDED_BY]-(s:Summary)
    RETURN collect(DISTINCT s.key)"""
# From a node that is deleted to the event of which a summary tells.
_TO_EVENT = {NodeKind.EVENT: "", **dict.fromkeys(STATEMENT_KINDS, "<-[:STATES]-(:Event)")}


async def _told_of(tx: Transaction, keys: dict[NodeKind, list[int]]) -> set[int]:
    """The summaries that tell of doomed events, or of those that state doomed statements, or were written with them in view."""
    told: set[int] = set()
    for kind in _TO_EVENT.keys() & keys.keys():
        [[found]] = await tx.rows(_TELLING % (NODE_LABELS[kind], _TO_EVENT[kind]), {"keys": keys[kind]})
        told |= set(found)
    return told


async def _entities_named_by(tx: Transaction, keys: dict[NodeKind, list[int]]) -> set[int]:
    entities: set[int] = set()
    for kind, some in keys.items():
        [[found]] = await tx.rows(_NAMED_BY % NODE_LABELS[kind], {"keys": some})
        entities |= set(found)
    return entities


_IDS = "UNWIND $at.keys AS key MATCH (x:%s {namespace: $namespace, key: key}) RETURN collect(x.id)"
# Ids are the same in a copy of a namespace: an edge is looked up by what states it, and must be of this one.
_DROP_STATED = """MATCH (a)-[r:%s]->(b) WHERE r.via_id IN $at.ids AND a.namespace = $namespace
    WITH r, [a, b] AS ends DELETE r RETURN collect([x IN ends WHERE x:Entity | x.key])"""


async def _drop_stated_edges(tx: Transaction, keys: dict[NodeKind, list[int]]) -> set[int]:
    """Deletes the edges that doomed statements state; returns the entities that they bound."""
    entities: set[int] = set()
    ids: list[str] = []
    for kind, some in keys.items():
        [[found]] = await tx.rows(_IDS % NODE_LABELS[kind], {"keys": some})
        ids += found
    for edge in STATED_EDGES if ids else ():
        [[ends]] = await tx.execute(_DROP_STATED % edge.name, {"ids": ids})
        entities |= {key for pair in ends for key in pair}
    return entities


async def _messages(tx: Transaction, messages: list[int]) -> list[tuple[str, int, str]]:
    if not messages:
        return []
    [[found]] = await tx.rows(_MESSAGE_ROWS, {"keys": messages})
    return [(session, seq, speaker) for session, seq, speaker in found]


# A retired statement's passages were uncounted when it was retired.
_PASSAGES = """UNWIND $at.keys AS key MATCH (x:%s {namespace: $namespace, key: key}) WHERE x.term_hashes IS NOT NULL
    UNWIND [x] + [(x)-[:HAS_PASSAGE]->(p) | p] AS passage RETURN collect([passage.term_hashes, passage.length])"""


async def _uncount_passages(tx: Transaction, keys: dict[NodeKind, list[int]]) -> None:
    for kind in MEMORY_KINDS & keys.keys():
        [[found]] = await tx.rows(_PASSAGES % NODE_LABELS[kind], {"keys": keys[kind]})
        for hashes, length in found:
            tx.count_passage(group_of(kind), hashes, length, -1)


_DROP = """UNWIND $at.keys AS key MATCH (x:%s {namespace: $namespace, key: key})
    CALL (x) { OPTIONAL MATCH (x)-[:HAS_PASSAGE|NAMES_TIME]->(bound) DETACH DELETE bound }
    DETACH DELETE x"""


async def _drop_nodes(tx: Transaction, keys: dict[NodeKind, list[int]]) -> None:
    for kind, some in keys.items():
        await tx.execute(_DROP % NODE_LABELS[kind], {"keys": some})


_UNCOUNT = """UNWIND $at.rows AS row MATCH (p:Speaker {namespace: $namespace, name: row[0]}) SET p.messages = p.messages - row[1]
    WITH p WHERE p.messages <= 0 DELETE p"""


async def _uncount_speakers(tx: Transaction, messages: Sequence[tuple[str, int, str]]) -> None:
    rows = [list(pair) for pair in Counter(speaker for _, _, speaker in messages).items()]
    if rows:
        await tx.execute(_UNCOUNT, {"rows": rows})


# The message after a gap, and the one before it where there is one.
_CLOSE_GAPS = """UNWIND $at.seqs AS seq
    CALL (seq) { MATCH (m:Message) WHERE m.namespace = $namespace AND m.session = $at.session AND m.seq > seq
        RETURN m AS after ORDER BY m.namespace, m.session, m.seq LIMIT 1 }
    CALL (seq) { OPTIONAL MATCH (m:Message) WHERE m.namespace = $namespace AND m.session = $at.session AND m.seq < seq
        RETURN m AS before ORDER BY m.namespace DESC, m.session DESC, m.seq DESC LIMIT 1 }
    WITH DISTINCT before, after SET after.previous_key = coalesce(before.key, 0)
    WITH before, after WHERE before IS NOT NULL MERGE (before)-[:NEXT]->(after)"""
_COUNT = """MATCH (s:Session {namespace: $namespace, name: $at.session})
    CALL (s) { MATCH (m:Message) WHERE m.namespace = $namespace AND m.session = $at.session AND m.seq > 0
        RETURN count(m) AS messages, min(m.sent_at) AS first, max(m.sent_at) AS last }
    SET s.message_count = messages, s.first_sent_at = first, s.last_sent_at = last"""


async def _mend_sessions(tx: Transaction, messages: Sequence[tuple[str, int, str]]) -> None:
    """Closes NEXT over the messages that are gone, and counts their sessions anew."""
    gaps: defaultdict[str, list[int]] = defaultdict(list)
    for session, seq, _ in messages:
        gaps[session].append(seq)
    for session, seqs in gaps.items():
        await tx.execute(_CLOSE_GAPS, {"session": session, "seqs": seqs})
        await tx.execute(_COUNT, {"session": session})


_FORGET_SESSION = """MATCH (s:Session {namespace: $namespace, key: $at.key})
    CALL (s) { MATCH (j:Job) WHERE j.namespace = $namespace AND j.session = s.name AND j.state IS NOT NULL REMOVE j.session }
    CALL (s) { MATCH (f:FlushMark) WHERE f.namespace = $namespace AND f.session = s.name AND f.seq > 0 DELETE f }
    DETACH DELETE s"""
_NAME = "MATCH (s:Session {namespace: $namespace, key: $at.key}) RETURN s.name"


async def _drop_session(tx: Transaction, session: NodeRef) -> None:
    [[name]] = await tx.rows(_NAME, {"key": session.key})
    for job in await open_jobs(tx, name):
        save_job(tx, ended(job, tx.now, JobState.CANCELED, session=""))
    await tx.execute(_FORGET_SESSION, {"key": session.key})
    tx.touched_jobs = True


_UNNAMED = """UNWIND $at.keys AS key MATCH (e:Entity {namespace: $namespace, key: key})
    WHERE NOT EXISTS { (e)<-[:INVOLVES|MENTIONS]-() }
    CALL (e) { MATCH (a:EntityName) WHERE a.namespace = $namespace AND a.entity_id = e.id DELETE a }
    WITH e, e.key AS gone DETACH DELETE e RETURN collect(gone)"""
_MENTIONS = """UNWIND $at.keys AS key MATCH (e:Entity {namespace: $namespace, key: key})
    SET e.mention_count = COUNT { MATCH (x)-[:MENTIONS]->(e) WHERE x.retired_at IS NULL }"""


async def _drop_unnamed(tx: Transaction, entities: Iterable[int]) -> set[int]:
    """Deletes those among the entities that no node names any more."""
    keys = sorted(entities)
    if not keys:
        return set()
    [[gone]] = await tx.execute(_UNNAMED, {"keys": keys})
    return set(gone)


async def _recount_mentions(tx: Transaction, entities: Iterable[int]) -> None:
    """Counts anew how many current nodes name each of these entities."""
    keys = sorted(entities)
    if keys:
        await tx.execute(_MENTIONS, {"keys": keys})
