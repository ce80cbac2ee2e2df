"""Cypher on the database that a namespace belongs to."""

from collections.abc import AsyncGenerator
from contextlib import aclosing

from graph.cypher import CypherLimits, CypherPart, CypherQuery, CypherRunner, SpeaksCypher
from graph.errors import CypherUnavailable
from graph.store.partitioned.routes import Routes


class RoutedCypher:
    """Hands each query to its namespace's partition. Implements `graph.cypher.CypherRunner`."""

    def __init__(self, routes: Routes, limits: CypherLimits) -> None:
        self._routes = routes
        self._runners: dict[str, CypherRunner] = {
            partition.name: partition.store.native_cypher(limits)
            for partition in routes.partitions
            if isinstance(partition.store, SpeaksCypher)
        }

    async def run(self, namespace: str, query: CypherQuery) -> AsyncGenerator[CypherPart, None]:
        """See `CypherRunner.run`."""
        runner = self._runners.get(self._routes.owner(namespace).name)
        if runner is None:
            raise CypherUnavailable("the store that keeps this namespace speaks no Cypher; run the query on the namespace instead")
        async with aclosing(runner.run(namespace, query)) as parts:
            async for part in parts:
                yield part

    async def close(self) -> None:
        """Closes what each partition runs queries with."""
        for runner in self._runners.values():
            await runner.close()
