"""Opening the store on Neo4j: what is wrong with a server is named, and a routing address and TLS work."""

import gc
import warnings
from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest

from bench.neo4j_server import Missing, Neo4jServer, ServerOptions
from graph.errors import StoreUnavailable
from graph.model import ExtractionMode
from graph.store.commands import NamespaceSpec
from graph.store.neo4j import Address, Neo4jStore, connection, server_facts
from tests.graph.store.conftest import SPEC, Bench, CountingIds, ManualClock
from tests.neo4j_databases import REQUIRED, Database

pytestmark = [pytest.mark.timeout(300), pytest.mark.xdist_group("neo4j opening")]
PASSWORD = "only-for-tests"


@pytest.fixture(scope="module")
def guarded(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Neo4jServer]:
    """A server with a password that speaks TLS alone."""
    options = ServerOptions(password=PASSWORD, tls=True, heap="384m", page_cache="64m", quick_start=True)
    try:
        server = Neo4jServer(tmp_path_factory.mktemp("guarded"), options)
        server.start()
    except Missing as error:
        (pytest.fail if REQUIRED else pytest.skip)(f"left out what needs a Neo4j of its own: {error}")
    yield server
    server.kill()
    collect_sockets()


def collect_sockets() -> None:
    """The driver leaves the socket of a TLS connection that failed to be collected, which asyncio then warns of."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ResourceWarning)
        gc.collect()


def address(server: Neo4jServer, scheme: str = "bolt", **more: object) -> Address:
    there = Address(f"{scheme}://localhost:{server.options.bolt_port}", "neo4j", PASSWORD)
    return replace(there, **({"ca_file": server.certificate} if "+" not in scheme else {}) | more)


async def refusal(to: Address) -> str:
    store = Neo4jStore(to, patience=timedelta(seconds=1))
    with pytest.raises(StoreUnavailable) as raised:
        await store.open()
    told = str(raised.value)
    del raised  # its traceback holds what the driver has left open
    collect_sockets()
    return told


@pytest.mark.parametrize("scheme", ["bolt", "neo4j", "bolt+ssc", "neo4j+ssc"])
async def test_one_server_or_a_cluster_is_reached_over_tls(guarded: Neo4jServer, scheme: str, clock: ManualClock, ids: CountingIds) -> None:
    store = Neo4jStore(address(guarded, scheme), clock=clock, ids=ids)
    await store.open()
    try:
        bench = Bench(store, clock, ids, namespace=f"over/{scheme.replace('+', '-')}")
        await bench.create()
        await bench.say("Hello over there")
        assert list((await bench.found("hello")).values()) == ["Hello over there"]
        assert store.position(bench.namespace)
    finally:
        await store.close()


async def test_a_certificate_that_nobody_here_trusts_is_named(guarded: Neo4jServer, tmp_path: Path) -> None:
    for scheme in ("bolt+s", "neo4j+s"):
        assert "certificate" in await refusal(address(guarded, scheme))
    assert "certificates cannot be used" in await refusal(address(guarded, ca_file=tmp_path / "none.pem"))


async def test_a_wrong_password_is_named(guarded: Neo4jServer) -> None:
    assert "refuses the store's user or password" in await refusal(address(guarded, password="wrong-password"))


async def test_a_database_that_is_not_there_is_named(guarded: Neo4jServer) -> None:
    assert "no such database" in await refusal(address(guarded, database="elsewhere"))


async def test_nobody_there_is_told() -> None:
    assert "cannot be reached" in await refusal(Address("bolt://127.0.0.1:9"))


async def test_a_server_that_is_too_old_is_named_with_what_is_needed(guarded: Neo4jServer, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(connection, "OLDEST_VERSION", 9999)  # no server of an older series can be had as the others can
    told = await refusal(address(guarded))

    assert "9999 or newer is needed" in told
    assert "the server is 20" in told


async def test_a_read_only_database_is_read_and_its_writes_are_refused(guarded: Neo4jServer, clock: ManualClock, ids: CountingIds) -> None:
    there = address(guarded)
    store = Neo4jStore(there, clock=clock, ids=ids)
    await store.open()
    bench = Bench(store, clock, ids, namespace="kept")
    await bench.create()
    await bench.say("Kept")
    await store.close()

    guarded.stop()
    guarded.options = replace(guarded.options, read_only=True)
    guarded.start()
    try:
        facts = await server_facts(there, clock.now)
        assert not facts.writable
        store = bench.store = Neo4jStore(there, clock=clock, ids=ids, patience=timedelta(seconds=1))
        try:
            await store.open()
            assert await bench.texts() == ["Kept"]
            for write in (bench.say("Lost"), store.create_namespace(NamespaceSpec("new", SPEC, ExtractionMode.EVENT)), store.ping()):
                with pytest.raises(StoreUnavailable, match="read-only"):
                    await write
        finally:
            await store.close()
    finally:
        guarded.stop()
        guarded.options = replace(guarded.options, read_only=False)
        guarded.start()


async def test_indexes_that_are_missing_are_made_and_waited_for(neo4j: Database, clock: ManualClock, ids: CountingIds) -> None:
    store = Neo4jStore(neo4j.address, clock=clock, ids=ids)
    await store.open()
    bench = Bench(store, clock, ids)
    await bench.create()
    await bench.say(*(f"message about topic{number}" for number in range(500)))
    await store.close()

    shown = "SHOW INDEXES YIELD name, type, owningConstraint WHERE owningConstraint IS NULL AND type <> 'LOOKUP' RETURN name, type"
    dropped = neo4j.run(shown)
    assert {index["type"] for index in dropped} >= {"FULLTEXT", "RANGE"}
    for index in dropped:
        neo4j.run(f"DROP INDEX {index['name']}")
    bench.store = store = Neo4jStore(neo4j.address, clock=clock, ids=ids, search_in_process_passages=0)
    await store.open()
    try:
        facts = await server_facts(neo4j.address, clock.now)
        assert facts.unready == {}
        # Those of vectors come with the first namespace that needs them.
        wanted = {index["name"] for index in dropped if index["type"] != "VECTOR"}
        assert wanted <= {index["name"] for index in neo4j.run(shown)}
        assert list((await bench.found("topic77")).values()) == ["message about topic77"]
    finally:
        await store.close()
