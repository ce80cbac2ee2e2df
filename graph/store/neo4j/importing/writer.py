"""Writes of an import: each query a transaction of its own, of a namespace that nobody sees."""

from collections.abc import Mapping
from typing import Any

from neo4j.exceptions import ConstraintError, ServiceUnavailable, SessionExpired

from graph.store.neo4j.driver.connection import Connection, Row, packed
from graph.store.rules.importing import comes_twice


class ImportWriter:
    """Runs queries that make nodes and relationships. Implements `node_writer.Writer`."""

    def __init__(self, connection: Connection, namespace: str) -> None:
        self._connection = connection
        self._namespace = namespace

    async def execute(self, query: str, parameters: Mapping[str, Any] | None = None) -> list[Row]:
        """The rows of a query.

        Raises:
            InvalidArgument: a node is there already.
            StoreUnavailable: it cannot be told whether the query was committed; nothing of the import is kept then.
        """
        values = packed(self._namespace, parameters)
        lost: Exception | None = None

        async def once() -> list[Row]:
            nonlocal lost
            if lost is not None:
                # What was sent may have been committed: sent once more it could be there twice.
                raise lost
            try:
                async with (
                    self._connection.session(write=True, namespace=self._namespace) as session,
                    await session.begin_transaction() as tx,
                ):
                    result = await tx.run(query, values)  # type: ignore[arg-type, unused-ignore]  # literals of this package
                    rows = await result.values()
                    await tx.commit()
                    return rows
            except ConstraintError as error:
                raise comes_twice() from error
            except (ServiceUnavailable, SessionExpired) as error:
                lost = error
                raise

        return await self._connection.patiently(once)
