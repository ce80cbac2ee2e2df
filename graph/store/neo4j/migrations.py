"""Bringing a database to the newest schema: by one process at a time, and where another one broke off."""

import uuid
from collections.abc import Collection, Iterable
from contextlib import suppress
from typing import Any

from graph.errors import Conflict, StoreUnavailable, StructMemError
from graph.store.neo4j.driver.connection import Connection
from graph.store.neo4j.driver.faults import RETRY_AFTER
from graph.store.neo4j.schema import MIGRATIONS, Index, Migration, vector_index_of

_AWAITED_SECONDS = 300
_STORE = "CREATE CONSTRAINT store_id IF NOT EXISTS FOR (s:Store) REQUIRE s.id IS UNIQUE"
_MIGRATION = "CREATE CONSTRAINT migration_version IF NOT EXISTS FOR (m:Migration) REQUIRE m.version IS UNIQUE"
_LOCK = "MERGE (s:Store {id: 1}) SET s.locked = $who"
_VERSION = "OPTIONAL MATCH (m:Migration) RETURN coalesce(max(m.version), 0)"
_DONE = "MERGE (m:Migration {version: $version}) ON CREATE SET m.applied_on = datetime()"
_STATES = "SHOW INDEXES YIELD name, state RETURN name, state"
_DIMENSIONS = "MATCH (n:Namespace) WHERE n.embedding_dimension > 0 RETURN collect(DISTINCT n.embedding_dimension)"
_AWAIT = "CALL db.awaitIndexes($seconds)"
_NAMES = "MATCH (n:Namespace) WHERE n.name > $after WITH n ORDER BY n.name LIMIT 1000 RETURN collect(n.name)"
# Nodes that are brought to a step in one transaction.
_BATCH = 5_000


async def migrate(connection: Connection) -> None:
    """Makes what is missing of the schema and waits until every index can be used.

    Raises:
        Conflict: the database was written by a newer version of StructMem.
        StoreUnavailable: an index failed, or is still being filled; it is named.
    """
    if await _version(connection) < len(MIGRATIONS):
        await connection.execute(_STORE)
        await connection.execute(_MIGRATION)
        await connection.patiently(lambda: _migrate(connection))
    await make_indexes(connection, await wanted_indexes(connection))


async def wanted_indexes(connection: Connection) -> list[Index]:
    """All indexes that the database should have: those of the schema, and one for each dimension that a namespace's vectors have."""
    [[dimensions]] = await connection.rows(_DIMENSIONS)
    fixed = [index for migration in MIGRATIONS for index in migration.indexes]
    return [*fixed, *map(vector_index_of, sorted(dimensions))]


async def _version(connection: Connection) -> int:
    [[version]] = await connection.rows(_VERSION)
    if version > len(MIGRATIONS):
        raise Conflict(f"the database was written by a newer version of StructMem (schema {version}, this one knows {len(MIGRATIONS)})")
    return int(version)


async def _migrate(connection: Connection) -> None:
    """Does what no other process has done. The store's node stays locked: who comes meanwhile waits, and finds it done.

    Each step commits by itself, so that a process that dies leaves no lock and nothing that the next one could not continue.
    """
    async with connection.session(write=True) as session, await session.begin_transaction() as lock:
        await (await lock.run(_LOCK, {"who": uuid.uuid4().hex})).consume()
        for migration in MIGRATIONS[await _version(connection) :]:
            await _apply(connection, migration)
        await lock.commit()


async def _apply(connection: Connection, migration: Migration) -> None:
    await make_indexes(connection, migration.indexes)
    if migration.fill:
        await _fill(connection, migration.fill)
    await connection.execute(_DONE, {"version": migration.version})


async def _fill(connection: Connection, query: str) -> None:
    """Brings what every namespace holds to a step, in batches; what another process did before it broke off is done once more."""
    [[names]] = await connection.rows(_NAMES, {"after": ""})
    while names:
        for name in names:
            after: int | None = 0
            while after is not None:
                [[after]] = await connection.execute(query, {"namespace": name, "after": after, "limit": _BATCH})
        [[names]] = await connection.rows(_NAMES, {"after": names[-1]})


async def make_indexes(connection: Connection, wanted: Iterable[Index]) -> None:
    """Makes those of the indexes that are not there, and waits until all can be used. Raises StoreUnavailable."""
    by_name = {index.name: index for index in wanted}
    missing = by_name.keys() - (await _states(connection)).keys()
    for name, index in by_name.items():
        if name in missing:
            await connection.execute(index.statement)
    if await _unready(connection, by_name):
        # It fails when an index has failed or the time is over, and does not say which index that was.
        with suppress(StructMemError):
            await connection.rows(_AWAIT, {"seconds": _AWAITED_SECONDS})
    unready = await _unready(connection, by_name)
    if unready:
        names = ", ".join(f"{name} ({state})" for name, state in sorted(unready.items()))
        raise StoreUnavailable(f"indexes of the database cannot be used: {names}", retry_after=RETRY_AFTER)


async def _states(connection: Connection) -> dict[str, Any]:
    return {name: state for name, state in await connection.rows(_STATES)}  # noqa: C416  # dict() does not know that rows are pairs


async def _unready(connection: Connection, names: Collection[str]) -> dict[str, Any]:
    found = await _states(connection)
    return {name: found.get(name, "MISSING") for name in names if found.get(name) != "ONLINE"}
