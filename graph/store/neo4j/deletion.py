"""Deleting memories with all that rests on them, and mending what is left: in one transaction, many messages in several."""

from collections import Counter, defaultdict
from collections.abc import Collection, Iterable, Sequence
from dataclasses import replace
from datetime import timedelta

from graph.model import STATEMENT_KINDS, IdSource, JobState, NodeKind, from_micros
from graph.model.ids import MEMORY_KINDS
from graph.store.neo4j.closure import Doomed, by_kind, close
from graph.store.neo4j.driver.change_log import Operation
from graph.store.neo4j.driver.handle import Handle
from graph.store.neo4j.driver.transaction import Transaction
from graph.store.neo4j.jobs.job_queue import cover_consolidation, cover_messages, open_jobs
from graph.store.neo4j.jobs.job_rows import save_job
from graph.store.neo4j.listings import messages_found_by
from graph.store.neo4j.receipts import all_items, begun, keep_items, keep_receipt, keep_unfinished, unfinished
from graph.store.neo4j.rows.edge_rows import NodeRef
from graph.store.neo4j.rows.entity_rows import CREATE_NAMES, name_rows
from graph.store.neo4j.rows.references import refs_of
from graph.store.neo4j.rows.requests import first_answer, remember_answer
from graph.store.neo4j.rows.search_tokens import group_of
from graph.store.neo4j.rows.session_rows import existing_session
from graph.store.neo4j.rows.summary_rows import drop_memberless, take_words
from graph.store.neo4j.schema import NODE_LABELS, STATED_EDGES
from graph.store.port import DeletedItem, Deletion, DeletionCause, DeletionReceipt, MessageQuery, items_digest
from graph.store.rules import deleting, receipts
from graph.store.rules.jobs import ended
from graph.text.names import folded

# So many messages go in one transaction, which Neo4j holds in its heap. Of 12,000 with their facts and events, 36,000 nodes, one was more
# than a heap of 384 MB has room for.
_AT_ONCE = 1_000


class _NotForGood(Exception):
    """Undoes the transaction of a dry run, whose receipt it carries."""

    def __init__(self, receipt: DeletionReceipt) -> None:
        self.receipt = receipt


async def delete(handle: Handle, deletion: Deletion) -> DeletionReceipt:
    """See `Memory.delete`.

    Of many messages the first ones go first, in transactions of their own, each with all that rests on them: if this process ends
    meanwhile, the same deletion goes on from there, and its receipt lists them all. A dry run is one transaction, whatever its size.
    """
    deleting.check_deletion(deletion)
    ids = handle.database.ids
    receipt: DeletionReceipt | None = None
    try:
        while receipt is None:
            receipt = await handle.write(lambda tx: _delete_some(tx, ids, deletion))
    except _NotForGood as dry:
        return dry.receipt
    return receipt


async def _delete_some(tx: Transaction, ids: IdSource, deletion: Deletion) -> DeletionReceipt | None:
    """Deletes as much as one transaction has room for; the receipt when that was all."""
    digest = deleting.deletion_digest(deletion)
    answer = None if deletion.dry_run else await first_answer(tx, deletion.request_id, digest)
    if answer is not None:
        return receipts.receipt_of(answer)
    named, missing, session, more = await _named(tx, deletion)
    doomed = dict(named)
    again = await close(tx, doomed)
    kept = await unfinished(tx, digest) or begun(tx, ids)
    items = sorted(await _delete(tx, named, doomed, again, session), key=lambda item: item.id)
    kept = await keep_items(tx, kept, items, again)
    if more:
        await keep_unfinished(tx, kept, digest)
        return None
    pieces = await all_items(tx, kept)
    listed = [item for piece in pieces for item in receipts.unpacked(piece)]
    receipt = DeletionReceipt(
        id=kept.id,
        deleted_at=from_micros(tx.now),
        counts=receipts.counted(listed),
        revision=tx.revision,
        missing_ids=missing,
        deleted_by=deletion.deleted_by,
        again=await _still_there(tx, kept.again),
        digest=items_digest(listed),
    )
    if deletion.dry_run:
        raise _NotForGood(replace(receipt, id="", revision=tx.revision - int(tx.stepped)))
    await keep_receipt(tx, kept, receipt)
    await remember_answer(tx, deletion.request_id, digest, receipts.stored_receipt(receipt))
    return receipt


