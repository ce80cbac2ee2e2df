"""What holds for every test."""

import logging
from collections.abc import Callable, Iterator

import pytest
import structlog
from hypothesis import settings

from tests.neo4j_databases import REQUIRED, Database, connected, left_out
from tests.neo4j_server import Missing

# Property tests judge what comes out, not how long it took on a busy machine.
settings.register_profile("untimed", deadline=None)
settings.load_profile("untimed")


@pytest.fixture(autouse=True)
def logging_as_before() -> Iterator[None]:
    """What a test's service says must not go to the streams of that test when another one runs."""
    root = logging.getLogger()
    handlers, level = list(root.handlers), root.level
    yield
    root.handlers, root.level = handlers, level
    logging.captureWarnings(False)
    structlog.reset_defaults()


def pytest_configure(config: pytest.Config) -> None:
    """Where Neo4j is required, its absence ends the run before the first test."""
    config.addinivalue_line("markers", "neo4j: uses a Neo4j database of the run; such tests run one after the other, on one worker")
    if REQUIRED and (why := left_out()):
        raise pytest.UsageError(f"STRUCTMEM_REQUIRE_NEO4J is set, but this run would leave out {why}")


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Tests that share the run's databases are one group for xdist (`--dist loadgroup`): one server, and nobody empties another's data."""
    for item in items:
        if item.get_closest_marker("xdist_group"):
            continue
        if item.get_closest_marker("neo4j") or {"neo4j", "second_neo4j"} & set(getattr(item, "fixturenames", ())):
            item.add_marker(pytest.mark.xdist_group("neo4j"))


def pytest_make_parametrize_id(val: object, argname: str) -> str | None:
    """A long text would be an id that fills the screen, and the environment of every process that a test starts (PYTEST_CURRENT_TEST)."""
    return argname if isinstance(val, str | bytes) and len(val) > 150 else None


def pytest_collection_finish(session: pytest.Session) -> None:
    """Some versions of pytest and xdist ignore groups without a word (pytest-xdist#1386), and each worker would start servers."""
    grouped = (item for item in session.items if item.get_closest_marker("xdist_group"))
    if getattr(session.config.option, "loadgroup", False) and any("@" not in item.nodeid for item in grouped):
        raise pytest.UsageError("this pytest and this pytest-xdist do not keep the tests of one group on one worker")


@pytest.fixture(scope="session")
def neo4j_of_the_run(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Callable[[int], Database]]:
    """Gives the databases of the run by number, each connected or started when it is first asked for."""
    made: dict[int, Database] = {}

    def database(number: int) -> Database:
        if why := left_out():
            pytest.skip(f"left out {why}")
        try:
            if number not in made:
                made[number] = connected(number, tmp_path_factory.mktemp("neo4j"))
        except Missing as error:
            (pytest.fail if REQUIRED else pytest.skip)(f"left out what needs Neo4j: {error}")
        made[number].empty()
        return made[number]

    yield database
    for one in made.values():
        one.close()


@pytest.fixture
def neo4j(neo4j_of_the_run: Callable[[int], Database]) -> Database:
    """An empty database of a real Neo4j."""
    return neo4j_of_the_run(0)


@pytest.fixture
def second_neo4j(neo4j_of_the_run: Callable[[int], Database]) -> Database:
    """An empty database of another server."""
    return neo4j_of_the_run(1)
