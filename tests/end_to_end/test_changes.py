"""A change of mind, from the command line: the newest state, the old one as of its time, and what replaced it."""

from pathlib import Path
from typing import Any

import pytest

from tests.end_to_end.conftest import Shell

WHEN = "When is the cutover?"
TALK = """\
{"session": "s1", "speaker": "Ines", "text": "The cutover is on 12 March.", "sent_at": "2025-02-03T10:00:00Z"}
{"session": "s2", "speaker": "Ines", "text": "The cutover was moved to 24 March.", "sent_at": "2025-02-20T10:00:00Z"}
"""

HOMES = """\
{"session": "s3", "speaker": "Ines", "text": "I live in Ghent.", "sent_at": "2025-01-03T10:00:00Z"}
{"session": "s4", "speaker": "Ines", "text": "I moved to Bruges.", "sent_at": "2025-03-05T10:00:00Z"}
"""


@pytest.fixture
def ines(shell: Any, tmp_path: Path) -> Any:
    """A shell in whose memory a date was moved."""
    talk = tmp_path / "talk.jsonl"
    talk.write_text(TALK)
    done = shell("ingest", talk, "-n", "ines")
    assert done.code == 0, done.err
    return shell


def texts(ines: Any, *more: str) -> list[str]:
    hits = ines("search", WHEN, "-n", "ines", *more, "--json").document["hits"]
    return [hit["memory"]["text"] for hit in hits]


def test_the_newest_state_comes_first_and_the_old_one_as_of_its_time(ines: Any) -> None:
    assert "24 March" in texts(ines)[0]
    then = texts(ines, "--as-of", "2025-02-05")
    assert "12 March" in then[0]
    assert not any("24 March" in text for text in then)
    context = ines("context", WHEN, "-n", "ines", "--as-of", "2025-02-05")
    assert "12 March" in context.out
    assert "24 March" not in context.out


def test_what_replaced_what_is_shown_taken_back_and_put_back(ines: Any) -> None:
    facts = ines("facts", "-n", "ines", "--json").document["facts"]
    [older] = [fact["id"] for fact in facts if "12 March" in fact["text"]]
    [edge] = [edge for edge in ines("show", older, "-n", "ines", "--json").document["edges"] if edge["kind"] == "supersedes"]
    pair = edge["source_id"], edge["target_id"]
    assert pair[1] == older
    assert ines("revert", *pair, "-n", "ines").out.startswith(f"Taken back: {pair[0]} supersedes {pair[1]}")
    assert "taken back" in ines("show", pair[1], "-n", "ines").out
    assert any("12 March" in text for text in texts(ines))
    assert ines("revert", *pair, "-n", "ines", "--restore").out.startswith(f"Holds: {pair[0]} supersedes {pair[1]}")
    assert "24 March" in texts(ines)[0]
    missing = ines("revert", *reversed(pair), "-n", "ines")
    assert missing.code != 0
    assert "nothing in the namespace says" in missing.err


def test_an_edited_message_is_taken_in_as_a_new_version(shell: Any) -> None:
    first = '{"id": "m1", "session": "s", "speaker": "Ines", "text": "I live in Ghent.", "sent_at": "2025-02-03T10:00:00Z"}\n'
    edit = first.replace("Ghent", "Bruges").replace("}", ', "edited_at": "2025-02-03T10:05:00Z"}')
    assert shell("ingest", "-", "-n", "ines", stdin=first).code == 0
    refused = shell("ingest", "-", "-n", "ines", stdin=first.replace("Ghent", "Bruges"))
    assert refused.code != 0
    for _ in range(2):
        done = shell("ingest", "-", "-n", "ines", stdin=first + edit)
        assert done.code == 0, done.err
    [message] = shell("messages", "-n", "ines", "--json").document["messages"]
    assert message["text"] == "I live in Bruges."
    shown = shell("show", message["id"], "-n", "ines", "--json").document["node"]
    assert [version["text"] for version in shown["earlier_versions"]] == ["I live in Ghent."]
    assert "said 2025-02-03 10:00" in shell("show", message["id"], "-n", "ines").out
    facts = [fact["text"] for fact in shell("facts", "-n", "ines", "--json").document["facts"]]
    assert facts
    assert not any("Ghent" in fact for fact in facts)
    exported = shell("export", "-n", "ines", "-o", "-")
    assert "Ghent" in exported.out
    assert shell("import", "-", "-n", "again", stdin=exported.out).code == 0
    assert shell("show", message["id"], "-n", "again", "--json").document["node"]["earlier_versions"] == shown["earlier_versions"]
    wrong = shell("ingest", "-", "-n", "ines", stdin=edit.replace('"id": "m1", ', ""))
    assert wrong.code != 0
    assert "edited_at" in wrong.err


