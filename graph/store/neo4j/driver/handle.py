"""One namespace of the database: by its name once, and from then on the namespace that was found.

Reads are one round trip, answered by one row of lists. What many nodes have comes as `collect(..)`, never as a row each: 561 rows of one
number took 26 ms, the same as one list 1.5 ms.
"""

from collections.abc import AsyncIterator, Awaitable, Callable, Coroutine, Mapping
from contextlib import asynccontextmanager
from functools import wraps
from typing import Any, Concatenate, ParamSpec, TypeVar

from graph.errors import NamespaceNotFound
from graph.model import Namespace
from graph.store.neo4j.driver.connection import Connection, Row
from graph.store.neo4j.driver.database import Database
from graph.store.neo4j.driver.reading import namespace_row
from graph.store.neo4j.driver.transaction import Prefetch, Transaction
from graph.store.neo4j.rows.namespace_rows import namespace_of
from graph.store.port import ConsistencyPoint, Missing
from graph.store.rules.consistency import require_revision

T = TypeVar("T")
P = ParamSpec("P")


class Handle:
    """A namespace by its name, fixed to the uid that the first call finds; its reads see what `at_least` names.

    Attributes:
        name: of the namespace.
        database: that it is in.
        uid: "" until a call has found it.
    """

    def __init__(self, database: Database, name: str, at_least: ConsistencyPoint | None, missing: Missing | None) -> None:
        self.name = name
        self.database = database
        self.uid = ""
        self._at_least = at_least
        self._missing = missing
        self._reached = at_least is None or not at_least.position

    @property
    def connection(self) -> Connection:
        """The connection to the database."""
        return self.database.connection

    async def settings(self) -> Namespace:
        """The namespace as it is now. Raises NamespaceNotFound, RevisionNotReached."""
        (properties,) = await self.row("RETURN properties(n)")
        return namespace_of(properties)

    async def row(self, body: str, parameters: Mapping[str, Any] | None = None) -> Row:
        """The one row that `body` gives of the namespace, whose node is `n`; `body` ends in RETURN, and `n` is still known there.

        Raises:
            NamespaceNotFound: there is no such namespace, or it is not the one that this handle has found before.
            RevisionNotReached: the database is behind what the handle has to see.
        """
        async with self.reading():
            *row, uid, revision = await namespace_row(
                self.connection, self.name, f"{body}, n.uid AS of_uid, n.revision AS of_revision", parameters
            )
            self.found(uid, revision)
        return row

    @asynccontextmanager
    async def reading(self) -> AsyncIterator[None]:
        """What is read inside sees what the handle has to see, once the server has come there. Reports a namespace that is missing."""
        async with self._looked_for():
            if not self._reached:
                assert self._at_least is not None
                await self.connection.reach(self.name, self._at_least.position)
                self._reached = True
            yield

    @asynccontextmanager
    async def _looked_for(self) -> AsyncIterator[None]:
        try:
            yield
        except NamespaceNotFound:
            if self._missing is not None:
                await self._missing(self.name)
            raise

    def found(self, uid: str, revision: int | None = None) -> None:
        """A call has found a namespace of this uid, at this revision if it read it. Raises NamespaceNotFound, RevisionNotReached."""
        if self.uid not in ("", uid):
            raise NamespaceNotFound(self.name)
        self.uid = uid
        if revision is not None:
            require_revision(self._at_least, uid, revision)

    async def write(self, work: Callable[[Transaction], Awaitable[T]], prefetch: Prefetch | None = None) -> T:
        """See `Database.write`."""

        async def of_this_one(tx: Transaction) -> T:
            self.found(tx.namespace.uid)
            return await work(tx)

        async with self._looked_for():
            return await self.database.write(self.name, of_this_one, prefetch)


def writing(work: Callable[Concatenate[Transaction, P], Awaitable[T]]) -> Callable[Concatenate[Handle, P], Coroutine[Any, Any, T]]:
    """The method of handles that does this work in a write transaction."""

    @wraps(work)
    async def method(handle: Handle, /, *args: P.args, **kwargs: P.kwargs) -> T:
        return await handle.write(lambda tx: work(tx, *args, **kwargs))

    return method
