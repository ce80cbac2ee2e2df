"""A running server and the command line beside it."""

import gzip
import json
import time
from pathlib import Path
from typing import Any

from structmem import Client, NodeKind, StructMemError

LISBON = ("--timezone", "Europe/Lisbon")


def test_a_memory_from_ingest_to_deletion(beside_a_server: Any, chat: Path) -> None:
    shell, _ = beside_a_server
    # The server is found by the data directory; nobody names it.
    stored = shell("ingest", chat, "-n", "alice", *LISBON, "--json").document
    assert (stored["stored_count"], stored["duplicate_count"], stored["session_count"], stored["skipped"]) == (6, 0, 2, [])
    assert {job["state"] for job in stored["jobs"]} == {"succeeded"}
    again = shell("ingest", chat, "-n", "alice", *LISBON, "--json").document
    assert (again["stored_count"], again["duplicate_count"]) == (0, 6)

    search = shell("search", "where does Ines live?", "-n", "alice", "-k", "3", "--explain", "--json").document
    assert [hit["rank"] for hit in search["hits"]] == [1, 2, 3]
    assert any("Porto" in hit["memory"]["text"] for hit in search["hits"])
    for hit in search["hits"]:
        assert abs(sum(part["points"] for part in hit["explanation"]["contributions"]) - hit["score"]) < 1e-6
        assert hit["explanation"]["evidence_ids"]
    only = shell("search", "Lisbon", "-n", "alice", "--session", "june", "--kind", "message", "--speaker", "Maria", "--json").document
    assert [hit["memory"]["session"] for hit in only["hits"]] == ["june"]

    context = shell("context", "Maria's plans", "-n", "alice", "--tokens", "60", "--json").document
    assert 0 < context["token_count"] <= 60
    assert context["entries"]

    march = shell("events", "-n", "alice", "--from", "2024-03", "--to", "2024-03", *LISBON, "--json").document["events"]
    june = shell("events", "-n", "alice", "--from", "2024-06", *LISBON, "--json").document["events"]
    assert march
    assert june
    assert not {event["id"] for event in march} & {event["id"] for event in june}
    moved = next(event for event in march if "moved" in event["title"])
    assert moved["time"]["start"].startswith("2024-03-01")

    shown = shell("show", moved["id"], "-n", "alice", "--json").document
    assert shown["node"]["kind"] == "event"
    evidence = [node for node in shown["neighbors"] if node["kind"] == "message"]
    assert [node["text"] for node in evidence] == ["I moved to Lisbon last Friday."]
    assert {"evidenced_by", "states"} <= {edge["kind"] for edge in shown["edges"]}

    facts = shell("facts", "-n", "alice", "--json").document["facts"]
    assert all(fact["evidence_ids"] and fact["event_id"] for fact in facts)
    entities = shell("entities", "-n", "alice", "--json").document["entities"]
    ines = next(entity for entity in entities if entity["name"] == "Ines")
    walk = shell("traverse", ines["id"], "-n", "alice", "--hops", "3", "--json").document
    assert walk["events"]
    sessions = shell("sessions", "-n", "alice", "--json").document["sessions"]
    assert [(session["name"], session["message_count"], session["extracted_seq"]) for session in sessions] == [
        ("march", 4, 4),
        ("june", 2, 2),
    ]
    jobs = [job for job in shell("jobs", "--kind", "extraction", "--json").document["jobs"] if job["namespace"] == "alice"]
    assert [job["state"] for job in jobs] == ["succeeded", "succeeded"]
    usage = shell("usage", "-n", "alice", "--json").document["usage"]
    assert {entry["step"] for entry in usage} >= {"embed"}

    receipt = shell("delete", "--session", "june", "-n", "alice", "--yes", "--json").document
    assert receipt["counts"]["message"] == 2
    left = shell("messages", "-n", "alice", "--json").document["messages"]
    assert {message["session"] for message in left} == {"march"}


TOKENS = """
[[token]]
name = "ingester"
token = "ingester-token-0123456789"
[[token.grant]]
namespaces = ["**"]
rights = ["write"]
"""


