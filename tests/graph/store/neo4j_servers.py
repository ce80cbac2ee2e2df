"""A server of their own for tests that stop it, kill it, or change its schema."""

from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import neo4j
import pytest

from graph.store.neo4j import Address, Neo4jStore
from tests.neo4j_databases import REQUIRED, driver_of, left_out
from tests.neo4j_server import Missing, Neo4jServer, ServerOptions

# Marks of the tests that use the fixture `server`: one group, so that there is one such server, and one test at a time.
ON_A_SERVER_OF_THEIR_OWN = [
    pytest.mark.usefixtures("sockets_of_failed_handshakes"),
    pytest.mark.neo4j,
    pytest.mark.timeout(900),
    pytest.mark.xdist_group("neo4j faults"),
]
PASSWORD = "not-a-secret"  # of a server that lives as long as these tests


def started(home: Path) -> Iterator[Neo4jServer]:
    """A server with a password that speaks TLS alone, killed at the end."""
    if why := left_out():
        pytest.skip(f"left out {why}")
    try:
        server = Neo4jServer(home, ServerOptions(password=PASSWORD, tls=True, heap="384m", page_cache="64m", quick_start=True))
        server.start()
    except Missing as error:
        (pytest.fail if REQUIRED else pytest.skip)(f"left out what needs Neo4j: {error}")
    yield server
    server.kill()


def address(server: Neo4jServer, **more: Any) -> Address:
    """Where a store finds the server."""
    return replace(Address(server.uri, "neo4j", PASSWORD, ca_file=server.certificate), **more)


def driver(server: Neo4jServer) -> neo4j.Driver:
    """A driver for what a test does beside the store."""
    trusting = {"encrypted": True, "trusted_certificates": neo4j.TrustCustomCAs(str(server.certificate))}
    return driver_of(server.uri, "neo4j", PASSWORD, **trusting)


@asynccontextmanager
async def opened(address: Address, seconds: float = 60, **options: Any) -> AsyncIterator[Neo4jStore]:
    """A store that has so much patience."""
    store = Neo4jStore(address, patience=timedelta(seconds=seconds), **options)
    await store.open()
    try:
        yield store
    finally:
        await store.close()