_OF_SESSION = """MATCH (x:%s) WHERE x.namespace = $namespace AND x.session = $at.session%s RETURN collect(x.key)"""
_OLDEST = """MATCH (m:Message) WHERE m.namespace = $namespace AND m.session = $at.session AND m.seq > 0
    WITH m ORDER BY m.namespace, m.session, m.seq LIMIT $at.limit RETURN collect(m.key)"""


async def _named(tx: Transaction, deletion: Deletion) -> tuple[Doomed, tuple[str, ...], NodeRef | None, bool]:
    """What the deletion selects: nodes, ids that are not there, the session; and whether there is more for another transaction."""
    limit = 2**62 if deletion.dry_run else _AT_ONCE
    if deletion.messages is not None:
        keys = await _found_by(tx, deletion.messages, limit + 1)
        return dict.fromkeys(NodeRef(NodeKind.MESSAGE, key) for key in keys[:limit]), (), None, len(keys) > limit
    if not deletion.session:
        refs = await refs_of(tx, deletion.memory_ids)
        doomed: Doomed = dict.fromkeys(ref for ref in refs.values() if ref.kind in deleting.DELETABLE)
        return doomed, deleting.missing_ids(deletion, refs, doomed), None, False
    session = await existing_session(tx, deletion.session)
    [[keys]] = await tx.rows(_OLDEST, {"session": session.name, "limit": limit + 1})
    if len(keys) > limit:
        return dict.fromkeys(NodeRef(NodeKind.MESSAGE, key) for key in keys[:limit]), (), None, True
    doomed = {}
    for kind in sorted(deleting.DELETABLE):
        indexed = " AND x.seq > 0" if kind is NodeKind.MESSAGE else ""
        [[keys]] = await tx.rows(_OF_SESSION % (NODE_LABELS[kind], indexed), {"session": session.name})
        doomed |= dict.fromkeys(NodeRef(kind, key) for key in keys)
    return doomed, (), NodeRef(NodeKind.SESSION, session.key), False


async def _found_by(tx: Transaction, query: MessageQuery, limit: int) -> list[int]:
    """The keys of the first messages of a query."""
    where, order = messages_found_by(query, None)
    ordered = ", ".join(("m.namespace", *order))
    found = await tx.rows(
        f"""MATCH (n:Namespace {{name: $namespace}}) MATCH (m:Message) WHERE {where} WITH m ORDER BY {ordered} LIMIT $at.limit
            RETURN collect(m.key)""",
        {"limit": limit},
        where.parameters,
    )
    return sorted(found[0][0])


_STILL = "UNWIND $at.keys AS key MATCH (m:Message {namespace: $namespace, key: key}) RETURN count(m)"


async def _still_there(tx: Transaction, messages: Collection[int]) -> int:
    """How many of these messages no later transaction of the deletion took."""
    [[count]] = await tx.rows(_STILL, {"keys": sorted(messages)})
    return int(count)


_NAMED_BY = """UNWIND $at.keys AS key MATCH (x:%s {namespace: $namespace, key: key})-[:INVOLVES|MENTIONS]->(e:Entity)
    RETURN collect(DISTINCT e.key)"""
_MESSAGE_ROWS = """UNWIND $at.keys AS key MATCH (m:Message {namespace: $namespace, key: key})
    RETURN collect([m.session, m.seq, m.speaker])"""


