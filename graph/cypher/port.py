"""What runs Cypher: one protocol, behind which stand the engine for snapshots and a database that speaks Cypher itself."""

from collections.abc import AsyncGenerator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Protocol, runtime_checkable

from graph.cypher.values import CypherValue
from graph.store.port import ConsistencyPoint


@dataclass(frozen=True, slots=True)
class CypherQuery:
    """A query with its parameters. It ends after `max_rows` rows and is stopped after `timeout` seconds.

    On a snapshot it sees what `at_least` names.
    """

    text: str
    max_rows: int
    timeout: float
    parameters: Mapping[str, CypherValue] = field(default_factory=dict)
    at_least: ConsistencyPoint | None = None


@dataclass(frozen=True, slots=True)
class CypherLimits:
    """What a query may take.

    Attributes:
        timeout: seconds, of the wall clock and of one CPU.
        rows, bytes: of an answer; what is beyond is left out, and the answer says so.
        row_bytes: of one row; a query that makes a longer one fails.
        memory: bytes of a process with a snapshot and its query.
        nodes: of a namespace; a larger one is not loaded.
        snapshots: how many are kept loaded.
        idle: seconds after which a snapshot that nobody asks is let go.
    """

    timeout: float = 10.0
    rows: int = 10_000
    bytes: int = 8 << 20
    row_bytes: int = 1 << 20
    memory: int = 1 << 30
    nodes: int = 200_000
    snapshots: int = 4
    idle: float = 300.0


@dataclass(frozen=True, slots=True)
class CypherHeader:
    """What is known before the first row. `revision` is that of the namespace; 0 where a whole database is shown."""

    columns: tuple[str, ...]
    revision: int


@dataclass(frozen=True, slots=True)
class CypherSummary:
    """What is known after the last row. `truncated`: there are more rows than were given."""

    rows: int
    truncated: bool


CypherRows = Sequence[Sequence[CypherValue]]
CypherPart = CypherHeader | CypherRows | CypherSummary


class CypherRunner(Protocol):
    """Runs queries that only read."""

    def run(self, namespace: str, query: CypherQuery) -> AsyncGenerator[CypherPart, None]:
        """The header, rows in batches, and the summary. Closing the iterator stops the query.

        Raises:
            NotFound: there is no such namespace.
            CypherRefused: the query would do something else than read.
            CypherInvalid: it cannot be understood, or failed as it ran.
            CypherTimeout, CypherLimit: it took more than it may.
            CypherUnavailable: queries cannot be run here.
        """
        ...

    async def close(self) -> None:
        """Stops what runs and lets go of everything."""
        ...


@runtime_checkable
class SpeaksCypher(Protocol):
    """A store whose database speaks Cypher itself."""

    def native_cypher(self, limits: CypherLimits) -> CypherRunner:
        """What runs queries on the whole database that holds a namespace; they get the namespace's name as `$namespace`."""
        ...