def test_who_may_only_write_can_ingest(shell: Any, serving: Any, chat: Path, tmp_path: Path) -> None:
    (tmp_path / "tokens.toml").write_text(TOKENS)
    (tmp_path / "tokens.toml").chmod(0o600)
    shell.environment["STRUCTMEM_TOKEN_FILE"] = str(tmp_path / "tokens.toml")
    with serving(shell):
        nobody = shell("ingest", chat, "-n", "alice", *LISBON)
        assert nobody.code == 1
        assert "--token or STRUCTMEM_TOKEN gives it" in nobody.err
        shell.environment["STRUCTMEM_TOKEN"] = "ingester-token-0123456789"
        done = shell("ingest", chat, "-n", "alice", *LISBON)
        assert (done.code, done.out) == (0, "Stored 6 messages in 2 sessions of alice.\n")
        assert "may not follow the extraction" in done.err
        assert shell("search", "Maria", "-n", "alice").err == "structmem: this principal may not read that namespace\n"


def test_an_export_is_the_same_memory_elsewhere(beside_a_server: Any, chat: Path, tmp_path: Path) -> None:
    shell, _ = beside_a_server
    file = tmp_path / "carla.jsonl.gz"
    shell("ingest", chat, "-n", "carla", *LISBON)
    assert shell("export", "-n", "carla", "-o", file).code == 0
    piped = shell("export", "-n", "carla", "-o", "-").out
    assert shell("import", "-", "-n", "piped", stdin=piped).code == 0
    elsewhere = ("--data-dir", tmp_path / "elsewhere")
    assert shell("import", file, "-n", "bob", *elsewhere, "--json").document["namespace"] == "bob"
    for listing in ("messages", "events", "facts", "entities"):
        here, there = shell(listing, "-n", "carla", "--json").document, shell(listing, "-n", "bob", *elsewhere, "--json").document
        assert here == there, listing
        assert here[listing]
    taken = shell("import", file, "-n", "bob", *elsewhere)
    assert taken.code == 1
    assert "bob" in taken.err
    cut = gzip.decompress(file.read_bytes()).splitlines(keepends=True)[:-2]
    (tmp_path / "cut.jsonl").write_bytes(b"".join(cut))
    broken = shell("import", tmp_path / "cut.jsonl", "-n", "carol", *elsewhere)
    assert broken.code == 1
    assert broken.err.startswith("structmem: ")
    assert [namespace["name"] for namespace in shell("namespaces", "--json", *elsewhere).document["namespaces"]] == ["bob"]


def test_a_second_server_on_the_directory_says_who_has_it(beside_a_server: Any) -> None:
    shell, server = beside_a_server
    second = shell.process("serve", "--listen", "127.0.0.1:0")
    assert second.code == 1
    assert "the data directory is in use" in second.err
    assert str(server.process.pid) in second.err
    checked = shell("doctor")
    assert checked.code == 1
    assert "the data directory is in use" in checked.err
    assert shell("info", "--json").document["store"] == "embedded"


def _stored(client: Client) -> int:
    try:
        return client.graph_stats("alice").nodes.get(NodeKind.MESSAGE, 0)
    except StructMemError:
        return 0


def test_killed_while_messages_come_in(shell: Any, serving: Any, tmp_path: Path) -> None:
    count = 300
    file = tmp_path / "long.jsonl"
    entries = (
        {
            "session": f"s{n % 20}",
            "speaker": "Tom",
            "text": f"On day {n} I counted {n} swans.",
            "sent_at": f"2024-05-01T10:00:{n % 60:02d}Z",
        }
        for n in range(count)
    )
    file.write_text("".join(json.dumps(entry) + "\n" for entry in sorted(entries, key=lambda entry: entry["session"])))
    with serving(shell) as server:
        ingest = shell.start("ingest", file, "-n", "alice", "--target", server.address)
        with Client(server.address, retries=0) as client:
            while ingest.poll() is None and _stored(client) < 60:
                time.sleep(0.005)
        server.kill()
        ingest.wait(60)
    with serving(shell) as server:
        repeat = shell("ingest", file, "-n", "alice", "--json").document
        assert repeat["stored_count"] + repeat["duplicate_count"] == count
        assert repeat["duplicate_count"] >= 60, "what was acknowledged before the kill is there"
        texts = [message["text"] for message in shell("messages", "-n", "alice", "--limit", str(2 * count), "--json").document["messages"]]
        assert len(texts) == count, "nothing is lost, nothing is doubled"
        assert len(set(texts)) == count
        sessions = shell("sessions", "-n", "alice", "--json").document["sessions"]
        assert all(session["extracted_seq"] == session["message_count"] for session in sessions)
        facts = shell("facts", "-n", "alice", "--limit", "5000", "--json").document["facts"]
        assert len({fact["text"] for fact in facts}) == len(facts)
        assert server.stop() == 0
    assert shell("doctor", "--json").document["findings"] == []
