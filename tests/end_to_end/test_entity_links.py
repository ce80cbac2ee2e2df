"""Saying on the command line which entities are the same: decided, shown, kept through an export, taken back."""

import json
from pathlib import Path
from typing import Any

import pytest

SAID = [
    {"session": "s", "speaker": "Tom", "text": "My sister Ana Silva lives in Porto.", "sent_at": "2024-03-05T10:00:00"},
    {"session": "s", "speaker": "Tom", "text": "Yesterday I had lunch with Ana in Braga.", "sent_at": "2024-03-05T10:01:00"},
]
TWO = ("Ana", "Ana Silva", "-n", "alice")


@pytest.fixture
def alice(shell: Any) -> None:
    said = "".join(json.dumps(one) + "\n" for one in SAID)
    assert shell("ingest", "-", "-n", "alice", "--timezone", "Europe/Lisbon", stdin=said).code == 0


def links(shell: Any, namespace: str = "alice") -> list[str]:
    """The kinds of the links of Ana, as `show` tells them."""
    [ana] = [one for one in shell("entities", "-n", namespace, "--json").document["entities"] if one["name"] == "Ana"]
    edges = shell("show", ana["id"], "-n", namespace, "--json").document["edges"]
    return sorted(edge["kind"] for edge in edges if edge["kind"] in {"same_as", "different_from"})


@pytest.mark.usefixtures("alice")
def test_two_names_are_told_apart_and_linked_again(shell: Any) -> None:
    assert links(shell) == ["same_as"]
    apart = shell("entities", "unlink", *TWO)
    assert apart.out.splitlines()[0].startswith("Ana different from Ana Silva (decided 20")
    assert apart.out.splitlines()[0].endswith(" by local)")
    assert "Ana different from Ana Silva (proposed: first name, confidence 0.8; set aside)" in apart.out
    assert links(shell) == ["different_from", "different_from"]
    assert shell("entities", "undecide", *TWO).out == "Ana same as Ana Silva (proposed: first name, confidence 0.8)\n"
    edges = shell("entities", "link", *TWO, "--json").document["edges"]
    assert [(edge["kind"], edge["confidence"], bool(edge["decision"])) for edge in edges] == [
        ("same_as", 1.0, True),
        ("same_as", 0.8, False),
    ]
    assert [edge["reason"] for edge in edges] == ["decision", "first name"]


@pytest.mark.usefixtures("alice")
def test_a_decision_survives_another_extraction_and_an_export(shell: Any, tmp_path: Path) -> None:
    shell("entities", "unlink", *TWO)
    assert shell("namespaces", "update", "alice", "--extraction-mode", "flat").code == 0
    assert shell("namespaces", "update", "alice", "--extraction-mode", "event").code == 0
    for job in shell("jobs", "-n", "alice", "--json").document["jobs"]:
        shell("jobs", "watch", job["id"], "-n", "alice", "--flush")
    assert links(shell) == ["different_from", "different_from"]
    assert shell("export", "-n", "alice", "-o", tmp_path / "alice.jsonl").code == 0
    assert shell("import", tmp_path / "alice.jsonl", "-n", "copy").code == 0
    assert links(shell, "copy") == ["different_from", "different_from"]


@pytest.mark.usefixtures("alice")
@pytest.mark.parametrize(
    ("pair", "reason"),
    [
        (("Ana", "Zoe"), 'no entity is called "Zoe"'),
        (("Ana", "ana"), "Ana and ana are one entity already"),
        (("Ana", "ent_01m83qx1c2ekaa7r088k6cq8m9"), "there is no entity with this id in the namespace"),
        (("Ana", "ent_x"), 'other_id: "ent_x" is not the id of a node'),
    ],
)
def test_what_cannot_be_linked_is_named(shell: Any, pair: tuple[str, str], reason: str) -> None:
    refused = shell("entities", "link", *pair, "-n", "alice")
    assert (refused.code, refused.out) == (1, "")
    assert reason in refused.err
