"""Neo4j that refuses, is too old, lacks indexes, is read-only or away: what callers are told."""

import asyncio
import gc
import os
import signal
import warnings
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from neo4j.exceptions import Neo4jError

from bench.neo4j_server import Missing, Neo4jServer, ServerOptions
from graph.errors import Conflict, NotFound, StoreUnavailable
from graph.model import NO_EMBEDDING, EmbeddingSpec, ExtractionMode
from graph.store.commands import AppendCommand, NamespaceSpec
from graph.store.neo4j import Address, Neo4jStore, connection, migrations
from graph.store.neo4j.faults import translated
from tests.graph.store.conftest import draft
from tests.neo4j_databases import REQUIRED, driver_of, left_out

# A group of its own: it starts one server, and kills it.
pytestmark = [pytest.mark.neo4j, pytest.mark.timeout(900), pytest.mark.xdist_group("neo4j faults")]
PASSWORD = "not-a-secret"  # of a server that lives as long as these tests
SPEC = NamespaceSpec("n", NO_EMBEDDING, ExtractionMode.OFF)


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Neo4jServer]:
    """A server with a password that speaks TLS alone; these tests stop and kill it."""
    if why := left_out():
        pytest.skip(f"left out {why}")
    try:
        options = ServerOptions(password=PASSWORD, tls=True, heap="384m", page_cache="64m", quick_start=True)
        server = Neo4jServer(tmp_path_factory.mktemp("neo4j-faults"), options)
        server.start()
    except Missing as error:
        (pytest.fail if REQUIRED else pytest.skip)(f"left out what needs Neo4j: {error}")
    yield server
    server.kill()


@pytest.fixture(autouse=True)
def sockets_of_failed_handshakes() -> Iterator[None]:
    """The driver leaves the socket of a TLS handshake that failed to the garbage collector, which would warn of it in a later test."""
    yield
    with warnings.catch_warnings(action="ignore", category=ResourceWarning):
        gc.collect()


def address(server: Neo4jServer, **more: Any) -> Address:
    return replace(Address(server.uri, "neo4j", PASSWORD, ca_file=server.certificate), **more)


@asynccontextmanager
async def opened(address: Address, seconds: float = 60) -> AsyncIterator[Neo4jStore]:
    store = Neo4jStore(address, patience=timedelta(seconds=seconds))
    await store.open()
    try:
        yield store
    finally:
        await store.close()


async def test_a_routing_address_and_each_form_of_tls_work(server: Neo4jServer) -> None:
    port = server.options.bolt_port
    forms = [{}, {"uri": f"neo4j://localhost:{port}"}]
    forms += [{"uri": f"{scheme}://localhost:{port}", "ca_file": None} for scheme in ("neo4j+ssc", "bolt+ssc")]
    for form in forms:
        async with opened(address(server, **form)) as store:
            await store.ping()
            with pytest.raises(NotFound):
                await store.get_namespace("nobody")


@pytest.mark.parametrize(
    ("wrong", "told"),
    [
        ({"password": "wrong"}, "user or password"),
        ({"user": ""}, "user or password"),
        ({"database": "nowhere"}, "no such database"),
        ({"ca_file": Path(__file__)}, "file of certificates"),
        ({"ca_file": Path("/nowhere")}, "file of certificates"),
        ({"uri": "http://localhost:7474"}, "must begin with one of bolt://"),
        ({"uri": "bolt://localhost:9"}, "cannot be reached"),
    ],
)
async def test_what_is_wrong_with_the_settings_is_told(server: Neo4jServer, wrong: dict[str, Any], told: str) -> None:
    with pytest.raises(StoreUnavailable, match=told) as raised:
        async with opened(address(server, **wrong), seconds=1):
            pass
    assert PASSWORD not in str(raised.value)


async def test_a_certificate_that_nobody_vouches_for_is_named_as_the_reason(server: Neo4jServer) -> None:
    with pytest.raises(StoreUnavailable, match="certificate"):
        async with opened(address(server, uri=f"neo4j+s://localhost:{server.options.bolt_port}", ca_file=None), seconds=1):
            pass