def test_listings_show_what_held_and_had_been_said(ines: Any) -> None:
    def listed(command: str, name: str, field: str, *more: str) -> list[str]:
        return [one[field] for one in ines(command, "-n", "ines", *more, "--json").document[name]]

    then = ("--as-of", "2025-02-05")
    assert len(listed("facts", "facts", "text")) == 2
    assert ["12 March" in text for text in listed("facts", "facts", "text", *then)] == [True]
    assert ["24 March" in text for text in listed("facts", "facts", "text", "--as-of", "2026")] == [True]
    assert ["12 March" in text for text in listed("messages", "messages", "text", *then)] == [True]
    assert ["12 March" in title for title in listed("events", "events", "title", *then)] == [True]
    assert listed("facts", "facts", "text", "--as-of", "2020") == []
    assert "2025-02-20" in next(line for line in ines("facts", "-n", "ines").out.splitlines() if "12 March" in line)
    assert "is not a date" in ines("facts", "-n", "ines", "--as-of", "last spring").err


def test_summaries_and_the_profile_wait_until_all_that_they_rest_on_is_said(ines: Any) -> None:
    assert ines("consolidate", "-n", "ines").code == 0
    assert ines("profile", "-n", "ines", "--as-of", "2025-03", "--json").document["profile"]
    assert ines("profile", "-n", "ines", "--as-of", "2025-02-05", "--json").document["profile"] is None
    assert "nothing said later" in ines("profile", "-n", "ines", "--as-of", "2025-02-05").out
    assert len(ines("summaries", "-n", "ines", "--level", "window", "--as-of", "2025-02-05", "--json").document["summaries"]) == 1
    assert len(ines("summaries", "-n", "ines", "--level", "window", "--json").document["summaries"]) == 2


def test_a_timeline_shows_what_held_from_when_to_when(ines: Any) -> None:
    about = ("timeline", "-n", "ines", "--entity", "Ines")
    assert ines("ingest", "-", "-n", "ines", stdin=HOMES).code == 0
    [homes] = [group["rows"] for group in ines(*about, "--json").document["groups"] if any("Ghent" in row["text"] for row in group["rows"])]
    assert [(row["start"][:7], (row["end"] or "")[:7]) for row in homes] == [("2025-01", "2025-03"), ("2025-03", "")]
    drawn = ines(*about)
    assert drawn.code == 0
    ghent = next(line for line in drawn.out.splitlines() if "Ghent" in line)
    assert "until 2025-03-05 (another residence)" in ghent
    assert "┤" in ghent
    bruges = next(line for line in drawn.out.splitlines() if "Bruges" in line)
    assert "→" in bruges
    then = ines(*about, "--as-of", "2025-02-01")
    assert "→" in next(line for line in then.out.splitlines() if "Ghent" in line)
    assert "Bruges" not in then.out
    plain = Shell(ines.directory, ines.environment | {"PYTHONIOENCODING": "ascii"}).process(*about)
    assert plain.code == 0, plain.err
    assert plain.out.isascii()
    assert "until 2025-03-05" in plain.out
    assert "Nothing that is known" in ines(*about, "--as-of", "2001").out
    assert 'no entity is called "Nobody"' in ines("timeline", "-n", "ines", "--entity", "Nobody").err


def test_a_fact_and_its_relation_are_replaced_and_stand_again_together(shell: Any) -> None:
    assert shell("ingest", "-", "-n", "ines", stdin=HOMES).code == 0

    def facts(*more: str) -> list[dict[str, Any]]:
        return [fact for fact in shell("facts", "-n", "ines", *more, "--json").document["facts"] if "Ghent" in fact["text"]]

    assert [fact["kind"] for fact in facts()] == ["fact", "relation"]
    assert facts("--as-of", "2026") == []
    [newer] = {fact["superseded_by"]["node_id"] for fact in facts()}
    assert len(shell("revert", newer, facts()[0]["id"], "-n", "ines").out.splitlines()) == 2
    assert [fact["superseded_by"] for fact in facts("--as-of", "2026")] == [None, None]
    assert shell("revert", newer, facts()[1]["id"], "-n", "ines", "--restore").code == 0
    assert facts("--as-of", "2026") == []
