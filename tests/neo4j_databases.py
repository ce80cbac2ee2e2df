"""The Neo4j databases that tests use: of a server that the run starts, or those that the environment names.

STRUCTMEM_TEST_NEO4J_URI, STRUCTMEM_TEST_NEO4J_URI_2      databases to use, such as bolt://localhost:7687. Every test EMPTIES them.
STRUCTMEM_TEST_NEO4J_USER, STRUCTMEM_TEST_NEO4J_PASSWORD  of both; without a password there is no authentication
STRUCTMEM_REQUIRE_NEO4J=1                                 what is missing fails the run instead of leaving tests out
"""

import os
import shutil
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import neo4j

from graph.store.neo4j import Address
from tests.neo4j_server import Missing, Neo4jServer, ServerOptions, missing

REQUIRED = os.environ.get("STRUCTMEM_REQUIRE_NEO4J") == "1"
_NAMED = ("STRUCTMEM_TEST_NEO4J_URI", "STRUCTMEM_TEST_NEO4J_URI_2")
# A third of the heap: what goes beyond it is a fault, or a test of the limit.
TRANSACTION_MEMORY = "128m"
# Tests fill and empty the database, so its statistics never stay, and by default the server plans every statement anew each ten seconds.
PLANS_KEPT = "1m"
# What tells of the indexes stays, as they do: making them again would take a second for each test.
_EMPTY = "MATCH (n) WHERE NOT n:Migration CALL (n) { DETACH DELETE n } IN TRANSACTIONS OF 5000 ROWS"


def left_out() -> str:
    """Why tests on Neo4j cannot run here, in one line; "" when they can."""
    if os.environ.get(_NAMED[0]):
        return ""
    why = missing()
    return f"everything on Neo4j: {why} (or STRUCTMEM_TEST_NEO4J_URI, a database that tests may empty)" if why else ""


@dataclass(frozen=True, slots=True)
class Database:
    """A database that tests may do anything with. `server` is None where the environment names the database."""

    uri: str
    user: str
    password: str
    driver: neo4j.Driver
    server: Neo4jServer | None = None
    name: str = "neo4j"

    @property
    def address(self) -> Address:
        """Where a store of a test finds the database."""
        return Address(self.uri, self.user if self.password else "", self.password, self.name)

    @property
    def settings(self) -> Mapping[str, Any]:
        """The settings of a service on this database."""
        return {
            "store": "neo4j",
            "neo4j_uri": self.uri,
            "neo4j_user": self.user,
            "neo4j_password": self.password,
            "neo4j_database": self.name,
        }

    def run(self, query: str, **parameters: Any) -> list[dict[str, Any]]:
        """The rows of a query."""
        return [dict(row) for row in self.driver.execute_query(query, parameters, database_=self.name).records]

    def empty(self) -> None:
        """Deletes all that was remembered; indexes and constraints stay."""
        with self.driver.session(database=self.name) as session:
            session.run(_EMPTY).consume()

    def close(self) -> None:
        """Lets go of the connections, and ends the server if the run started it."""
        self.driver.close()
        if self.server is not None:
            self.server.kill()  # a stop in order takes ten seconds, for data that nobody wants
            shutil.rmtree(self.server.home, ignore_errors=True)


def connected(number: int, home: Path) -> Database:
    """The first or second database of the run (0 or 1); starts a server in `home` where the environment names none.

    Raises:
        Missing: the machine lacks what a server needs.
    """
    uri = os.environ.get(_NAMED[number])
    if uri:
        user, password = (
            os.environ.get(f"STRUCTMEM_TEST_NEO4J_{part}", default) for part, default in (("USER", "neo4j"), ("PASSWORD", ""))
        )
        return Database(uri, user, password, driver_of(uri, user, password))
    if os.environ.get(_NAMED[0]):
        raise Missing(f"no second Neo4j: {_NAMED[1]} names none")
    configuration = {"db.memory.transaction.max": TRANSACTION_MEMORY, "dbms.cypher.min_replan_interval": PLANS_KEPT}
    server = Neo4jServer(home, ServerOptions(heap="384m", page_cache="64m", quick_start=True, configuration=configuration))
    server.start()
    return Database(server.uri, "neo4j", "", driver_of(server.uri, "neo4j", ""), server)


def driver_of(uri: str, user: str, password: str, **more: Any) -> neo4j.Driver:
    """A driver that says nothing of deprecations: warnings are errors here, and those are not ours."""
    return neo4j.GraphDatabase.driver(uri, auth=(user, password) if password else None, notifications_min_severity="OFF", **more)