async def _delete(tx: Transaction, named: Doomed, doomed: Doomed, again: set[int], session: NodeRef | None) -> list[DeletedItem]:
    keys = by_kind(doomed)
    entities = await _entities_named_by(tx, keys)
    entities |= await _entities_named_by(tx, {NodeKind.MESSAGE: sorted(again)})
    entities |= await _drop_stated_edges(tx, keys)
    messages = await _messages(tx, keys.get(NodeKind.MESSAGE, []))
    texts = await _folded_texts(tx, keys.get(NodeKind.MESSAGE, []))
    ids = await _ids_of(tx, [*doomed, *([session] if session else [])])
    selected = {*named, session}
    items = [DeletedItem(id_, DeletionCause.SELECTED if ref in selected else DeletionCause.DERIVED) for ref, id_ in ids.items()]
    await _uncount_passages(tx, keys)
    told = await take_words(tx, await _told_of(tx, keys))
    await _drop_nodes(tx, keys)
    items += [DeletedItem(id_, DeletionCause.DERIVED) for id_ in await drop_memberless(tx, told)]
    await _uncount_speakers(tx, messages)
    if session is None:
        await _mend_sessions(tx, messages)
    else:
        await _drop_session(tx, session)
    await extract_again(tx, again)
    unnamed = await _unnamed(tx, entities)
    gone_ids = await _ids_of(tx, [NodeRef(NodeKind.ENTITY, key) for key in sorted(unnamed)])
    items += [DeletedItem(id_, DeletionCause.UNNAMED) for id_ in gone_ids.values()]
    await _drop_entities(tx, unnamed)
    await _recount_mentions(tx, entities - unnamed)
    await _forget_names(tx, entities - unnamed, texts, again)
    gone = [ref.key for ref in doomed] + sorted(unnamed) + ([session.key] if session else [])
    if gone:
        tx.changed(Operation.REMOVED, gone)
        tx.something_removed()
        tx.supersessions_changed()
    if told:
        await cover_consolidation(tx)
    return items


_NODE_IDS = "UNWIND $at.keys AS key MATCH (x:%s {namespace: $namespace, key: key}) RETURN collect([x.key, x.id])"


async def _ids_of(tx: Transaction, refs: Sequence[NodeRef]) -> dict[NodeRef, str]:
    """The ids of nodes, in the order given."""
    ids: dict[NodeRef, str] = {}
    for kind, keys in by_kind(refs).items():
        [[found]] = await tx.rows(_NODE_IDS % NODE_LABELS[kind], {"keys": keys})
        ids |= {NodeRef(kind, key): id_ for key, id_ in found}
    return {ref: ids[ref] for ref in refs}


_FORGET_MENTIONS = "UNWIND $at.keys AS key MATCH (m:Message {namespace: $namespace, key: key})-[r:MENTIONS]->() DELETE r"
_MARK_AGAIN = """UNWIND $at.keys AS key MATCH (m:Message {namespace: $namespace, key: key})
    MERGE (a:AgainMark {namespace: $namespace, session: m.session, seq: m.seq})
    WITH DISTINCT m.session AS name MATCH (s:Session {namespace: $namespace, name: name})
    WITH s ORDER BY s.key RETURN collect([s.name, s.extracted_seq])"""


async def extract_again(tx: Transaction, messages: Collection[int]) -> None:
    """Has these messages, of which nothing is left that was extracted, extracted anew."""
    if not messages:
        return
    await tx.execute(_FORGET_MENTIONS, {"keys": sorted(messages)})
    [[sessions]] = await tx.execute(_MARK_AGAIN, {"keys": sorted(messages)})
    for name, upto in sessions:
        await cover_messages(tx, tx.namespace, tx.ids, name, upto, timedelta(0))
        tx.touched_jobs = True


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


_UNMARK = "UNWIND $at.seqs AS seq MATCH (a:AgainMark {namespace: $namespace, session: $at.session, seq: seq}) DELETE a"


async def _mend_sessions(tx: Transaction, messages: Sequence[tuple[str, int, str]]) -> None:
    """Closes NEXT over the messages that are gone, and counts their sessions anew."""
    gaps: defaultdict[str, list[int]] = defaultdict(list)
    for session, seq, _ in messages:
        gaps[session].append(seq)
    for session, seqs in gaps.items():
        await tx.execute(_UNMARK, {"session": session, "seqs": seqs})
        await tx.execute(_CLOSE_GAPS, {"session": session, "seqs": seqs})
        await tx.execute(_COUNT, {"session": session})


