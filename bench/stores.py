"""The store under test: the embedded one, or Neo4j, on a server that the benchmark starts or on one that is named."""

import argparse
import os
import tempfile
from collections.abc import AsyncIterator, Collection, Iterator, Mapping
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from bench.connection import Connection
from bench.report import BenchError
from bench.server import cpu_seconds
from tests.neo4j_server import Missing, Neo4jServer, ServerOptions

STORES = ("embedded", "neo4j")
MB = 1_000_000


@dataclass(frozen=True, slots=True)
class StoreUnderTest:
    """Where the service keeps its memory.

    Attributes:
        name: "embedded" or "neo4j".
        settings: what the service must be told.
        neo4j: the server that was started for it; None where there is none, or where it was there before.
    """

    name: str
    settings: Mapping[str, object] = field(default_factory=dict)
    neo4j: Neo4jServer | None = None

    @property
    def kept(self) -> bool:
        """Whether it outlives the benchmark, so that what was put there must be deleted."""
        return self.name == "neo4j" and self.neo4j is None

    def rss_mb(self) -> float | None:
        """Resident memory of the database's own process; None where there is none, or where it is not ours to look at."""
        return None if self.neo4j is None else self.neo4j.rss_mb()

    def cpu_s(self) -> float | None:
        """Seconds of CPU that the database's own process has used so far; None as above."""
        return None if self.neo4j is None or self.neo4j.pid is None else cpu_seconds(self.neo4j.pid)

    def disk_mb(self) -> float | None:
        """What the database's own process has on disk; None as above."""
        if self.neo4j is None:
            return None
        return round(sum(path.stat().st_size for path in (self.neo4j.home / "data").rglob("*") if path.is_file()) / MB, 1)


def add_store_arguments(parser: argparse.ArgumentParser, stores: tuple[str, ...] = STORES) -> None:
    """The flags that choose one of the stores; the first one is the default."""
    parser.add_argument("--store", choices=stores, default=stores[0], help=f"which store (default: {stores[0]})")
    parser.add_argument(
        "--neo4j-uri", metavar="URI", help="a Neo4j to use; its password is in STRUCTMEM_NEO4J_PASSWORD (default: one is started)"
    )
    parser.add_argument("--neo4j-user", default="neo4j", metavar="NAME", help="of that Neo4j (default: neo4j)")
    parser.add_argument("--neo4j-database", default="neo4j", metavar="NAME", help="of that Neo4j (default: neo4j)")
    parser.add_argument("--neo4j-heap", default="1g", metavar="SIZE", help="heap of the Neo4j that is started (default: 1g)")
    parser.add_argument("--neo4j-page-cache", default="512m", metavar="SIZE", help="its page cache (default: 512m)")
    parser.add_argument("--set", action="append", default=[], metavar="NAME=VALUE", help="a setting of the service; may be given again")


@contextmanager
def chosen_store(arguments: argparse.Namespace, keep_in: Path | None = None) -> Iterator[StoreUnderTest]:
    """The store that the flags choose, as long as the block runs; a Neo4j is started in `keep_in` or in a temporary place.

    Raises:
        BenchError: no Neo4j can be started here, or a setting has no value.
    """
    given = dict(map(setting, arguments.set))
    if arguments.store == "embedded":
        yield StoreUnderTest("embedded", given)
    elif arguments.neo4j_uri:
        password = os.environ.get("STRUCTMEM_NEO4J_PASSWORD", "")
        yield StoreUnderTest("neo4j", _address(arguments.neo4j_uri, arguments.neo4j_user, password, arguments.neo4j_database) | given)
    else:
        options = ServerOptions(heap=arguments.neo4j_heap, page_cache=arguments.neo4j_page_cache)
        with _started(options, keep_in) as started:
            yield StoreUnderTest("neo4j", _address(started.uri, "neo4j", "", "neo4j") | given, started)


@asynccontextmanager
async def own_namespaces(connection: Connection, store: StoreUnderTest, names: Collection[str]) -> AsyncIterator[None]:
    """Deletes namespaces of these names, before and after, from a store that outlives the benchmark."""
    if store.kept:
        await connection.delete_namespaces(names)
    yield
    if store.kept:
        await connection.delete_namespaces(names)


@contextmanager
def _started(options: ServerOptions, keep_in: Path | None) -> Iterator[Neo4jServer]:
    with tempfile.TemporaryDirectory(prefix="structmem-bench-neo4j-", dir=keep_in) as home:
        try:
            started = Neo4jServer(Path(home), options)
            started.start()
        except (Missing, RuntimeError) as error:
            raise BenchError(f"no Neo4j can be started, and --neo4j-uri names none: {error}") from error
        try:
            yield started
        finally:
            started.kill()  # nobody wants its data


def _address(uri: str, user: str, password: str, database: str) -> dict[str, object]:
    return {"store": "neo4j", "neo4j_uri": uri, "neo4j_user": user, "neo4j_password": password, "neo4j_database": database}


def setting(pair: str) -> tuple[str, object]:
    """The name and the value of a setting, written NAME=VALUE. Raises BenchError where it is written otherwise."""
    name, separator, value = pair.partition("=")
    if not separator:
        raise BenchError(f"--set {pair}: must be NAME=VALUE")
    return name, value
