"""Deleting from the command line: what would go, what went and why, and that nothing of it is left anywhere."""

import json
import time
from pathlib import Path
from typing import Any

import pytest

CANARY = "zqxcanary7731"
TALK = [
    ("s1", "Ines", "Good morning! We plan the trip to the mountains for May."),
    ("s1", "Ines", f"My brother {CANARY.title()} lives in Porto and works for {CANARY} Ltd."),
    ("s1", "Tom", "He moved to Lisbon last week, I heard."),
    ("s1", "Ines", "Right, he did. I'm going to visit him in June."),
    ("s2", "Tom", "I bought a red bicycle yesterday."),
    ("s2", "Ines", f"Nice! {CANARY.title()} wants one as well; his number is {CANARY}."),
    ("s2", "Tom", "Tell him that the shop in Braga has more of them."),
]


def ingest(shell: Any, talk: list[tuple[str, str, str]], **more: Any) -> None:
    said = [
        {"session": session, "speaker": speaker, "text": text, "sent_at": f"2025-02-03T10:{minute:02}:00Z", **more}
        for minute, (session, speaker, text) in enumerate(talk)
    ]
    done = shell("ingest", "-", "-n", "ines", stdin="".join(json.dumps(one) + "\n" for one in said))
    assert done.code == 0, done.err


def places_of(canary: str, directory: Path) -> list[str]:
    """The files below a directory that hold it, in any case."""
    held = canary.encode()
    return [str(path.relative_to(directory)) for path in directory.rglob("*") if path.is_file() and held in path.read_bytes().lower()]


def test_messages_are_deleted_by_speaker_with_a_dry_run_and_a_receipt_that_can_be_checked(shell: Any, tmp_path: Path) -> None:
    ingest(shell, TALK)
    dry = shell("delete", "--speaker", "Tom", "-n", "ines", "--dry-run")
    assert dry.out.startswith("Would delete: 3 messages")
    assert len(shell("messages", "-n", "ines", "--json").document["messages"]) == 7
    refused = shell("delete", "-n", "ines", "--yes")
    assert refused.code == 2
    receipt = shell("delete", "--speaker", "Tom", "-n", "ines", "--yes", "--json")
    assert receipt.document["counts"]["message"] == 3
    speakers = {one["speaker"] for one in shell("messages", "-n", "ines", "--json").document["messages"]}
    assert speakers == {"Ines"}

    [listed] = shell("deletions", "-n", "ines", "--json").document["deletions"]
    assert listed["id"] == receipt.document["id"]
    items = shell("deletions", "show", listed["id"], "-n", "ines", "--json").document["items"]
    assert sum(item["cause"] == "selected" for item in items) == 3
    assert len(items) == sum(receipt.document["counts"].values())
    file = tmp_path / "receipt.json"
    file.write_text(receipt.out)
    checked = shell("deletions", "check", file, "-n", "ines")
    assert checked.code == 0, checked.err
    assert checked.out == f"The receipt is genuine, and all that it lists is gone: {len(items)} nodes.\n"
    for change in ({"revision": 1}, {"signature": "00"}, {"counts": {"message": 2}}, {"items_digest": "ff"}):
        file.write_text(json.dumps(receipt.document | change))
        tampered = shell("deletions", "check", file, "-n", "ines")
        assert tampered.code == 1
        assert "changed" in tampered.err
    file.write_text("{}")
    assert shell("deletions", "check", file, "-n", "ines").code == 2


def settle(shell: Any) -> None:
    """Waits until every job has ended."""
    deadline = time.monotonic() + 60
    while any(job["state"] in ("queued", "running") for job in shell("jobs", "-n", "ines", "--json").document["jobs"]):
        assert time.monotonic() < deadline
        time.sleep(0.05)


def ids_of_messages(shell: Any) -> list[str]:
    """Of those that hold the canary."""
    return [m["id"] for m in shell("messages", "-n", "ines", "--json").document["messages"] if CANARY in json.dumps(m).lower()]


WAYS = {
    "id": lambda shell: [("delete", id_, "--yes") for id_ in ids_of_messages(shell)],
    "session": lambda _: [("delete", "--session", session, "--yes") for session in ("s1", "s2", CANARY)],
    "speaker": lambda _: [("delete", "--speaker", "Ines", "--speaker", CANARY, "--yes")],
    "time": lambda _: [("delete", "--to", "2025-02-03", "--yes")],
    "label": lambda shell: [("delete", "--label", f"origin={CANARY}", "--yes"), ("delete", *ids_of_messages(shell), "--yes")],
}


@pytest.mark.parametrize("way", WAYS)
def test_nothing_of_what_was_deleted_is_left_in_any_file(shell: Any, serving: Any, tmp_path: Path, way: str) -> None:
    data = tmp_path / "data"
    shell.environment["STRUCTMEM_CONSOLIDATION_IDLE_S"] = "0"
    with serving(shell):
        ingest(shell, TALK)
        personal = {"labels": {"origin": CANARY}, "image_caption": f"A photo of {CANARY}"}
        ingest(shell, [(CANARY, CANARY, f"I am {CANARY.title()}."), (CANARY, CANARY, "I moved to Coimbra.")], **personal)
        shell("search", CANARY, "-n", "ines")
        settle(shell)
        assert places_of(CANARY, data)
        deletions = WAYS[way](shell)
        for deletion in deletions:
            done = shell(*deletion, "-n", "ines")
            assert done.code == 0, done.err
        if way in ("id", "label"):
            # The session is of that name, and is there until it is deleted.
            shell("delete", "--session", CANARY, "-n", "ines", "--yes")
        if way in ("speaker", "time"):
            shell("delete", "--session", CANARY, "-n", "ines", "--yes")
        settle(shell)
        assert shell("search", CANARY, "-n", "ines", "--json").document["hits"] == [] or way not in ("time", "session")
        assert CANARY not in shell("export", "-", "-n", "ines").out.lower()
        settle(shell)
        for name in ("entities", "events", "facts", "summaries", "deletions", "jobs"):
            assert CANARY not in shell(name, "-n", "ines", "--json").out.lower(), name
        assert places_of(CANARY, data) == []
    assert places_of(CANARY, data) == []
    assert CANARY not in (tmp_path / "server.log").read_text().lower()


def test_retention_is_set_shown_kept_through_an_export_and_taken_back(shell: Any, tmp_path: Path) -> None:
    made = shell("namespaces", "create", "ines", "--keep", "365d", "--keep", "7d:session=scratch", "--keep", "12h:label=topic=work")
    assert made.code == 0, made.err
    assert "365d; 7d:session=scratch; 12h:label=topic=work" in shell("namespaces", "describe", "ines").out
    file = tmp_path / "ines.jsonl"
    shell("export", "-n", "ines", "-o", file)
    assert shell("import", file, "-n", "copy").code == 0
    assert "7d:session=scratch" in shell("namespaces", "describe", "copy").out
    assert shell("namespaces", "update", "ines", "--keep", "forever").code == 0
    assert "365d" not in shell("namespaces", "describe", "ines").out
    for wrong in ("365", "7d:scratch", "3x", "10s"):
        refused = shell("namespaces", "update", "ines", "--keep", wrong)
        assert refused.code != 0
        assert refused.err
