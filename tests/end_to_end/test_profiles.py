"""A namespace's extraction profile on the command line."""

from pathlib import Path
from typing import Any

import pytest

PROFILE = """
instructions = "Family matters."

[[entity_types]]
name = "relative"
kind = "person"

[[relation_types]]
name = "sister_of"
description = "whose sister someone is"
"""


def test_a_profile_is_read_from_a_file_and_changed_by_another(shell: Any, tmp_path: Path) -> None:
    (tmp_path / "family.toml").write_text(PROFILE)
    made = shell("namespaces", "create", "alice", "--profile", "family.toml")
    assert "profile  version 1; entities: relative; relations: sister_of; with instructions" in made.out
    (tmp_path / "work.json").write_text('{"relation_types": [{"name": "works_for"}]}')
    changed = shell("namespaces", "update", "alice", "--profile", "work.json", "--json").document
    assert changed["profile"]["version"] == 2
    assert changed["profile"]["relation_types"] == [{"name": "works_for", "description": ""}]
    assert shell("namespaces", "update", "alice", "--description", "Alice", "--json").document["profile"]["version"] == 2


def test_the_rules_find_only_the_relations_of_the_profile(shell: Any, tmp_path: Path, chat: Path) -> None:
    (tmp_path / "family.toml").write_text(PROFILE)
    shell("namespaces", "create", "alice", "--profile", "family.toml")
    shell("namespaces", "create", "bob")
    predicates = {}
    for name in ("alice", "bob"):
        shell("ingest", chat, "-n", name, "--timezone", "Europe/Lisbon")
        found = shell("facts", "-n", name, "--json").document["facts"]
        predicates[name] = {one["predicate"] for one in found if one["kind"] == "relation"}
    assert predicates["alice"] == {"sister_of"}
    assert predicates["bob"] > {"sister_of"}


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("x = 1", "x is none of entity_types, relation_types and instructions"),
        ("[[entity_types]]\nkind = 'person'", "entity_types[0] must have a name"),
        ("[[entity_types]]\nname = 'a'\nkind = 'god'", '"god" is not one of'),
        ("[[relation_types]]\nname = 'A B'", "profile.relation_types[0].name"),
        ("instructions = 7", "instructions must be a text"),
        ("relation_types = 7", "relation_types must be a list"),
        ("[[", "profile.toml"),
    ],
)
def test_a_wrong_file_is_refused_with_its_place(shell: Any, tmp_path: Path, text: str, problem: str) -> None:
    (tmp_path / "profile.toml").write_text(text)
    done = shell("namespaces", "create", "alice", "--profile", "profile.toml")
    assert done.code == 1
    assert problem in done.err
