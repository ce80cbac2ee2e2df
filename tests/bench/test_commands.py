import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from tests.neo4j_databases import Database

ROOT = Path(__file__).parents[2]
MEASURES = {"recall@5", "recall@10", "recall@20", "recall@30", "recall@60", "all@10", "mrr"}
PERCENTILES = {"p50", "p95", "p99"}
# Whole objects: who reads them relies on each key, and a new one is to be documented.
RETRIEVAL = {"dataset", "store", "extractor", "questions", "recipes", "ingest", "append_ack_ms", "server", "llm"}
INGEST = {
    "messages",
    "seconds",
    "messages_per_s",
    "embedder_texts",
    "embedder_texts_per_s",
    "embedder_alone_texts",
    "embedder_alone_texts_per_s",
    "embedder_ratio",
}
SCALE = {
    "store",
    "messages",
    "namespaces",
    "clients",
    "settle_s",
    "nodes",
    "edges",
    "load_nodes_per_s",
    "load_edges_per_s",
    "generate_s",
    "retrieve_ms",
    "cpu_ms_per_answer",
    "append_ack_ms",
    "qps",
    "qps_by_recipe",
    "qps_one_client",
    "qps_ratio",
    "retrieve_one_client_ms",
    "rss_mb",
    "disk_mb",
    "neo4j_rss_mb",
    "neo4j_disk_mb",
}


def bench(*arguments: str) -> Any:
    """Runs a benchmark with --json and returns what it printed, which is one object and nothing else."""
    command = [sys.executable, "-m", "bench", *arguments, "--json"]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False, timeout=110)
    assert done.returncode == 0, done.stdout + done.stderr
    assert done.stderr == ""
    return json.loads(done.stdout)


ON_NEO4J = pytest.param("neo4j", "local", marks=pytest.mark.neo4j)


@pytest.fixture(params=["embedded", pytest.param("neo4j", marks=pytest.mark.neo4j)])
def store(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The flags that choose a store."""
    if request.param == "embedded":
        return ["--store", "embedded"]
    database: Database = request.getfixturevalue("neo4j")
    monkeypatch.setenv("STRUCTMEM_NEO4J_PASSWORD", database.password)
    named = ["--neo4j-uri", database.uri, "--neo4j-user", database.user, "--neo4j-database", database.name]
    return ["--store", "neo4j", *named]


@pytest.mark.parametrize(("store", "extractor"), [("embedded", "local"), ("embedded", "recorded"), ON_NEO4J], indirect=["store"])
def test_retrieval_finds_what_was_said(chats_file: Path, store: list[str], extractor: str) -> None:
    found = bench("retrieval", "--data", str(chats_file), "--recipe", "hybrid", "--extractor", extractor, *store)

    assert set(found) == RETRIEVAL
    assert found["dataset"] == "two-gardens"
    assert (found["store"], found["extractor"]) == (store[1], extractor)
    assert found["questions"] == 3
    assert set(found["recipes"]) == {"hybrid", "naive_rrf"}
    for measured in found["recipes"].values():
        assert set(measured) == {"overall", "by_category", "latency_ms"}
        assert set(measured["overall"]) == MEASURES
        assert set(measured["by_category"]) == {"single", "multi"}
        assert all(set(measures) == MEASURES for measures in measured["by_category"].values())
        assert set(measured["latency_ms"]) == PERCENTILES
        assert measured["overall"]["recall@60"] == 100.0
    assert found["ingest"]["messages"] == 7
    assert found["ingest"]["embedder_texts"] == found["ingest"]["embedder_alone_texts"] >= 7
    assert set(found["ingest"]) == INGEST
    assert set(found["append_ack_ms"]) == {"p50", "p99"}
    assert set(found["server"]) == {"ready_s", "rss_mb", "neo4j_rss_mb"}
    assert found["server"]["neo4j_rss_mb"] is None
    assert found["llm"] == {"calls": 0, "prompt_tokens": 0, "completion_tokens": 0}


def test_a_killed_server_ends_with_the_same_memory() -> None:
    found = bench("faults", "--rounds", "2")

    assert set(found) == {"store", "rounds", "kills", "acknowledged", "lost", "duplicated", "different", "changes"}
    assert found["store"] == "embedded"
    assert found["kills"]["service"] >= 2
    assert found["rounds"] == 2
    assert found["acknowledged"] > 0
    assert found["lost"] == found["duplicated"] == found["different"] == 0


def test_scale_loads_and_asks(store: list[str]) -> None:
    found = bench("scale", "--messages", "120", "--namespaces", "2", "--clients", "2", "--queries", "6", "--settle", "0.1", *store)

    assert set(found) == SCALE
    assert found["settle_s"] == 0.1
    assert found["cpu_ms_per_answer"]["service"] > 0
    assert found["cpu_ms_per_answer"]["neo4j"] is None
    assert found["store"] == store[1]
    assert found["clients"] == 2
    assert (found["messages"], found["namespaces"]) == (120, 2)
    assert found["nodes"] > 120
    assert found["edges"] > 240
    assert set(found["retrieve_ms"]) == {"hybrid", "lexical", "dense", "graph"}
    assert all(set(latency) == PERCENTILES for latency in found["retrieve_ms"].values())
    assert set(found["append_ack_ms"]) == PERCENTILES
    assert set(found["qps_by_recipe"]) == set(found["retrieve_ms"])
    assert found["qps_by_recipe"]["hybrid"] == found["qps"] > 0
    assert found["qps_ratio"] == pytest.approx(found["qps"] / found["qps_one_client"], rel=0.05)


@pytest.mark.parametrize(
    ("arguments", "complaint"),
    [
        (["retrieval", "--data", "absent.json"], "cannot read absent.json"),
        (["faults", "--rounds", "0"], "--rounds: must be at least 1"),
        (["scale", "--messages", "0"], "--messages: must be at least 1"),
        (["scale", "--messages", "1", "--settle", "-1"], "--settle: must be at least 0"),
        (["peers", "--messages", "1", "--settle", "-1"], "--settle: must be at least 0"),
        (["scale", "--messages", "1", "--namespaces", "2"], "--messages: must be at least one for each namespace"),
    ],
)
def test_says_what_is_wrong_with_the_arguments(arguments: list[str], complaint: str) -> None:
    done = subprocess.run([sys.executable, "-m", "bench", *arguments], cwd=ROOT, capture_output=True, text=True, check=False, timeout=60)

    assert done.returncode == 1
    assert complaint in done.stderr


def test_ablation_says_what_each_part_is_worth(chats_file: Path) -> None:
    found = bench("ablation", "--data", str(chats_file), "--pool", "2")

    assert set(found) == {"questions", "default", "parts", "cross_validated"}
    assert found["questions"]["two-gardens"] == 3
    mean, half = found["default"]["two-gardens"]["recall@10"]
    # There are five messages in each chat: all are among the first ten.
    assert mean == 100
    assert half == 0
    assert {"without lexical", "without dense", "without any hop", "with a walk over the graph"} <= set(found["parts"])
    for part in found["parts"].values():
        difference, low, high = part["two-gardens"]
        assert low <= difference <= high <= 0
    assert set(found["cross_validated"]["two-gardens"]) == {"recall@10", "recall@20", "recall@60", "all@10"}
