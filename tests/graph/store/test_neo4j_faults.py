"""Neo4j that refuses, is too old, is read-only, away or silent: what callers are told, and that nothing is lost."""

import asyncio
import os
import signal
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from neo4j.exceptions import Neo4jError

from graph.errors import InvalidArgument, NotFound, StorageFull, StoreLimit, StoreUnavailable, StructMemError
from graph.model import NO_EMBEDDING, ExtractionMode
from graph.store.neo4j.driver import connection
from graph.store.neo4j.driver.connection import Connection
from graph.store.neo4j.driver.faults import memory_setting, translated, worth_retrying
from graph.store.port import AppendCommand, NamespaceSpec
from tests.graph.store.conftest import draft
from tests.graph.store.neo4j_servers import ON_A_SERVER_OF_THEIR_OWN, PASSWORD, address, opened
from tests.neo4j_server import Neo4jServer

pytestmark = ON_A_SERVER_OF_THEIR_OWN
SPEC = NamespaceSpec("n", NO_EMBEDDING, ExtractionMode.OFF)


async def test_a_routing_address_and_each_form_of_tls_work(server: Neo4jServer) -> None:
    port = server.options.bolt_port
    forms = [{}, {"uri": f"neo4j://localhost:{port}"}]
    forms += [{"uri": f"{scheme}://localhost:{port}", "ca_file": None} for scheme in ("neo4j+ssc", "bolt+ssc")]
    for form in forms:
        async with opened(address(server, **form)) as store:
            await store.ping()
            with pytest.raises(NotFound):
                await store.namespace("nobody").settings()


