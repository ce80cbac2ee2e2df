"""Summaries on the command line: written, listed in time, shown as a tree down to the messages, found beside memories."""

from pathlib import Path
from typing import Any

import pytest

LISBON = ("--timezone", "Europe/Lisbon")


@pytest.fixture
def paula(shell: Any, chat: Path) -> Any:
    """The chat in a namespace, consolidated."""
    shell.environment["STRUCTMEM_CONSOLIDATION_IDLE_S"] = "600"
    assert shell("ingest", chat, "-n", "paula", *LISBON).code == 0
    done = shell("consolidate", "-n", "paula")
    assert done.code == 0, done.err
    assert " succeeded" in done.out
    return shell


def test_they_are_listed_in_time(paula: Any) -> None:
    listed = paula("summaries", "-n", "paula", "--json").document["summaries"]
    assert {one["kind"] for one in listed} == {"summary"}
    assert {one["level"] for one in listed} >= {"window", "profile"}
    assert [one["said_from"] for one in listed] == sorted(one["said_from"] for one in listed)
    windows = paula("summaries", "-n", "paula", "--level", "window", "--json").document["summaries"]
    assert [one["sessions"] for one in windows] == [["march"], ["june"]]
    june = paula("summaries", "-n", "paula", "--level", "window", "--session", "june", "--json").document["summaries"]
    assert [one["id"] for one in june] == [windows[1]["id"]]
    assert paula("summaries", "-n", "paula", "--from", "2030", "--json").document == {"summaries": []}
    assert paula("summaries", "-n", "paula", "--stale").out == "There are no such summaries.\n"
    told = paula("summaries", "-n", "paula", "--level", "window", "--full")
    dates = [line.split()[0] for line in told.out.splitlines() if line.startswith("2024-")]
    assert dates == sorted(dates)
    assert len(dates) == 2
    assert all(sentence["text"] in told.out for one in windows for sentence in one["sentences"])
    assert f"window · {windows[0]['id']} · of {len(windows[0]['member_ids'])} events · session march" in told.out
    assert "Europe/Lisbon" in told.err
    limited = paula("summaries", "-n", "paula", "--limit", "1")
    assert limited.err.startswith("There is more than --limit 1 shows.")


def test_one_is_shown_as_a_tree_down_to_what_was_said(paula: Any) -> None:
    [window, *_] = paula("summaries", "-n", "paula", "--level", "window", "--json").document["summaries"]
    tree = paula("summary", window["id"], "-n", "paula")
    assert tree.code == 0
    for number, sentence in enumerate(window["sentences"], start=1):
        assert f"{number}. {sentence['text']}" in tree.out
        assert all(f"event {source}" in tree.out for source in sentence["source_ids"])
    assert "Maria: “I moved to Lisbon last Friday.”  msg_" in tree.out
    [line] = [line for line in tree.out.splitlines() if "“I moved to Lisbon last Friday.”" in line]
    assert "2024-03-" in line
    # Every event is there, whether a sentence tells of it or not.
    assert all(member in tree.out for member in window["member_ids"])
    events = paula("summary", window["id"], "-n", "paula", "--depth", "1")
    assert "evt_" in events.out
    assert "msg_" not in events.out
    document = paula("summary", window["id"], "-n", "paula", "--json").document
    assert (document["summary"]["id"], document["truncated"]) == (window["id"], False)
    assert {node["kind"] for node in document["below"]} >= {"event", "fact", "message"}


def test_the_profile_leads_down(paula: Any) -> None:
    profile = paula("profile", "-n", "paula", "--json").document["profile"]
    assert profile["level"] == "profile"
    told = paula("profile", "-n", "paula")
    assert all(f"  - {sentence['text']}" in told.out for sentence in profile["sentences"])
    assert f"structmem summary {profile['id']} -n paula" in told.err
    tree = paula("summary", profile["id"], "-n", "paula").out
    assert "from thread sum_" in tree
    assert "from window sum_" in tree
    assert tree.count("Maria: “I moved to Lisbon last Friday.”") >= 1


def test_other_commands_know_them(paula: Any) -> None:
    [window, *_] = paula("summaries", "-n", "paula", "--level", "window", "--json").document["summaries"]
    shown = paula("show", window["id"], "-n", "paula")
    assert "kind  summary (window)" in shown.out
    assert "summarizes →" in shown.out
    event = paula("show", window["member_ids"][0], "-n", "paula")
    assert "← summarizes" in event.out
    jobs = paula("jobs", "-n", "paula", "--kind", "consolidation", "--json").document["jobs"]
    assert {job["kind"] for job in jobs} == {"consolidation"}
    assert "consolidation" in paula("jobs", "-n", "paula").out
    assert {job["kind"] for job in paula("jobs", "--json").document["jobs"]} == {"extraction", "consolidation"}
    assert paula("jobs", "--kind", "cooking", "-n", "paula").code == 1


