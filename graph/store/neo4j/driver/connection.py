"""One database on one server or cluster: the driver, its sessions, and trying again while a call may still wait."""

import asyncio
import logging
import random
import re
import ssl
from collections.abc import AsyncIterator, Awaitable, Callable, Collection, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any, TypeVar

import neo4j
from neo4j import READ_ACCESS, WRITE_ACCESS, AsyncDriver, AsyncGraphDatabase, AsyncSession, TrustCustomCAs
from neo4j.exceptions import AuthError, ConfigurationError, ConstraintError, ServiceUnavailable

from graph.errors import StoreUnavailable
from graph.store.neo4j.driver.faults import RETRY_AFTER, DriverFault, translated, worth_retrying
from graph.store.neo4j.driver.positions import EVERYWHERE, Positions, bookmarks

Row = list[Any]
T = TypeVar("T")

# A vector index of a named quantization is refused by 2026.01 to 2026.05 and made by 2026.07; searches filter inside it.
OLDEST_VERSION = (2026, 7)
_FIRST_PAUSE = 0.01
_LONGEST_PAUSE = 1.0
# What reads and then writes has patience for each, and a last attempt may begin when it is nearly over.
_TIMES_PATIENCE = 3
# Of writers that make the same node at once one is refused, and sees the other's when it tries again. Refused so often, it is at fault.
_MOST_COLLISIONS = 5
# A connection that has been idle so long is asked whether it still lives: one that a firewall dropped costs a call otherwise.
_LIVENESS_SECONDS = 30
# A server that is busy may take seconds over TLS and its greeting; giving up sooner would only make it begin anew.
_CONNECT_SECONDS = 15
_ACQUIRE_SECONDS = 30
# What was reached on the word of tokens, and read by nobody beyond one namespace, becomes one bookmark again when it is so many.
_MOST_BOOKMARKS = 50
_SCHEMES = ("bolt", "bolt+s", "bolt+ssc", "neo4j", "neo4j+s", "neo4j+ssc")
# What the driver tells of retries and routing, callers are told in our words.
logging.getLogger("neo4j").setLevel(logging.CRITICAL)


@dataclass(frozen=True, slots=True)
class Address:
    """Where a database is and who asks.

    Attributes:
        uri: bolt:// or neo4j:// (a cluster), with +s or +ssc for TLS with or without a check of the certificate.
        user, password: empty for a server without authentication.
        ca_file: certificates of the authorities to trust; then `uri` has no suffix, and TLS is used.
        connections: how many may be open at once.
    """

    uri: str
    user: str = ""
    password: str = ""
    database: str = "neo4j"
    ca_file: Path | None = None
    connections: int = 100


def packed(namespace: str, parameters: Mapping[str, Any] | None) -> dict[str, Any]:
    """Parameters of a query on one namespace: `$namespace` and, in one map, `$at`.

    A query is planned anew (.1 to 2 s) for each order of magnitude of the length of its lists and strings, but not for those within a map.
    """
    return {"namespace": namespace, "at": dict(parameters or {})}