async def test_a_server_that_is_too_old_is_told_what_is_needed(server: Neo4jServer, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(connection, "OLDEST_VERSION", 3000)
    with pytest.raises(StoreUnavailable, match=r"Neo4j 3000 or newer is needed; the server is 20\d\d\."):
        async with opened(address(server)):
            pass


async def test_indexes_that_are_missing_are_made_again_and_a_newer_schema_is_refused(server: Neo4jServer) -> None:
    async with opened(address(server)):
        pass
    with driver_of(server.uri, "neo4j", PASSWORD, **_trusting(server)) as driver:
        driver.execute_query("DROP INDEX message_time")
        driver.execute_query("DROP CONSTRAINT message_id")
        async with opened(address(server)):
            states = {row["name"]: row["state"] for row in driver.execute_query("SHOW INDEXES YIELD name, state").records}
        assert (states["message_time"], states["message_id"]) == ("ONLINE", "ONLINE")
        driver.execute_query("CREATE (:Migration {version: 99})")
        try:
            with pytest.raises(Conflict, match="newer version of StructMem"):
                async with opened(address(server)):
                    pass
        finally:
            driver.execute_query("MATCH (m:Migration {version: 99}) DELETE m")


async def test_a_vector_index_that_is_missing_is_found_and_made_again(server: Neo4jServer) -> None:
    async with opened(address(server)) as store:
        await store.create_namespace(replace(SPEC, name="vectors", embedding=EmbeddingSpec("test", "f", 12)))
        with driver_of(server.uri, "neo4j", PASSWORD, **_trusting(server)) as driver:
            driver.execute_query("DROP INDEX memory_embedding_12")
        [finding] = await store.check_store()
        assert (finding.problem, "memory_embedding_12" in finding.detail) == ("MISSING_INDEX", True)
    async with opened(address(server)) as store:
        assert await store.check_store() == []
        await store.delete_namespace("vectors")


async def test_an_index_that_is_still_being_filled_is_named(server: Neo4jServer, monkeypatch: pytest.MonkeyPatch) -> None:
    with driver_of(server.uri, "neo4j", PASSWORD, **_trusting(server)) as driver:
        with driver.session() as session:
            made = "UNWIND range(1, 200000) AS i CALL (i) { CREATE (:Fact {namespace: 'filled', said_at: i, key: i}) } IN TRANSACTIONS"
            session.run(made).consume()
        driver.execute_query("DROP INDEX fact_time")
        monkeypatch.setattr(migrations, "_AWAITED_SECONDS", 0)
        with pytest.raises(StoreUnavailable, match=r"fact_time \(POPULATING\)"):
            async with opened(address(server)):
                pass
        monkeypatch.undo()
        async with opened(address(server)):
            pass
        with driver.session() as session:
            session.run("MATCH (f:Fact {namespace: 'filled'}) CALL (f) { DELETE f } IN TRANSACTIONS").consume()


def test_a_user_without_the_rights_is_told_so() -> None:
    refused = Neo4jError._basic_hydrate(neo4j_code="Neo.ClientError.Security.Forbidden", message="no")
    assert isinstance(told := translated(refused), StoreUnavailable)
    assert "does not let the store's user" in str(told)


def _trusting(server: Neo4jServer) -> dict[str, Any]:
    from neo4j import TrustCustomCAs

    return {"encrypted": True, "trusted_certificates": TrustCustomCAs(str(server.certificate))}


async def test_two_that_open_a_new_database_at_once_both_find_it_ready(server: Neo4jServer) -> None:
    with driver_of(server.uri, "neo4j", PASSWORD, **_trusting(server)) as driver:
        driver.execute_query("MATCH (m:Migration) DELETE m")

    async def open_and_use(name: str) -> None:
        async with opened(address(server)) as store:
            await store.create_namespace(replace(SPEC, name=name))
            await store.delete_namespace(name)

    await asyncio.gather(open_and_use("a"), open_and_use("b"))


async def test_a_read_only_database_is_read_and_not_written(server: Neo4jServer) -> None:
    async with opened(address(server)) as store:
        await store.create_namespace(replace(SPEC, name="kept"))
    server.stop()
    writable = server.options
    server.options = replace(writable, read_only=True)
    try:
        server.start()
        async with opened(address(server)) as store:
            assert (await store.get_namespace("kept")).name == "kept"
            for write in (
                store.append("kept", AppendCommand("s", (draft("a"),), timedelta(0))),
                store.ping(),
                store.create_namespace(SPEC),
            ):
                with pytest.raises(StoreUnavailable, match="read-only"):
                    await write
    finally:
        server.kill()
        server.options = writable
        server.start()


async def test_a_server_that_is_away_is_waited_for_a_while(server: Neo4jServer) -> None:
    async with opened(address(server), seconds=0.5) as store:
        await store.create_namespace(replace(SPEC, name="away"))
        server.kill()
        try:
            with pytest.raises(StoreUnavailable) as raised:
                await store.append("away", AppendCommand("s", (draft("a"),), timedelta(0)))
        finally:
            server.start()
    assert raised.value.retry_after is not None
    assert server.uri.removeprefix("bolt://") not in str(raised.value)


async def test_a_server_that_says_nothing_does_not_hold_up_whoever_appends(server: Neo4jServer) -> None:
    async with opened(address(server)) as store:
        await store.create_namespace(replace(SPEC, name="silent"))
    async with opened(address(server), seconds=0.5) as store:
        assert server.pid is not None
        os.kill(server.pid, signal.SIGSTOP)
        try:
            async with asyncio.timeout(60):
                with pytest.raises(StoreUnavailable, match="does not answer") as raised:
                    await store.append("silent", AppendCommand("s", (draft("a"),), timedelta(0)))
        finally:
            os.kill(server.pid, signal.SIGCONT)
        assert raised.value.retry_after is not None
    async with opened(address(server)) as store:
        await store.append("silent", AppendCommand("s", (draft("a"),), timedelta(0)))
