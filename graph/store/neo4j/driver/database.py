"""One database with many namespaces: reads, and writes that are either there or not, whatever becomes of the connection meanwhile."""

import asyncio
import logging
import uuid
from collections.abc import Awaitable, Callable, Coroutine
from typing import Any, TypeVar, cast

from neo4j import AsyncTransaction

from graph.errors import NamespaceNotFound
from graph.giving_up import in_thread
from graph.model import IdSource, Namespace, to_micros
from graph.store.neo4j.driver.connection import Connection
from graph.store.neo4j.driver.transaction import Attempted, Prefetch, Transaction, lock_namespace
from graph.store.neo4j.driver.upkeep import keep_up
from graph.store.neo4j.rows.namespace_rows import NamespaceState, namespace_of
from graph.store.port import Clock
from graph.store.signals import Signals

T = TypeVar("T")

_MAX_ZONES = 10_000
# The server ends a transaction after so long, so that one whose client hangs does not hold its namespace for ever.
_LONGEST_SECONDS = 600
# Closing waits so long for what has to be done.
_ENDING_SECONDS = 10.0
_log = logging.getLogger(__name__)


def namespace_key(name: str) -> str:
    """The key of `Database.changed` for a namespace that was deleted."""
    return "namespace " + name


_SETTINGS = "MATCH (n:Namespace {name: $namespace}) RETURN properties(n)"
_NOW = "WITH datetime.realtime() AS now RETURN now.epochSeconds * 1000000 + now.microsecond"


class SessionZones:
    """Time zones by namespace and session: hints in which one to analyse new messages. The session's own is read in the transaction."""

    def __init__(self) -> None:
        self._zones: dict[tuple[str, str], str] = {}

    def get(self, uid: str, session: str, default: str) -> str:
        """The zone of a session of the namespace with this uid, as far as it is known."""
        return self._zones.get((uid, session), default)

    def put(self, uid: str, session: str, zone: str) -> None:
        """Notes a session's zone; the oldest notes go."""
        self._zones[(uid, session)] = zone
        while len(self._zones) > _MAX_ZONES:
            del self._zones[next(iter(self._zones))]


class Database:
    """What every intent works with.

    Attributes:
        connection: to the server.
        clock: replaces the server's clock where it is given.
        ids: mints ids.
        zones: the time zones of sessions that this process has appended to.
        changed: wakes those who wait for a job (by its id) or for work (`WORK`) when this process changes jobs.
    """

    def __init__(self, connection: Connection, clock: Clock | None, ids: IdSource) -> None:
        self.connection = connection
        self.clock = clock
        self.ids = ids
        self.changed = Signals()
        self.zones = SessionZones()
        self._ending: set[asyncio.Task[None]] = set()

    async def to_its_end(self, work: Coroutine[Any, Any, None]) -> None:
        """Does what has to be done even if whoever waits for it is cancelled; `close` waits for it, too."""
        ending = asyncio.create_task(work)
        self._ending.add(ending)
        ending.add_done_callback(self._ended)
        await asyncio.shield(ending)

    def _ended(self, ending: asyncio.Task[None]) -> None:
        self._ending.discard(ending)
        if not ending.cancelled() and (error := ending.exception()):
            _log.warning("what was left could not be cleared away (%s)", type(error).__name__)

    async def close(self) -> None:
        """Waits a while for what goes on to its end."""
        if self._ending:
            await asyncio.wait(self._ending, timeout=_ENDING_SECONDS)
        for ending in self._ending:
            ending.cancel()

    async def now(self) -> int:
        """The store's time, in microseconds: the server's clock, which all processes share, unless one was given."""
        if self.clock is not None:
            return to_micros(self.clock.now())
        [[now]] = await self.connection.rows(_NOW)
        return int(now)

    async def namespace(self, name: str) -> Namespace:
        """An active namespace. Raises NotFound."""
        found = await self.connection.rows(_SETTINGS, {"namespace": name})
        if not found or found[0][0]["state"] != NamespaceState.ACTIVE:
            raise NamespaceNotFound(name)
        return namespace_of(found[0][0])

    async def write(self, namespace: str, work: Callable[[Transaction], Awaitable[T]], prefetch: Prefetch | None = None) -> T:
        """What `work` returns, once all that it wrote is durable. It may run several times, each time on what there is then.

        When the connection breaks during a commit, nobody knows whether it happened; then the database is asked before anything is
        repeated. Raises NotFound when there is no such namespace.
        """
        attempted: Attempted | None = None
        write = uuid.uuid4().hex

        async def once() -> T:
            nonlocal attempted
            async with (
                self.connection.session(write=True, namespace=namespace) as session,
                await session.begin_transaction(timeout=_LONGEST_SECONDS) as tx,
            ):
                held = await lock_namespace(tx, namespace, write, self.clock, self.ids, prefetch)
                if attempted is None or not await held.committed(attempted):
                    answer = await work(held)
                    await held.finish()
                    await keep_up(held)
                    attempted = held.attempted(answer)
                    await _commit(tx, held)
                else:
                    await tx.commit()  # so that the bookmark of the session covers what was found
            self.changed.notify(*attempted.wakes)
            return cast(T, attempted.answer)

        return await self.connection.patiently(once)

    async def run(self, work: Callable[[], T]) -> T:
        """What a function returns that would keep the event loop: analysing texts, packing many rows."""
        return await in_thread(work)


async def _commit(tx: AsyncTransaction, held: Transaction) -> None:
    if held.wrote:
        await tx.commit()
    else:
        await tx.rollback()
