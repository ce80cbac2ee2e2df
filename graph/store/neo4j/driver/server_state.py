"""What a server says of itself, for operators; and whether its database holds a store."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta

from graph.model import to_micros
from graph.store.neo4j.driver.connection import Address, Connection
from graph.store.neo4j.migrations import wanted_indexes

_PATIENCE = timedelta(seconds=5)
_STORED = "RETURN EXISTS { (:Migration) }"
_VERSION = "CALL dbms.components() YIELD name, versions, edition WHERE name = 'Neo4j Kernel' RETURN versions[0], edition"
_ACCESS = "SHOW DATABASES YIELD name, access WHERE name = $database RETURN access"
_INDEXES = "SHOW INDEXES YIELD name, state, populationPercent RETURN name, state, populationPercent ORDER BY name"
_NOW = "WITH datetime.realtime() AS now RETURN now.epochSeconds * 1000000 + now.microsecond"


@dataclass(frozen=True, slots=True)
class ServerFacts:
    """What a server says of itself.

    Attributes:
        version, edition: such as "2026.09.0" and "community".
        writable: whether the database takes writes.
        indexes: how many there are.
        unready: those that cannot be used and those that are missing, by name: their state, and the percentage that is filled.
        ahead: by how much the server's clock, which leases end by, is ahead of the asker's; half a round trip is its error.
    """

    version: str
    edition: str
    writable: bool
    indexes: int
    unready: dict[str, tuple[str, float]]
    ahead: timedelta


async def server_facts(address: Address, now: Callable[[], datetime]) -> ServerFacts:
    """Asks a server; changes nothing. Raises StoreUnavailable, as opening a store does."""
    connection = Connection(address, _PATIENCE)
    await connection.open()
    try:
        [[version, edition]] = await connection.rows(_VERSION)
        access = await connection.rows(_ACCESS, {"database": address.database})
        indexes = await connection.rows(_INDEXES)
        [[stored]] = await connection.rows(_STORED)
        wanted = [index.name for index in await wanted_indexes(connection)] if stored else []
        asked = to_micros(now())
        [[told]] = await connection.rows(_NOW)
        answered = to_micros(now())
    finally:
        await connection.close()
    missing = set(wanted).difference(name for name, _, _ in indexes)
    unready = {name: (state, float(percent or 0)) for name, state, percent in indexes if state != "ONLINE"}
    return ServerFacts(
        version=version,
        edition=edition,
        writable=all(row[0] == "read-write" for row in access),
        indexes=len(indexes),
        unready=unready | dict.fromkeys(sorted(missing), ("MISSING", 0.0)),
        ahead=timedelta(microseconds=told - (asked + answered) // 2),
    )


async def holds_store(address: Address) -> bool:
    """Whether the database holds a store; makes nothing. Raises StoreUnavailable, as opening a store does."""
    connection = Connection(address, _PATIENCE)
    await connection.open()
    try:
        [[stored]] = await connection.rows(_STORED)
    finally:
        await connection.close()
    return bool(stored)
