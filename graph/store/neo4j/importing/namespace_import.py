"""Building a namespace from the records of an export, out of sight until it is complete."""

import uuid
from collections.abc import AsyncIterator, Sequence
from dataclasses import replace
from datetime import timedelta
from itertools import groupby

from neo4j import AsyncTransaction

from graph.model import Namespace
from graph.store.neo4j.driver.database import Database
from graph.store.neo4j.driver.transaction import lock_namespace
from graph.store.neo4j.importing.records import ImportRecords
from graph.store.neo4j.jobs.job_queue import cover_consolidation, cover_messages
from graph.store.neo4j.namespaces import reserve
from graph.store.neo4j.rows.namespace_rows import NamespaceState, generation_properties
from graph.store.neo4j.sweeping import clear_away
from graph.store.port import ExportRecord
from graph.store.rules.importing import record_faults
from graph.store.rules.node_bytes import BATCH_BYTES, text_length
from graph.store.signals import WORK

# Records that are written at once, of one kind. Batches of 250 took 1.6 times the server's CPU of 1,000.
_BATCH = 1_000
# An import that has written nothing for so long has broken off, and may be cleared away.
_PATIENCE = timedelta(minutes=10)
_RENEW_EVERY = 20
_RENEW = "MATCH (n:Namespace {name: $namespace, uid: $uid}) SET n.building_until = $until"
_LET_GO = "MATCH (n:Namespace {name: $namespace, uid: $uid}) WHERE n.building_until > 0 SET n.building_until = 0"
_ACTIVATE = """MATCH (n:Namespace {name: $namespace, uid: $uid}) SET n += $properties, n.state = $active REMOVE n.building_until"""


async def import_namespace(database: Database, namespace: Namespace, records: AsyncIterator[Sequence[ExportRecord]]) -> Namespace:
    """See `Store.import_namespace`. Records come in the order of an export, the messages of a session in that of their seq."""
    made = replace(namespace, uid=uuid.uuid4().hex)
    token = await reserve(database, made, NamespaceState.CREATING, building_until=await _until(database))
    writing = ImportRecords(database, made, token)
    try:
        await _take_all(database, made, writing, records)
        await _activate(database, made, writing)
    except BaseException:
        await database.to_its_end(_give_up(database, made, writing))
        raise
    database.changed.notify(WORK)
    return await database.namespace(made.name)


async def _give_up(database: Database, namespace: Namespace, writing: ImportRecords) -> None:
    await writing.abandon()
    # First, so that whoever comes next need not wait, should this process end before all is cleared away.
    await database.connection.execute(_LET_GO, {"namespace": namespace.name, "uid": namespace.uid})
    await clear_away(database, namespace.name, namespace.uid)


async def _until(database: Database) -> int:
    return await database.now() + _PATIENCE // timedelta(microseconds=1)


async def _take_all(
    database: Database, namespace: Namespace, writing: ImportRecords, records: AsyncIterator[Sequence[ExportRecord]]
) -> None:
    waiting: list[ExportRecord] = []
    batches = 0
    async for some in records:
        waiting += some
        while len(waiting) >= _BATCH or text_length(waiting) >= BATCH_BYTES:
            batch, waiting = waiting[:_BATCH], waiting[_BATCH:]
            await _take(writing, batch)
            batches += 1
            if batches % _RENEW_EVERY == 0:
                values = {"namespace": namespace.name, "uid": namespace.uid, "until": await _until(database)}
                await database.connection.execute(_RENEW, values)
    await _take(writing, waiting)
    with record_faults():
        await writing.complete()


async def _take(writing: ImportRecords, batch: Sequence[ExportRecord]) -> None:
    with record_faults():
        for kind, run in groupby(batch, key=type):
            await writing.add(kind, list(run))


async def _activate(database: Database, namespace: Namespace, writing: ImportRecords) -> None:
    """Shows the namespace and queues what is to be done in it, in one transaction. It may be repeated."""
    properties = {
        "revision": max(namespace.revision, 1),
        "summaries_revision": max(namespace.revision, 1) if writing.tally.summaries else 0,
        "changes_revision": max(namespace.revision, 1),
        "next_key": writing.tally.next_key,
        "statistics_revision": max(namespace.revision, 1),
        "statistics_terms": writing.tally.terms,
        **({} if namespace.generation is None else generation_properties(namespace.generation)),
    }
    values = {"namespace": namespace.name, "uid": namespace.uid, "active": NamespaceState.ACTIVE.value, "properties": properties}

    async def once() -> None:
        async with database.connection.session(write=True, namespace=namespace.name) as session, await session.begin_transaction() as tx:
            await (await tx.run(_ACTIVATE, values)).consume()
            await _queue(database, tx, namespace, writing)
            await tx.commit()

    await database.connection.patiently(once)


async def _queue(database: Database, tx: AsyncTransaction, namespace: Namespace, writing: ImportRecords) -> None:
    held = await lock_namespace(tx, namespace.name, uuid.uuid4().hex, database.clock, database.ids)
    for session in writing.unfinished():
        await cover_messages(held, namespace, database.ids, session.name, session.last_seq, timedelta(0))
    if writing.tally.unsummarized or writing.tally.stale_summaries:
        await cover_consolidation(held)
    await held.finish()