_FORGET_SESSION = """MATCH (s:Session {namespace: $namespace, key: $at.key})
    CALL (s) { MATCH (j:Job) WHERE j.namespace = $namespace AND j.session = s.name AND j.state IS NOT NULL REMOVE j.session }
    CALL (s) { MATCH (f:FlushMark) WHERE f.namespace = $namespace AND f.session = s.name AND f.seq > 0 DELETE f }
    CALL (s) { MATCH (a:AgainMark) WHERE a.namespace = $namespace AND a.session = s.name AND a.seq > 0 DELETE a }
    CALL (s) { MATCH (x:ExtractionSpan) WHERE x.namespace = $namespace AND x.session = s.name AND x.last > 0 DELETE x }
    DETACH DELETE s"""
_NAME = "MATCH (s:Session {namespace: $namespace, key: $at.key}) RETURN s.name"


async def _drop_session(tx: Transaction, session: NodeRef) -> None:
    [[name]] = await tx.rows(_NAME, {"key": session.key})
    for job in await open_jobs(tx, name):
        save_job(tx, ended(job, tx.now, JobState.CANCELED, session=""))
    await tx.execute(_FORGET_SESSION, {"key": session.key})
    tx.touched_jobs = True


_UNNAMED = """UNWIND $at.keys AS key MATCH (e:Entity {namespace: $namespace, key: key})
    WHERE NOT EXISTS { (e)<-[:INVOLVES|MENTIONS]-() } RETURN collect(e.key)"""
_DROP_ENTITIES = """UNWIND $at.keys AS key MATCH (e:Entity {namespace: $namespace, key: key})
    CALL (e) { MATCH (a:EntityName) WHERE a.namespace = $namespace AND a.entity_id = e.id DELETE a }
    DETACH DELETE e"""
_MENTIONS = """UNWIND $at.keys AS key MATCH (e:Entity {namespace: $namespace, key: key})
    SET e.mention_count = COUNT { MATCH (x)-[:MENTIONS]->(e) WHERE x.retired_at IS NULL }"""


async def _unnamed(tx: Transaction, entities: Collection[int]) -> set[int]:
    """Those among the entities that nothing names any more."""
    if not entities:
        return set()
    [[unnamed]] = await tx.rows(_UNNAMED, {"keys": sorted(entities)})
    return set(unnamed)


async def _drop_entities(tx: Transaction, entities: Collection[int]) -> None:
    if entities:
        await tx.execute(_DROP_ENTITIES, {"keys": sorted(entities)})


async def _recount_mentions(tx: Transaction, entities: Iterable[int]) -> None:
    """Counts anew how many current nodes name each of these entities."""
    keys = sorted(entities)
    if keys:
        await tx.execute(_MENTIONS, {"keys": keys})


_TEXTS = """UNWIND $at.keys AS key MATCH (m:Message {namespace: $namespace, key: key})
    RETURN collect([m.speaker, m.text, m.image_caption])"""
# Names are compared here: Cypher folds no width.
_NAMES = """UNWIND $at.keys AS key MATCH (e:Entity {namespace: $namespace, key: key}) WITH e ORDER BY e.key
    RETURN collect([e.key, e.id, e.name, e.aliases])"""
# The messages that name an entity, and those that statements rest on which do; a page of them.
_NAMING_MESSAGES = """MATCH (e:Entity {namespace: $namespace, key: $at.key})
    CALL (e) { MATCH (e)<-[:MENTIONS]-(m:Message) RETURN m UNION MATCH (e)<-[:MENTIONS|INVOLVES]-()-[:EVIDENCED_BY]->(m:Message) RETURN m }
    WITH m ORDER BY m.key SKIP $at.skip LIMIT $at.limit RETURN collect(m.key)"""
