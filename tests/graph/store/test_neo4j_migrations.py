"""The schema of a Neo4j: made by one process at a time, made again where it is missing, and finished where another process died."""

import asyncio
import signal
import sys
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import numpy as np
import pytest

from graph.errors import Conflict, StoreUnavailable
from graph.model import NO_EMBEDDING, EmbeddingSpec, ExtractionMode, MemoryFilter
from graph.store.candidates import CandidateQuery
from graph.store.neo4j import migrations, server_facts
from graph.store.neo4j.schema import MIGRATIONS, Index, Migration
from graph.store.port import AppendCommand, MessageQuery, NamespaceSpec
from tests.graph.store.conftest import draft
from tests.graph.store.neo4j_servers import ON_A_SERVER_OF_THEIR_OWN, PASSWORD, address, driver, opened
from tests.neo4j_server import Neo4jServer

pytestmark = ON_A_SERVER_OF_THEIR_OWN
SPEC = NamespaceSpec("n", NO_EMBEDDING, ExtractionMode.OFF)
NEXT = Migration(
    len(MIGRATIONS) + 1,
    tuple(Index(f"spare_{name}", f"CREATE INDEX spare_{name} IF NOT EXISTS FOR (s:Spare) ON (s.{name})") for name in ("place", "time")),
)
BEFORE = [migration.version for migration in MIGRATIONS]
# A process that dies when it has made the first index of the next version.
DIES = """
import asyncio, os, signal, sys
from datetime import timedelta
from pathlib import Path
from graph.store.neo4j import Address, Neo4jStore, migrations
from tests.graph.store.test_neo4j_migrations import MIGRATIONS, NEXT

async def make_one(connection, wanted):
    await connection.execute(next(iter(wanted)).statement)
    os.kill(os.getpid(), signal.SIGKILL)

migrations.MIGRATIONS, migrations.make_indexes = (*MIGRATIONS, NEXT), make_one
uri, password, certificate = sys.argv[1:]
asyncio.run(Neo4jStore(Address(uri, "neo4j", password, ca_file=Path(certificate)), patience=timedelta(seconds=60)).open())
"""


