"""Cypher on the database itself, for administrators: every namespace that it holds is seen, and nothing is written.

A query is explained first, and runs only if its plan reads and does nothing else (`plan_rules`) and it says nothing that a plan would not
show (`text_rules`); then in a session that may only read, in a transaction with a time limit that the server holds it to, and row by row up
to the limits.
"""

import asyncio
import re
from collections.abc import AsyncGenerator
from contextlib import AbstractAsyncContextManager
from typing import Any, Protocol

import orjson
from neo4j import AsyncSession, Query
from neo4j.exceptions import Neo4jError

from graph.cypher import CypherHeader, CypherLimits, CypherPart, CypherQuery, CypherSummary, CypherValue
from graph.cypher.tokens import check_parameters
from graph.cypher.wire import encoded
from graph.errors import CypherInvalid, CypherLimit, CypherRefused, CypherTimeout, StructMemError
from graph.giving_up import in_thread
from graph.store.neo4j.admin_cypher.parameters import parameter_of
from graph.store.neo4j.admin_cypher.plan_rules import check_plan
from graph.store.neo4j.admin_cypher.text_rules import check_text
from graph.store.neo4j.admin_cypher.values import row_of
from graph.store.neo4j.driver.faults import DriverFault, memory_setting, nested_too_deeply, timed_out, translated

_BATCH_ROWS = 200
_BATCH_BYTES = 256 * 1024
# Beyond the time of a query: for the server to end it first, which it does at its next look at the clock.
_GRACE = 2.0
# A line of its own: places that the server's messages name are then off by one line, and by no column.
_EXPLAIN = "EXPLAIN\n"
_PLACE = re.compile(r"\(line (\d+), column (\d+) \(offset: \d+\)\)")
_MAX_MESSAGE = 400


class Sessions(Protocol):
    """Makes sessions on one database."""

    def session(self, *, write: bool, namespace: str = "") -> AbstractAsyncContextManager[AsyncSession]:
        """A session that may only read, unless `write`, and sees what this process wrote to the namespace."""
        ...


class NativeCypher:
    """Runs queries on one database. At most `limits.snapshots` run at once. Implements `graph.cypher.CypherRunner`."""

    def __init__(self, sessions: Sessions, limits: CypherLimits) -> None:
        self._sessions = sessions
        self._limits = limits
        self._running = asyncio.Semaphore(limits.snapshots)

    async def run(self, namespace: str, query: CypherQuery) -> AsyncGenerator[CypherPart, None]:
        """See `CypherRunner.run`. The query gets the namespace's name as `$namespace`."""
        # In a thread: 20,000 brackets take a tenth of a second.
        await in_thread(lambda: check_text(query.text))
        seconds = min(query.timeout, self._limits.timeout)
        parameters = {**_parameters(query), "namespace": namespace}
        await in_thread(lambda: check_parameters(query.text, parameters))
        async with self._running:
            try:
                async with asyncio.timeout(seconds + _GRACE):
                    parts = await self._answer(query, parameters, seconds)
            except TimeoutError:
                raise _too_long() from None
            except DriverFault as error:
                raise _fault(error) from error
        for part in parts:
            yield part

    async def close(self) -> None:
        """Nothing is held between queries."""

    async def _answer(self, query: CypherQuery, parameters: dict[str, Any], seconds: float) -> list[CypherPart]:
        async with self._sessions.session(write=False, namespace=str(parameters["namespace"])) as session:
            # The query is a caller's, checked above and by its plan: nothing is ever put into it.
            explained = await (await session.run(Query(_EXPLAIN + query.text, timeout=seconds), parameters)).consume()
            check_plan(explained.query_type, explained.plan)
            result = await session.run(Query(query.text, timeout=seconds), parameters)
            return await self._parts(result, min(query.max_rows, self._limits.rows))

    async def _parts(self, result: Any, most_rows: int) -> list[CypherPart]:
        parts: list[CypherPart] = [CypherHeader(tuple(result.keys()), 0)]
        batch: list[list[CypherValue]] = []
        rows = size = batch_size = 0
        truncated = False
        async for record in result:
            row = row_of(record)
            length = len(orjson.dumps([encoded(value) for value in row]))
            if length > self._limits.row_bytes:
                raise CypherLimit("a row is longer than one may be; return less of each")
            if rows == most_rows or size + length > self._limits.bytes:
                truncated = True
                break
            rows, size, batch_size = rows + 1, size + length, batch_size + length
            batch.append(row)
            if len(batch) == _BATCH_ROWS or batch_size > _BATCH_BYTES:
                parts.append(batch)
                batch, batch_size = [], 0
        if batch:
            parts.append(batch)
        return [*parts, CypherSummary(rows, truncated)]


def _parameters(query: CypherQuery) -> dict[str, Any]:
    made = {}
    for name, value in query.parameters.items():
        try:
            made[name] = parameter_of(value)
        except (ValueError, OverflowError) as error:
            told = (
                "cannot be sent to Neo4j: times are of the years 1 to 9999 in UTC, offsets of whole minutes, durations below 2^63 seconds"
            )
            raise CypherInvalid(f"the parameter ${name[:60]} {told}") from error
    return made


def _too_long() -> CypherTimeout:
    return CypherTimeout("the query took longer than it may; it was stopped")


def _fault(error: Any) -> StructMemError:
    """The error that a caller gets. Only syntax messages, which speak of the query, pass."""
    if timed_out(error):
        return _too_long()
    if setting := memory_setting(error):
        return CypherLimit(f"the query needs more memory than Neo4j gives ({setting}); ask for less")
    if nested_too_deeply(error):
        return CypherLimit("the query nests deeper than Neo4j's stack")
    code = error.code or "" if isinstance(error, Neo4jError) else ""
    kind = code.removeprefix("Neo.ClientError.")
    if kind == "Statement.AccessMode":
        return CypherRefused("the query is refused: it would write", metadata={"clause": "WRITE"})
    if kind in ("Statement.SyntaxError", "Statement.SemanticError"):
        return CypherInvalid(_syntax(error.message or "the query cannot be understood"))
    if kind.startswith("Statement.ParameterMissing"):
        return CypherInvalid("the query names a parameter that was not given")
    if kind == "Schema.IndexNotFound":
        return CypherInvalid("the query names an index that is not there, or is still being filled")
    if kind.startswith(("Statement.", "Procedure.", "General.")):
        return CypherInvalid("the query failed: does everything get values of the types that it takes, and is there what it names?")
    return translated(error)


def _syntax(message: str) -> str:
    """The server's sentence, with the place in the caller's own text."""
    sentence = message.partition("\n")[0]
    return _PLACE.sub(lambda found: f"(line {max(1, int(found[1]) - 1)}, column {found[2]})", sentence)[:_MAX_MESSAGE]
