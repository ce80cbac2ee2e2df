import argparse
from pathlib import Path

import pytest

from bench import stores
from bench.report import BenchError
from bench.stores import add_store_arguments, chosen_store
from tests.neo4j_server import Missing


def arguments(*given: str) -> argparse.Namespace:
    parser = argparse.ArgumentParser()
    add_store_arguments(parser)
    return parser.parse_args(given)


def test_the_embedded_store_is_the_default() -> None:
    with chosen_store(arguments("--set", "lease_s=2")) as store:
        assert (store.name, store.settings, store.kept) == ("embedded", {"lease_s": "2"}, False)
        assert store.rss_mb() is None
        assert store.disk_mb() is None


def test_a_named_neo4j_is_used_and_outlives_the_benchmark(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("STRUCTMEM_NEO4J_PASSWORD", "secret")
    with chosen_store(arguments("--store", "neo4j", "--neo4j-uri", "bolt://example.org:7687", "--neo4j-user", "bench")) as store:
        assert store.kept
        assert store.settings == {
            "store": "neo4j",
            "neo4j_uri": "bolt://example.org:7687",
            "neo4j_user": "bench",
            "neo4j_password": "secret",
            "neo4j_database": "neo4j",
        }


def test_says_why_no_neo4j_can_be_started(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    def cannot(*_: object) -> None:
        raise Missing("no JDK of 21 or later")

    monkeypatch.setattr(stores, "Neo4jServer", cannot)
    with pytest.raises(BenchError, match="--neo4j-uri names none: no JDK"), chosen_store(arguments("--store", "neo4j"), tmp_path):
        pass
    assert list(tmp_path.iterdir()) == []


def test_a_setting_needs_a_value() -> None:
    with pytest.raises(BenchError, match="--set lease_s: must be NAME=VALUE"), chosen_store(arguments("--set", "lease_s")):
        pass