_RENAME = """MATCH (e:Entity {namespace: $namespace, key: $at.key}) SET e.name = $at.name, e.aliases = $at.aliases
    WITH e CALL (e) { MATCH (a:EntityName) WHERE a.namespace = $namespace AND a.entity_id = e.id DELETE a }"""
_LOOKED_AT = 200


async def _folded_texts(tx: Transaction, messages: Collection[int]) -> list[str]:
    if not messages:
        return []
    [[found]] = await tx.rows(_TEXTS, {"keys": sorted(messages)})
    return [folded(" ".join(part for part in parts if part)) for parts in found]


async def _forget_names(tx: Transaction, entities: Collection[int], deleted_texts: Sequence[str], again: Collection[int]) -> None:
    """Takes from entities that stay the names that only deleted messages know. `again`: messages that stay and name nothing for now."""
    if not entities or not deleted_texts:
        return
    others = await _folded_texts(tx, again)
    [[found]] = await tx.rows(_NAMES, {"keys": sorted(entities)})
    for key, id_, name, aliases in found:
        names = (name, *aliases)
        suspicious = deleting.suspicious_names(names, deleted_texts)
        unknown = [one for one in suspicious if not any(folded(one) in text for text in others)]
        skip = 0
        while unknown:
            [[messages]] = await tx.rows(_NAMING_MESSAGES, {"key": key, "skip": skip, "limit": _LOOKED_AT})
            texts = await _folded_texts(tx, messages)
            unknown = [one for one in unknown if not any(folded(one) in text for text in texts)]
            skip += len(messages)
            if len(messages) < _LOOKED_AT:
                break
        if unknown:
            kept = deleting.kept_names(names, suspicious, set(suspicious) - set(unknown))
            await tx.execute(_RENAME, {"key": key, "name": kept[0], "aliases": list(kept[1:])})
            await tx.execute(CREATE_NAMES, {"names": name_rows(tx.name, id_, kept)})


async def remove_for_edit(tx: Transaction, messages: Iterable[int]) -> None:
    """Takes messages out of a session, with all that was made of them, so that other versions can stand in their places."""
    doomed: Doomed = dict.fromkeys(NodeRef(NodeKind.MESSAGE, key) for key in messages)
    named = dict(doomed)
    again = await close(tx, doomed)
    await _delete(tx, named, doomed, again, None)


_RESTORE = """UNWIND $at.seqs AS seq MATCH (m:Message {namespace: $namespace, session: $at.session, seq: seq})
    CALL (m) { OPTIONAL MATCH (b:Message) WHERE b.namespace = $namespace AND b.session = $at.session AND b.seq < m.seq
        RETURN b ORDER BY b.namespace DESC, b.session DESC, b.seq DESC LIMIT 1 }
    CALL (m) { OPTIONAL MATCH (a:Message) WHERE a.namespace = $namespace AND a.session = $at.session AND a.seq > m.seq
        RETURN a ORDER BY a.namespace, a.session, a.seq LIMIT 1 }
    CALL (a, b) { OPTIONAL MATCH (b)-[r:NEXT]->(a) DELETE r }
    SET m.previous_key = coalesce(b.key, 0)
    FOREACH (x IN CASE WHEN a IS NULL THEN [] ELSE [a] END | SET x.previous_key = m.key MERGE (m)-[:NEXT]->(x))
    FOREACH (x IN CASE WHEN b IS NULL THEN [] ELSE [b] END | MERGE (x)-[:NEXT]->(m))"""
_COUNT_SPEAKERS = """UNWIND $at.speakers AS name MERGE (p:Speaker {namespace: $namespace, name: name})
    SET p.messages = coalesce(p.messages, 0) + 1"""


async def restore_places(tx: Transaction, session: str, placed: Sequence[tuple[int, str]]) -> None:
    """Puts messages, each by seq and speaker, that stand in gaps of a session between their neighbours, and counts them."""
    for seq, _ in placed:
        await tx.execute(_RESTORE, {"session": session, "seqs": [seq]})
    await tx.execute(_COUNT_SPEAKERS, {"speakers": [speaker for _, speaker in placed]})
    await tx.execute(_COUNT, {"session": session})