class Connection:
    """The driver of one database. Every call is tried again, with growing pauses, until `patience` is over.

    Attributes:
        positions: what reads have to see of each namespace.
    """

    def __init__(self, address: Address, patience: timedelta) -> None:
        self._address = address
        self._patience = patience.total_seconds()
        self._driver: AsyncDriver | None = None
        self.positions = Positions()

    async def open(self) -> None:
        """Connects.

        Raises:
            StoreUnavailable: nobody answers, the password is wrong, there is no such database, or the server is too old; it says which.
        """
        self._driver = _driver(self._address)
        try:
            version = await self._version()
        except BaseException:
            await self.close()
            raise
        if version_numbers(version) < OLDEST_VERSION:
            await self.close()
            raise StoreUnavailable(f"Neo4j {'{}.{:02}'.format(*OLDEST_VERSION)} or newer is needed; the server is {version}")

    async def _version(self) -> str:
        try:
            [[versions]] = await self.rows("CALL dbms.components() YIELD name, versions WHERE name = 'Neo4j Kernel' RETURN versions")
        except StoreUnavailable as error:
            if isinstance(error.__cause__, AuthError) and not self._address.password:
                raise StoreUnavailable("Neo4j wants a password, and none is set (neo4j_password_file)", retry_after=RETRY_AFTER) from error
            if isinstance(error.__cause__, ServiceUnavailable) and self._secured:
                hint = "Neo4j cannot be reached over TLS; is its certificate signed by an authority that is trusted here?"
                raise StoreUnavailable(hint, retry_after=RETRY_AFTER) from error
            raise
        return str(versions[0])

    @property
    def _secured(self) -> bool:
        return self._address.ca_file is not None or "+s" in self._address.uri.partition("://")[0]

    async def close(self) -> None:
        """Ends the connections."""
        driver, self._driver = self._driver, None
        if driver is not None:
            await driver.close()

    @asynccontextmanager
    async def session(self, *, write: bool, namespace: str = EVERYWHERE) -> AsyncIterator[AsyncSession]:
        """A session on the database; every one is made here. It sees what this process wrote to the namespace, or was told to reach;
        without a namespace, and when it writes, what it wrote to any."""
        if self._driver is None:
            raise StoreUnavailable("the store is closed")
        began_with = self.positions.of(namespace)
        if write:
            began_with |= self.positions.of(EVERYWHERE)
        async with self._driver.session(
            database=self._address.database,
            default_access_mode=WRITE_ACCESS if write else READ_ACCESS,
            bookmarks=bookmarks(began_with),
        ) as session:
            yield session
            if write or namespace == EVERYWHERE:
                reached = (await session.last_bookmarks()).raw_values
                for name in {namespace, EVERYWHERE}:
                    self.positions.passed(name, began_with, reached)

    async def reach(self, namespace: str, position: Collection[str]) -> None:
        """Waits until reads of the namespace see a position; later ones then bring it along."""
        known = self.positions.of(namespace)
        if not known.issuperset(position):
            everywhere = self.positions.of(EVERYWHERE)
            began_with = known if len(everywhere) < _MOST_BOOKMARKS else known | everywhere
            reached = await self.patiently(lambda: self._reached(began_with.union(position)))
            for name in (namespace, EVERYWHERE):
                self.positions.passed(name, began_with, reached)

    async def _reached(self, position: Collection[str]) -> Collection[str]:
        if self._driver is None:
            raise StoreUnavailable("the store is closed")
        async with self._driver.session(
            database=self._address.database, default_access_mode=READ_ACCESS, bookmarks=bookmarks(position)
        ) as session:
            await (await session.run("RETURN 1")).consume()
            return (await session.last_bookmarks()).raw_values

    async def rows(self, query: str, parameters: Mapping[str, Any] | None = None) -> list[Row]:
        """The rows of one query that reads."""
        return await self.patiently(lambda: self._run(query, parameters, write=False))

    async def execute(self, query: str, parameters: Mapping[str, Any] | None = None) -> list[Row]:
        """The rows of one query that writes outside of any namespace, and may be repeated without harm."""
        return await self.patiently(lambda: self._run(query, parameters, write=True))

    async def _run(self, query: str, parameters: Mapping[str, Any] | None, *, write: bool) -> list[Row]:
        async with self.session(write=write, namespace=(parameters or {}).get("namespace", "")) as session:
            result = await session.run(query, dict(parameters or {}))
            return await result.values()

    @asynccontextmanager
    async def answered(self) -> AsyncIterator[None]:
        """What is done inside ends after a few times the patience, even while a server holds a connection open and says nothing.

        For short calls, each try of which is a matter of milliseconds. Raises StoreUnavailable; a write may then have happened.
        """
        limit = asyncio.timeout(_TIMES_PATIENCE * self._patience)
        try:
            async with limit:
                yield
        except TimeoutError as error:
            if not limit.expired():
                raise
            told = "Neo4j does not answer now, or others keep it busy; what was sent may have been stored"
            raise StoreUnavailable(told, retry_after=RETRY_AFTER) from error

    async def patiently(self, attempt: Callable[[], Awaitable[T]]) -> T:
        """What the attempt returns, tried again while that may help and patience lasts.

        Raises:
            StoreUnavailable and the other errors of `faults.translated`.
        """
        loop = asyncio.get_running_loop()
        deadline, pause, collisions = loop.time() + self._patience, _FIRST_PAUSE, 0
        while True:
            try:
                return await attempt()
            except DriverFault as error:
                wait = pause * random.uniform(0.5, 1.5)  # spreads those who collided; no secret
                collisions += isinstance(error, ConstraintError)
                if not worth_retrying(error) or collisions > _MOST_COLLISIONS or loop.time() + wait > deadline:
                    raise translated(error) from error
            await asyncio.sleep(wait)
            pause = min(2 * pause, _LONGEST_PAUSE)


def _driver(address: Address) -> AsyncDriver:
    if address.uri.partition("://")[0] not in _SCHEMES:
        raise StoreUnavailable(f"Neo4j's address must begin with one of {', '.join(f'{scheme}://' for scheme in _SCHEMES)}")
    try:
        return AsyncGraphDatabase.driver(
            address.uri,
            auth=neo4j.basic_auth(address.user, address.password) if address.user else None,
            connection_acquisition_timeout=_ACQUIRE_SECONDS,
            connection_timeout=_CONNECT_SECONDS,
            liveness_check_timeout=_LIVENESS_SECONDS,
            max_connection_pool_size=address.connections,
            # Notices of deprecations cost time and a kilobyte of log a query.
            notifications_min_severity="OFF",
            user_agent="structmem",
            **_trust(address),
        )
    except (ConfigurationError, ValueError) as error:
        raise StoreUnavailable(
            "Neo4j's address cannot be used; one that asks for TLS by +s or +ssc takes no file of certificates"
        ) from error


def _trust(address: Address) -> dict[str, Any]:
    """Options that trust the authorities of the file of certificates, if one is given."""
    if address.ca_file is None:
        return {}
    try:
        ssl.create_default_context(cafile=address.ca_file)
    except OSError as error:
        raise StoreUnavailable("the file of certificates to trust Neo4j by cannot be read, or holds none") from error
    return {"encrypted": True, "trusted_certificates": TrustCustomCAs(str(address.ca_file))}


def version_numbers(version: str) -> tuple[int, int]:
    """(2026, 9) of "2026.09.0", (5, 26) of "5.26.1"; zeros of what is none."""
    found = re.match(r"(\d+)\.(\d+)", version)
    return (int(found[1]), int(found[2])) if found else (0, 0)
