"""Settings of Neo4j: what is refused before anything starts, where passwords come from, and which database keeps what."""

from pathlib import Path

import pytest

from service.configuration import effective, load_settings
from service.errors import InvalidSettings
from service.neo4j_databases import neo4j_databases


@pytest.fixture(autouse=True)
def elsewhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "config"))


def problem(**flags: object) -> dict[str, str]:
    with pytest.raises(InvalidSettings) as raised:
        neo4j_databases(load_settings({"store": "neo4j"} | flags))
    return {violation.field: violation.reason for violation in raised.value.violations}


def test_the_embedded_store_is_the_default_and_neo4j_is_this_machines() -> None:
    assert load_settings().store == "embedded"
    [database] = neo4j_databases(load_settings({"store": "neo4j"}))
    assert (database.uri, database.name, database.user, database.password) == ("bolt://127.0.0.1:7687", "neo4j", "neo4j", "")


@pytest.mark.parametrize("uri", ["localhost:7687", "http://localhost:7687", "bolt://", "neo4j:///", ""])
def test_an_address_that_is_none_is_refused(uri: str) -> None:
    assert "SCHEME://HOST:PORT" in problem(neo4j_uri=uri)["neo4j_uri"]


def test_what_contradicts_itself_is_refused(tmp_path: Path) -> None:
    assert "neo4j_user" in problem(neo4j_uri="bolt://me:secret@localhost")["neo4j_uri"]
    assert "write neo4j://" in problem(neo4j_uri="neo4j+s://localhost", neo4j_ca_file=tmp_path / "ca")["neo4j_uri"]
    assert "set one of them" in problem(neo4j_password="secret", neo4j_password_file=tmp_path / "p")["neo4j_password_file"]
    assert "set store to neo4j" in problem(store="embedded", namespace_map=tmp_path / "map")["namespace_map"]


def test_a_password_comes_from_a_file_alone_or_with_its_user(tmp_path: Path) -> None:
    for content in ("very secret\n", "neo4j/very secret\n"):
        (tmp_path / "password").write_text(content)
        settings = load_settings({"store": "neo4j", "neo4j_password_file": tmp_path / "password"})
        [database] = neo4j_databases(settings)
        assert database.password == "very secret"
        assert "very secret" not in f"{database} {effective(settings)}"
    (tmp_path / "password").write_text("\n")
    assert problem(neo4j_password_file=tmp_path / "password") == {"neo4j_password_file": "is empty"}
    assert "No such file" in problem(neo4j_password_file=tmp_path / "nothing")["neo4j_password_file"]


def test_a_map_names_databases_and_inherits_what_it_leaves_out(tmp_path: Path) -> None:
    (tmp_path / "maps").mkdir()
    (tmp_path / "maps" / "eu-password").write_text("eu secret")
    (tmp_path / "maps" / "map.toml").write_text(
        """
        [[database]]
        namespaces = ["acme", "globex/support"]
        uri = "neo4j+s://eu.example.org"
        password_file = "eu-password"
        [[database]]
        namespaces = ["initech"]
        uri = "bolt://127.0.0.1:7687"
        database = "second"
        """
    )
    settings = {"store": "neo4j", "neo4j_password": "secret", "neo4j_ca_file": "ca.pem", "namespace_map": tmp_path / "maps" / "map.toml"}
    first, eu, second = neo4j_databases(load_settings(settings))

    assert first.prefixes == ()
    assert (eu.uri, eu.user, eu.password, eu.ca_file, eu.prefixes) == (
        "neo4j+s://eu.example.org",
        "neo4j",
        "eu secret",
        None,  # its scheme says itself whom to trust
        ("acme", "globex/support"),
    )
    assert (second.name, second.password, second.ca_file, second.prefixes) == ("second", "secret", Path("ca.pem"), ("initech",))


@pytest.mark.parametrize(
    ("text", "field", "reason"),
    [
        ("[[database]]", "namespace_map: database.0.namespaces", "Field required"),
        ("nonsense", "namespace_map", "is not valid TOML"),
        ('[[database]]\nnamespaces = ["a/"]\nuri = "bolt://b"', "namespace_map.database[0].namespaces", "'a/'"),
        ('[[database]]\nnamespaces = ["a"]\nuri = "b"', "namespace_map.database[0].uri", "must be SCHEME"),
        ('[[database]]\nnamespaces = ["a", "a"]\nuri = "bolt://b"', "namespace_map", "names 'a' twice"),
        ('[[database]]\nnamespaces = ["a"]\nuri = "bolt://127.0.0.1:7687"', "namespace_map", "twice"),
        ('[[database]]\nnamespaces = ["a"]\nuri = "bolt://b"\nport = 1', "namespace_map: database.0.port", "not permitted"),
    ],
)
def test_a_map_that_is_not_clear_is_refused(tmp_path: Path, text: str, field: str, reason: str) -> None:
    (tmp_path / "map.toml").write_text(text)

    assert reason in problem(namespace_map=tmp_path / "map.toml")[field]