@pytest.mark.parametrize(
    ("wrong", "told"),
    [
        ({"password": "wrong"}, "user or password"),
        ({"user": "", "password": ""}, "wants a password"),
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


async def test_a_certificate_that_the_system_trusts_is_enough(server: Neo4jServer, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SSL_CERT_FILE", str(server.certificate))
    for scheme in ("neo4j+s", "bolt+s"):
        async with opened(address(server, uri=f"{scheme}://localhost:{server.options.bolt_port}", ca_file=None)) as store:
            await store.ping()


async def test_a_server_that_is_too_old_is_told_what_is_needed(server: Neo4jServer, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(connection, "OLDEST_VERSION", (3000, 1))
    with pytest.raises(StoreUnavailable, match=r"Neo4j 3000\.01 or newer is needed; the server is 20\d\d\."):
        async with opened(address(server)):
            pass


def test_versions_are_compared_by_year_and_month() -> None:
    assert connection.version_numbers("5.26.1") < connection.version_numbers("2026.05.0") < connection.OLDEST_VERSION
    assert connection.OLDEST_VERSION <= connection.version_numbers("2026.07.1") < connection.version_numbers("2026.10.0")
    assert connection.version_numbers("dev") < connection.OLDEST_VERSION


@pytest.mark.parametrize(
    ("code", "kind", "told", "again"),
    [
        ("ClientError.Security.Forbidden", StoreUnavailable, "does not let the store's user", False),
        ("ClientError.Security.CredentialsExpired", StoreUnavailable, "refuses the store's user or password", False),
        ("ClientError.General.ForbiddenOnReadOnlyDatabase", StoreUnavailable, "read-only", False),
        ("TransientError.General.MemoryPoolOutOfMemoryError", StoreUnavailable, "raise its dbms.memory.transaction.total.max", True),
        ("ClientError.General.TransactionOutOfMemoryError", StoreLimit, "raise its db.memory.transaction.max", False),
        ("TransientError.General.TransactionMemoryLimit", StoreUnavailable, "server.memory.off_heap.transaction_max_size", True),
        ("TransientError.General.OutOfMemoryError", StoreUnavailable, "raise its server.memory.heap.max_size", True),
        ("TransientError.General.StackOverFlowError", StoreLimit, "stack", False),
        ("TransientError.Transaction.MaximumTransactionLimitReached", StoreUnavailable, "busy", True),
        ("TransientError.Transaction.LockAcquisitionTimeout", StoreUnavailable, "waited so long for another", True),
        ("ClientError.Transaction.LockClientStopped", StoreUnavailable, "waited so long for another", True),
        ("ClientError.Transaction.TransactionTimedOut", StoreUnavailable, "raise its db.transaction.timeout", False),
        ("ClientError.Transaction.TransactionTimedOutClientConfiguration", StoreUnavailable, "raise its db.transaction.timeout", False),
        ("ClientError.Transaction.Terminated", StoreUnavailable, "somebody ended", False),
        ("ClientError.Transaction.InvalidBookmarkMixture", InvalidArgument, "of another database", False),
        ("DatabaseError.Statement.ExecutionFailed", StoreUnavailable, "its own log says why", False),
        ("DatabaseError.Transaction.TransactionLogError", StorageFull, "no space left", False),
        ("ClientError.Statement.SyntaxError", StructMemError, "unexpected fault", False),
    ],
)
def test_what_the_server_refuses_is_told_in_words_that_help(code: str, kind: type[StructMemError], told: str, again: bool) -> None:
    raised = Neo4jError._basic_hydrate(neo4j_code=f"Neo.{code}", message="no")
    error = translated(raised)
    assert type(error) is kind
    assert told in str(error)
    assert worth_retrying(raised) is again


@pytest.mark.parametrize("setting", ["db.memory.transaction.max", "db.memory.transaction.total.max", "dbms.memory.transaction.total.max"])
def test_the_pool_that_ran_out_of_memory_is_the_one_that_the_server_names(setting: str) -> None:
    message = (
        f"The allocation of an extra 2.0 MiB would use more than the limit 20.0 MiB. Currently using 20.0 MiB. {setting} threshold reached"
    )
    error = Neo4jError._basic_hydrate(neo4j_code="Neo.TransientError.General.MemoryPoolOutOfMemoryError", message=message)
    assert memory_setting(error) == setting
    assert str(translated(error)).endswith(f"raise its {setting}")
    assert worth_retrying(error) is (setting != "db.memory.transaction.max")


async def test_a_read_only_database_is_read_and_not_written(server: Neo4jServer) -> None:
    async with opened(address(server)) as store:
        await store.create_namespace(replace(SPEC, name="kept"))
    server.stop()
    writable = server.options
    server.options = replace(writable, read_only=True)
    try:
        server.start()
        async with opened(address(server)) as store:
            assert (await store.namespace("kept").settings()).name == "kept"
            for write in (
                store.namespace("kept").append(AppendCommand("s", (draft("a"),), timedelta(0))),
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
                await store.namespace("away").append(AppendCommand("s", (draft("a"),), timedelta(0)))
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
                    await store.namespace("silent").append(AppendCommand("s", (draft("a"),), timedelta(0)))
        finally:
            os.kill(server.pid, signal.SIGCONT)
        assert raised.value.retry_after is not None
    async with opened(address(server)) as store:
        await store.namespace("silent").append(AppendCommand("s", (draft("a"),), timedelta(0)))


async def test_of_two_that_wait_for_each_other_one_is_tried_again(server: Neo4jServer) -> None:
    link, met = Connection(address(server), timedelta(seconds=60)), asyncio.Barrier(2)
    await link.open()
    await link.execute("UNWIND ['a', 'b'] AS name CREATE (:Spare {name: name, visits: 0})")
    tries = 0

    async def visit(first: str, second: str) -> None:
        async def attempt() -> None:
            nonlocal tries
            tries += 1
            meets = tries <= 2
            async with link.session(write=True) as session, await session.begin_transaction() as transaction:
                for name in (first, second):
                    await (await transaction.run("MATCH (s:Spare {name: $name}) SET s.visits = s.visits + 1", {"name": name})).consume()
                    if meets and name == first:
                        await met.wait()
                await transaction.commit()

        await link.patiently(attempt)

    async with asyncio.timeout(60):
        await asyncio.gather(visit("a", "b"), visit("b", "a"))
    assert tries > 2
    assert await link.rows("MATCH (s:Spare) RETURN s.visits") == [[2], [2]]
    await link.execute("MATCH (s:Spare) DELETE s")
    await link.close()
