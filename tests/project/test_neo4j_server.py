"""The server that tests and development use: what it needs is looked for, and its absence named."""

from pathlib import Path

import pytest

from tests.neo4j_databases import Database
from tests.neo4j_server import Missing, find_jdk, find_maven
from tests.neo4j_server import requirements as places
from tests.neo4j_server.class_archive import archive_path, class_archive
from tests.neo4j_server.jars import server_version
from tests.neo4j_server.options import ServerOptions, configuration_text


def jdk(home: Path, version: str) -> Path:
    (home / "bin").mkdir(parents=True)
    (home / "bin" / "java").touch(mode=0o755)
    (home / "release").write_text(f'IMPLEMENTOR="Somebody"\nJAVA_VERSION="{version}"\n')
    return home


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The only folder in which JDKs are looked for."""
    monkeypatch.setattr(places, "_JVM_FOLDERS", (str(tmp_path / "jvm"),))
    monkeypatch.setenv("PATH", str(tmp_path / "nothing"))
    monkeypatch.delenv("JAVA_HOME", raising=False)
    (tmp_path / "jvm").mkdir()
    return tmp_path / "jvm"


def test_the_newest_jdk_is_found(folder: Path) -> None:
    for name, version in (("seventeen", "17.0.15"), ("new", "25.0.1"), ("enough", "21")):
        jdk(folder / name, version)

    assert find_jdk() == folder / "new"


def test_java_home_wins_where_it_is_new_enough(folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    jdk(folder / "newest", "25.0.1")
    monkeypatch.setenv("JAVA_HOME", str(jdk(tmp_path / "mine", "21.0.2")))
    assert find_jdk() == tmp_path / "mine"

    monkeypatch.setenv("JAVA_HOME", str(jdk(tmp_path / "old", "17.0.15")))
    assert find_jdk() == folder / "newest"


def test_what_is_missing_is_named(folder: Path) -> None:
    with pytest.raises(Missing, match="no JDK of 21 or later: none at all"):
        find_jdk()
    jdk(folder / "seventeen", "17.0.15")
    with pytest.raises(Missing, match=r"no JDK of 21 or later: 17 in .*seventeen"):
        find_jdk()
    with pytest.raises(Missing, match="no Maven"):
        find_maven()


def test_the_archive_of_classes_is_made_once_or_left_out(folder: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    (tmp_path / "structmem").mkdir()
    home, tries = jdk(folder / "new", "25.0.1"), 0

    def train(path: Path) -> None:
        nonlocal tries
        tries += 1
        # Another process that starts a server meanwhile does without.
        assert class_archive(home, train) is None
        path.write_bytes(b"classes")

    assert class_archive(home, train) == class_archive(home, train) == archive_path(home)
    assert (tries, archive_path(home).read_bytes()) == (1, b"classes")

    def fails(path: Path) -> None:
        path.write_bytes(b"half")
        raise RuntimeError("Neo4j ended before it could serve")

    other = jdk(folder / "newer", "26")
    assert class_archive(other, fails) is class_archive(other, train) is None
    assert tries == 1


def test_the_configuration_is_of_loopback_alone_and_what_is_given_wins() -> None:
    options = ServerOptions(bolt_port=1, http_port=2, tls=True, read_only=True, configuration={"dbms.security.auth_enabled": "true"})
    lines = dict(line.split("=", 1) for line in configuration_text(options, Path("/certificates")).splitlines())

    assert lines["server.bolt.listen_address"] == "127.0.0.1:1"
    assert lines["server.http.listen_address"] == "127.0.0.1:2"
    assert lines["server.bolt.tls_level"] == "REQUIRED"
    assert lines["server.databases.read_only"] == "neo4j"
    assert lines["dbms.security.auth_enabled"] == "true"


def test_each_test_finds_the_database_empty(neo4j: Database) -> None:
    neo4j.run("UNWIND range(1, 20000) AS i CREATE (:Something {i: i})")
    # What tells of the indexes stays, if a store has made them.
    count = "MATCH (n) WHERE NOT n:Migration RETURN count(n) AS nodes"
    assert neo4j.run(count) == [{"nodes": 20000}]
    neo4j.empty()
    assert neo4j.run(count) == [{"nodes": 0}]


def test_the_server_is_of_the_version_that_the_project_names(neo4j: Database) -> None:
    if neo4j.server is None:
        pytest.skip("the environment names the database")

    assert neo4j.run("CALL dbms.components() YIELD name, versions WHERE name = 'Neo4j Kernel' RETURN versions") == [
        {"versions": [server_version()]}
    ]