@pytest.fixture
def a_newer_version(server: Neo4jServer, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """One more version of the schema, of which nothing is left afterwards."""
    monkeypatch.setattr(migrations, "MIGRATIONS", (*MIGRATIONS, NEXT))
    yield
    with driver(server) as direct:
        direct.execute_query("MATCH (m:Migration {version: $version}) DELETE m", version=NEXT.version)
        for index in NEXT.indexes:
            direct.execute_query(f"DROP INDEX {index.name} IF EXISTS")


def states(server: Neo4jServer) -> dict[str, str]:
    with driver(server) as direct:
        return {row["name"]: row["state"] for row in direct.execute_query("SHOW INDEXES YIELD name, state").records}


def versions(server: Neo4jServer) -> list[int]:
    with driver(server) as direct:
        return [row["v"] for row in direct.execute_query("MATCH (m:Migration) RETURN m.version AS v ORDER BY v").records]


async def test_indexes_that_are_missing_are_made_again_and_a_newer_schema_is_refused(server: Neo4jServer) -> None:
    async with opened(address(server)):
        pass
    with driver(server) as direct:
        direct.execute_query("DROP INDEX message_time")
        direct.execute_query("DROP CONSTRAINT message_id")
        async with opened(address(server)):
            states = {row["name"]: row["state"] for row in direct.execute_query("SHOW INDEXES YIELD name, state").records}
        assert (states["message_time"], states["message_id"]) == ("ONLINE", "ONLINE")
        direct.execute_query("CREATE (:Migration {version: 99})")
        try:
            with pytest.raises(Conflict, match="newer version of StructMem"):
                async with opened(address(server)):
                    pass
        finally:
            direct.execute_query("MATCH (m:Migration {version: 99}) DELETE m")


async def test_a_vector_index_that_is_missing_is_found_and_made_again(server: Neo4jServer) -> None:
    async with opened(address(server)) as store:
        await store.create_namespace(replace(SPEC, name="vectors", embedding=EmbeddingSpec("test", "f", 12)))
        with driver(server) as direct:
            direct.execute_query("DROP INDEX memory_embedding_12")
        [finding] = await store.check()
        assert (finding.problem, "memory_embedding_12" in finding.detail) == ("MISSING_INDEX", True)
    async with opened(address(server)) as store:
        assert await store.check() == []
        await store.delete_namespace("vectors")


async def test_an_index_that_is_dropped_under_a_running_store_is_made_again(server: Neo4jServer) -> None:
    question = CandidateQuery(("turn",), np.eye(12, dtype=np.float32)[0], MemoryFilter())
    async with opened(address(server), search_in_process_passages=0) as store:
        await store.create_namespace(replace(SPEC, name="dropped", embedding=EmbeddingSpec("test", "f", 12)))
        await store.namespace("dropped").append(AppendCommand("s", (draft("turn 0"),), timedelta(0)))
        for name in ("memory_terms", "memory_embedding_12"):
            assert len(await store.namespace("dropped").candidates(question)) == 1
            with driver(server) as direct:
                direct.execute_query(f"DROP INDEX {name}")
            assert (await server_facts(address(server), lambda: datetime.now(UTC))).unready == {name: ("MISSING", 0.0)}
            with pytest.raises(StoreUnavailable, match="an index of the database is missing") as raised:
                await store.namespace("dropped").candidates(question)
            assert raised.value.retry_after is not None
            async with asyncio.timeout(60):
                while states(server).get(name) != "ONLINE" or store._searcher._mending:  # noqa: ASYNC110 - the server's
                    await asyncio.sleep(0.05)
        assert len(await store.namespace("dropped").candidates(question)) == 1
        await store.delete_namespace("dropped")


async def test_an_index_that_is_still_being_filled_is_named(server: Neo4jServer, monkeypatch: pytest.MonkeyPatch) -> None:
    with driver(server) as direct:
        with direct.session() as session:
            made = "UNWIND range(1, 200000) AS i CALL (i) { CREATE (:Fact {namespace: 'filled', said_at: i, key: i}) } IN TRANSACTIONS"
            session.run(made).consume()
        direct.execute_query("DROP INDEX fact_time")
        monkeypatch.setattr(migrations, "_AWAITED_SECONDS", 0)
        with pytest.raises(StoreUnavailable, match=r"fact_time \(POPULATING\)"):
            async with opened(address(server)):
                pass
        monkeypatch.undo()
        async with opened(address(server)):
            pass
        with direct.session() as session:
            session.run("MATCH (f:Fact {namespace: 'filled'}) CALL (f) { DELETE f } IN TRANSACTIONS").consume()


async def test_two_that_open_a_new_database_at_once_both_find_it_ready(server: Neo4jServer) -> None:
    with driver(server) as direct:
        direct.execute_query("MATCH (m:Migration) DELETE m")

    async def open_and_use(name: str) -> None:
        async with opened(address(server)) as store:
            await store.create_namespace(replace(SPEC, name=name))
            await store.delete_namespace(name)

    await asyncio.gather(open_and_use("a"), open_and_use("b"))


async def test_the_next_version_is_added_to_a_database_with_memories(server: Neo4jServer, request: pytest.FixtureRequest) -> None:
    async with opened(address(server)) as store:
        await store.create_namespace(replace(SPEC, name="remembered"))
        await store.namespace("remembered").append(AppendCommand("s", (draft("a"),), timedelta(0)))
    assert versions(server) == BEFORE
    request.getfixturevalue("a_newer_version")
    async with opened(address(server)) as store:
        assert [message.text for message in (await store.namespace("remembered").list_messages(MessageQuery(), None, 10)).items] == ["a"]
        await store.delete_namespace("remembered")
    assert versions(server) == [*BEFORE, NEXT.version]
    assert {states(server)[index.name] for index in NEXT.indexes} == {"ONLINE"}


async def test_a_migration_whose_process_was_killed_is_finished_by_the_next(server: Neo4jServer, request: pytest.FixtureRequest) -> None:
    async with opened(address(server)):
        pass
    request.getfixturevalue("a_newer_version")
    arguments = (server.uri, PASSWORD, str(server.certificate))
    killed = await asyncio.create_subprocess_exec(sys.executable, "-c", DIES, *arguments, cwd=Path(__file__).parents[3])
    assert await asyncio.wait_for(killed.wait(), 120) == -signal.SIGKILL
    assert versions(server) == BEFORE
    assert [index.name in states(server) for index in NEXT.indexes] == [True, False]

    async with opened(address(server)) as store:
        await store.ping()
    assert versions(server) == [*BEFORE, NEXT.version]
    assert {states(server)[index.name] for index in NEXT.indexes} == {"ONLINE"}
