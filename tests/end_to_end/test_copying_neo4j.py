"""`structmem copy` between a data directory and Neo4j: there and back it is the same memory."""

import json
import signal
import time
from pathlib import Path
from typing import Any

import pytest

from tests.neo4j_databases import Database

# Every command opens the database anew, which a busy machine takes seconds for.
pytestmark = pytest.mark.timeout(600)
LISBON = ("--timezone", "Europe/Lisbon")
QUESTION = ("search", "Where does Ines live?", "-n", "alice", "--json")


@pytest.fixture
def told(shell: Any, chat: Path, neo4j: Database) -> Any:
    """A shell whose settings name a Neo4j, on whose data directory is the namespace alice, extracted, with a decision and a deletion."""
    shell.environment |= {f"STRUCTMEM_{name.upper()}": str(value) for name, value in neo4j.settings.items() if name != "store"}
    shell("ingest", chat, "-n", "alice", *LISBON)
    shell("entities", "link", "Ines", "Maria", "-n", "alice")
    flights = next(m for m in shell("messages", "-n", "alice", "--json").document["messages"] if "flight" in m["text"])
    assert shell("delete", flights["id"], "-n", "alice", "--yes").code == 0
    return shell


def outcomes(shell: Any, *arguments: str | Path) -> dict[str, str]:
    return {one["name"]: one["outcome"] for one in json.loads(shell("copy", *arguments, "--json").out)["namespaces"]}


def test_to_neo4j_and_back(told: Any, neo4j: Database, tmp_path: Path) -> None:
    back = tmp_path / "back"
    assert outcomes(told, "-n", "alice", "--to", "neo4j") == {"alice": "copied"}
    assert outcomes(told, "-n", "alice", "--from", neo4j.uri, "--to", back) == {"alice": "copied"}
    [compared] = told("copy", "-n", "alice", "--to", back, "--verify-only", "--json").document["namespaces"]
    assert (compared["outcome"], compared["differences"]) == ("same", [])
    assert compared["source"] == compared["target"]
    found = told(*QUESTION).document["hits"]
    told.environment["STRUCTMEM_STORE"] = "neo4j"
    theirs = told(*QUESTION).document["hits"]
    assert [(hit["memory"], hit["score"]) for hit in theirs] == [(hit["memory"], pytest.approx(hit["score"], abs=1e-5)) for hit in found]
    sound = told("doctor", "--json").document
    assert (sound["namespaces"], sound["findings"]) == (["alice"], [])
    [server] = sound["servers"]
    assert (server["writable"], server["unready_indexes"]) == (True, {})
    assert server["version"] in told("doctor").out
    # The copy is a memory like any other: it goes on, and is then another one.
    assert told("delete", "--session", "june", "-n", "alice", "--yes").code == 0
    assert outcomes(told, "-n", "alice", "--from", "embedded", "--to", "neo4j") == {"alice": "different"}
    [broken] = neo4j.run("MATCH (f:Fact {namespace: 'alice'})-[r:EVIDENCED_BY]->() WITH f, r LIMIT 1 DELETE r RETURN f.id AS id")
    done = told("doctor", "-n", "alice", "--json")
    assert done.code == 1
    assert broken["id"] in {finding["node_id"] for finding in json.loads(done.out)["findings"]}


def test_what_was_killed_half_way_is_not_seen_and_done_again(told: Any, neo4j: Database, tmp_path: Path) -> None:
    told.environment |= {"STRUCTMEM_EMBEDDER": "none", "STRUCTMEM_EXTRACTION_MODE": "off"}
    lines = [{"session": f"s{n % 7}", "speaker": "Ana", "text": f"Number {n}, " + "and more " * 20} for n in range(8000)]
    (tmp_path / "long.jsonl").write_text("".join(json.dumps(line) + "\n" for line in lines))
    told("ingest", tmp_path / "long.jsonl", "-n", "long")

    def broken_off(number: signal.Signals) -> None:
        # Asked beforehand, so that the server has the query's plan: making it may take as long as the copy.
        begun = "MATCH (n:Namespace {name: 'long'}) WHERE n.state = 'CREATING' RETURN n.uid"
        neo4j.run(begun)
        process = told.start("copy", "-n", "long", "--to", "neo4j")
        while process.poll() is None and not neo4j.run(begun):
            time.sleep(0.01)
        process.send_signal(number)
        process.wait(60)

    # Whoever is told to end leaves nothing that another one would wait for.
    broken_off(signal.SIGINT)
    assert neo4j.run("MATCH (n:Namespace {name: 'long'}) WHERE n.building_until > 0 RETURN n.state") == []
    broken_off(signal.SIGKILL)
    [state] = neo4j.run("MATCH (n:Namespace {name: 'long'}) RETURN n.state AS state")
    assert state == {"state": "CREATING"}
    assert told("copy", "-n", "long", "--to", "neo4j", "--verify-only").code == 1
    # After ten minutes without a sign of life the store lets go of it.
    neo4j.run("MATCH (n:Namespace {name: 'long'}) SET n.building_until = 0")
    assert outcomes(told, "-n", "long", "--to", "neo4j") == {"long": "copied"}
    assert neo4j.run("MATCH (m:Message {namespace: 'long'}) RETURN count(m) AS messages") == [{"messages": 8000}]