def test_they_are_found_beside_memories_and_begin_a_context(paula: Any) -> None:
    found = paula("search", "Where does Maria live in Lisbon?", "-n", "paula", "--summaries", "2", "--json").document
    assert found["hits"]
    assert [hit["rank"] for hit in found["summaries"]] == list(range(1, len(found["summaries"]) + 1))
    assert 1 <= len(found["summaries"]) <= 2
    assert all(0 <= hit["score"] <= 1 and hit["summary"]["id"].startswith("sum_") for hit in found["summaries"])
    assert found["summaries"][0]["summary"]["id"] in paula("search", "Where does Maria live?", "-n", "paula", "--summaries", "9").out
    for hit in paula("search", "Lisbon", "-n", "paula", "--summaries", "2", "--explain", "--json").document["summaries"]:
        assert sum(part["points"] for part in hit["contributions"]) == pytest.approx(hit["score"])
    assert "summaries" not in paula("search", "Lisbon", "-n", "paula", "--json").document
    profile = paula("profile", "-n", "paula", "--json").document["profile"]
    context = paula("context", "Lisbon", "-n", "paula", "--profile", "--json").document
    beginning = context["text"].encode()[: context["stable_bytes"]].decode()
    assert profile["sentences"][0]["text"] in beginning
    told = paula("context", "Lisbon", "-n", "paula", "--profile", "--summaries", "1")
    assert beginning.strip() in told.out
    assert "summar" in told.err
    assert paula("context", "Lisbon", "-n", "paula", "--json").document["stable_bytes"] == 0


def test_what_a_deletion_left_is_written_anew(paula: Any) -> None:
    assert paula("delete", "--session", "june", "-n", "paula", "--yes").code == 0
    done = paula("consolidate", "-n", "paula", "--json").document
    assert (done["kind"], done["state"]) == ("consolidation", "succeeded")
    windows = paula("summaries", "-n", "paula", "--level", "window", "--json").document["summaries"]
    assert [one["sessions"] for one in windows] == [["march"]]
    before = windows[0]["consolidated_at"]
    assert paula("consolidate", "-n", "paula", "--anew").code == 0
    [again] = paula("summaries", "-n", "paula", "--level", "window", "--json").document["summaries"]
    assert (again["id"], again["consolidated_at"] > before) == (windows[0]["id"], True)


def test_what_cannot_be_done_is_told_in_a_sentence(shell: Any, chat: Path) -> None:
    shell.environment["STRUCTMEM_CONSOLIDATOR"] = "none"
    assert shell("ingest", chat, "-n", "paula", *LISBON).code == 0
    refused = shell("consolidate", "-n", "paula")
    assert refused.code == 1
    assert "`consolidator` is none" in refused.err
    assert shell("profile", "-n", "paula").out.startswith("There is no profile yet")
    assert shell("profile", "-n", "paula", "--json").document == {"namespace": "paula", "profile": None}
    unknown = shell("summary", "sum_01h455vb4pex5vsknk084sn02q", "-n", "paula")
    assert (unknown.code, "there is no such summary" in unknown.err) == (1, True)
    assert "summary_id" in shell("summary", "evt_01h455vb4pex5vsknk084sn02q", "-n", "paula").err
    assert shell("summary", "sum_01h455vb4pex5vsknk084sn02q", "-n", "paula", "--depth", "6").code == 2
    assert shell("summaries", "-n", "paula", "--level", "day").code == 2
    assert shell("summaries", "-n", "nobody").code == 1


def test_it_need_not_be_waited_for(beside_a_server: Any, chat: Path) -> None:
    shell, _ = beside_a_server
    assert shell("ingest", chat, "-n", "paula", *LISBON).code == 0
    job = shell("consolidate", "-n", "paula", "--no-wait", "--json").document
    assert job["state"] in {"queued", "running", "succeeded"}
    assert shell("jobs", "watch", job["id"], "-n", "paula").code == 0
    assert shell("profile", "-n", "paula", "--json").document["profile"]


def test_a_copy_has_them_too(paula: Any) -> None:
    copied = paula("copy", "-n", "paula", "--to", "./backup", "--json")
    assert copied.code == 0, copied.err
    listed = [paula("summaries", "-n", "paula", "--data-dir", place, "--json").document for place in ("./backup", "./data")]
    assert listed[0] == listed[1]
    assert len(listed[0]["summaries"]) > 2
    assert paula("copy", "-n", "paula", "--to", "./backup", "--verify-only").code == 0


def test_a_context_has_as_many_memories_as_are_asked_for_and_none_of_later(paula: Any) -> None:
    asked = ("context", "Where does Maria live?", "-n", "paula")
    assert len(paula(*asked, "-k", "1", "--json").document["entries"]) == 1
    assert paula(*asked, "--as-asked", "--asked-at", "2001", "--json").document["entries"] == []
    assert paula("search", *asked[1:], "--as-asked", "--asked-at", "2001", "--json").document["hits"] == []
    assert "(no profile: " in paula(*asked, "--profile", "--tokens", "16").err
