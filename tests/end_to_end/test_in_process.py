"""The command line with no server: the data directory is opened in process."""

import json
import re
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from structmem import Client

README = Path(__file__).parents[2] / "README.md"


def test_one_command_is_enough_to_try_it(shell: Any, chat: Path) -> None:
    done = shell.process("ingest", chat, "-n", "alice", "--timezone", "Europe/Lisbon")
    assert done.out == "Stored 6 messages in 2 sessions of alice.\n"
    found = shell("search", "when did Maria move?", "-n", "alice", "-k", "3", "--explain")
    assert "I moved to Lisbon last Friday." in found.out
    assert "why: " in found.out
    assert "msg_" in found.out
    assert "2024-03-01" in shell("events", "-n", "alice").out
    described = shell("namespaces", "describe", "alice")
    assert "namespace  alice" in described.out
    assert "vectors" in described.out


def test_tables_show_times_in_a_zone_that_they_name(shell: Any) -> None:
    said = {"session": "s", "speaker": "Tom", "text": "I met Clara yesterday evening.", "sent_at": "2024-07-05T00:30:00"}
    shell("ingest", "-", "-n", "alice", "--timezone", "Europe/Lisbon", stdin=json.dumps(said))
    for arguments in (("events",), ("facts",), ("messages",), ("sessions",)):
        assert "(Europe/Lisbon)" in shell(*arguments, "-n", "alice").out
    assert "2024-07-05 00:30" in shell("messages", "-n", "alice").out
    assert "2024-07-04 23:30" in shell("messages", "-n", "alice", "--timezone", "UTC").out
    assert "2024-07-04 18:00 to 00:00" in shell("events", "-n", "alice").out
    assert "2024-07-04 17:00 to 23:00" in shell("events", "-n", "alice", "--timezone", "UTC").out
    shown = shell("context", "Clara", "-n", "alice")
    assert "2024-07-05 Fri 00:30 Tom" in shown.out
    assert "times in Europe/Lisbon)" in shown.err
    assert "(times in Europe/Lisbon)" in shell("search", "Clara", "-n", "alice").err
    assert shell("messages", "-n", "alice", "--from", "2024-07-05", "--json").document["messages"]
    assert not shell("messages", "-n", "alice", "--from", "2024-07-05", "--timezone", "UTC", "--json").document["messages"]


@pytest.mark.parametrize("listing", ["events", "facts", "messages", "sessions", "entities", "jobs", "usage"])
def test_a_listing_that_fails_prints_no_part_of_a_document(shell: Any, listing: str) -> None:
    shell("namespaces", "create", "alice")
    done = shell(listing, "-n", "nobody", "--json")
    assert (done.code, done.out) == (1, "")
    assert "nobody" in done.err


def test_a_listing_that_ends_at_its_limit_says_so(shell: Any, chat: Path) -> None:
    shell("ingest", chat, "-n", "alice", "--timezone", "Europe/Lisbon")
    shell("ingest", chat, "-n", "bob", "--timezone", "Europe/Lisbon")
    for listing in ("events", "messages", "sessions", "jobs", "namespaces"):
        place = () if listing == "namespaces" else ("-n", "alice")
        short = shell(listing, *place, "--limit", "1", "--json")
        assert len(short.document[listing]) == 1
        assert short.err == "There is more than --limit 1 shows.\n"
    assert shell("sessions", "-n", "alice", "--limit", "2").err == ""
    jobs = shell("jobs", "--json").document["jobs"]
    assert [job["created_at"] for job in jobs] == sorted((job["created_at"] for job in jobs), reverse=True)
    assert {job["namespace"] for job in jobs} == {"alice", "bob"}


def test_a_broken_line_keeps_everything_out_unless_asked(shell: Any, chat: Path) -> None:
    chat.write_text(chat.read_text() + '{"session": "june", "speaker": "Tom"}\n{not json}\n')
    refused = shell("ingest", chat, "-n", "alice", "--timezone", "Europe/Lisbon")
    assert refused.code == 1
    assert "line 7: text: is required" in refused.err
    assert "line 8: is not JSON" in refused.err
    assert shell("namespaces", "--json").document["namespaces"] == []
    asked = shell("ingest", chat, "-n", "alice", "--timezone", "Europe/Lisbon", "--skip-broken", "--json").document
    assert asked["stored_count"] == 6
    assert [skipped["place"] for skipped in asked["skipped"]] == ["line 7", "line 8"]


def test_a_line_that_only_the_service_refuses_is_named_and_may_be_skipped(shell: Any, tmp_path: Path) -> None:
    file = tmp_path / "chat.jsonl"
    said = [{"session": name, "speaker": "Tom", "text": f"I like {name}.", "id": "1"} for name in ("a", "b")]
    file.write_text("".join(json.dumps(one) + "\n" for one in said))
    shell("ingest", file, "-n", "alice")
    said[1]["text"] = "I like something else."
    said.append({"session": "b", "speaker": "Tom", "text": "I like tea.", "id": "2"})
    file.write_text("".join(json.dumps(one) + "\n" for one in said))
    refused = shell("ingest", file, "-n", "alice")
    assert refused.code == 1
    assert "line 2 (id 1): id: a message with this id and other content is stored already" in refused.err
    assert "--skip-broken goes on" in refused.err
    asked = shell("ingest", file, "-n", "alice", "--skip-broken", "--json").document
    assert (asked["stored_count"], asked["duplicate_count"]) == (1, 1)
    assert [skipped["place"] for skipped in asked["skipped"]] == ["line 2 (id 1)"]
    assert "tea" in shell("facts", "-n", "alice").out


def test_all_that_is_skipped_is_named(shell: Any, tmp_path: Path) -> None:
    file = tmp_path / "chat.jsonl"
    broken = [{"session": f"\x00{n}", "speaker": "Tom", "text": "hi"} for n in range(25)]
    file.write_text("".join(json.dumps(one) + "\n" for one in [*broken, {"speaker": "Tom", "text": "I like tea."}]))
    refused = shell("ingest", file, "-n", "alice")
    assert refused.err.count("session: must not hold NUL characters") == 20
    assert "... and 5 more lines; --skip-broken names all" in refused.err
    asked = shell("ingest", file, "-n", "alice", "--skip-broken")
    assert asked.code == 0
    assert [f"line {n}: session: must not hold NUL characters" in asked.err for n in range(1, 26)] == [True] * 25
    assert "Stored 1 message in 1 session of alice." in asked.out


def test_each_batch_is_sent_once_and_once_more_without_what_is_refused_of_it(
    shell: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = tmp_path / "chat.jsonl"
    said = [{"session": f"s{n // 300}", "speaker": "Tom", "text": f"I like tea number {n}.", "id": str(n)} for n in range(900)]
    file.write_text("".join(json.dumps(one) + "\n" for one in said[:600:2]))
    shell("ingest", file, "-n", "alice", "--no-wait")
    for one in said[:600:20]:
        one["text"] = "I like something else."
    file.write_text("".join(json.dumps(one) + "\n" for one in said))
    sent: list[int] = []
    append = Client.append

    def counted(client: Client, namespace: str, session: str, messages: Any, **more: Any) -> Any:
        sent.append(len(messages))
        return append(client, namespace, session, messages, **more)

    monkeypatch.setattr(Client, "append", counted)
    asked = shell("ingest", file, "-n", "alice", "--skip-broken", "--no-wait", "--json").document
    assert sent == [200, 190, 100, 95, 200, 190, 100, 95, 200, 100]
    assert (asked["stored_count"], asked["duplicate_count"], asked["session_count"]) == (600, 270, 3)
    assert [skipped["place"] for skipped in asked["skipped"]] == [f"line {n + 1} (id {n})" for n in range(0, 600, 20)]


def test_what_has_a_session_of_another_zone_or_a_time_beyond_its_own_is_named(shell: Any, tmp_path: Path) -> None:
    file = tmp_path / "chat.jsonl"
    said = [{"session": "a", "speaker": "Tom", "text": "I like tea.", "sent_at": "2024-03-05T10:00:00", "id": "1"}]
    file.write_text("".join(json.dumps(one) + "\n" for one in said))
    shell("ingest", file, "-n", "alice", "--timezone", "Europe/Lisbon")
    said.append({"session": "b", "speaker": "Tom", "text": "I like rice.", "sent_at": "0001-01-01T00:00:00", "id": "2"})
    said.append({"session": "b", "speaker": "Tom", "text": "I like fish.", "sent_at": "2024-03-05T10:00:00", "id": "3"})
    file.write_text("".join(json.dumps(one) + "\n" for one in said))
    refused = shell("ingest", file, "-n", "alice", "--timezone", "Asia/Tokyo")
    assert refused.code == 1
    assert "line 1 (id 1): session: the session has the time zone Europe/Lisbon" in refused.err
    asked = shell("ingest", file, "-n", "alice", "--timezone", "Asia/Tokyo", "--skip-broken", "--json").document
    assert [(one["place"], one["reason"]) for one in asked["skipped"]] == [
        ("line 1 (id 1)", "session: the session has the time zone Europe/Lisbon"),
        ("line 2 (id 2)", "sent_at: must be between the years 1 and 9998"),
    ]
    assert asked["stored_count"] == 1


def test_skipping_is_not_suggested_where_nothing_would_be_left(shell: Any) -> None:
    refused = shell("ingest", "-", "-n", "alice", stdin="speaker,text\nTom,hi\n")
    assert refused.code == 1
    assert "CSV" in refused.err
    assert "--skip-broken" not in refused.err


def test_a_long_text_is_shortened_unless_all_of_it_is_asked_for(shell: Any) -> None:
    text = "I keep a diary about Lisbon. " * 400 + "The end of it is blue."
    said = {"session": "s", "speaker": "Tom", "text": text, "sent_at": "2024-07-05T00:30:00Z"}
    shell("ingest", "-", "-n", "alice", stdin=json.dumps(said))
    (message,) = shell("messages", "-n", "alice", "--json").document["messages"]
    assert message["text"] == text
    for command in (("search", "diary"), ("messages",), ("show", message["id"]), ("cypher", "MATCH (m:Message) RETURN m.text")):
        short = shell(*command, "-n", "alice")
        assert "I keep a diary" in short.out
        assert "The end of it" not in short.out, command
        assert len(short.out) < 8_000
        assert f"({len(text):,} characters)" in " ".join(short.out.split())
        assert "--full shows all" in short.err
        whole = shell(*command, "-n", "alice", "--full")
        assert "The end of it is blue" in " ".join(whole.out.split()), command
        assert "--full" not in whole.err


def test_an_option_names_the_values_that_it_takes(shell: Any, chat: Path) -> None:
    shell("ingest", chat, "-n", "alice", "--timezone", "Europe/Lisbon")
    for command in (("search", "flat"), ("context", "flat"), ("explain-miss", "x", "flat"), ("facts",)):
        refused = shell(*command, "-n", "alice", "--kind", "event")
        assert refused.code == 2
        for kind in re.findall(r"'(\w+)'", refused.err.partition("is not one of")[2]):
            assert shell(*command, "-n", "alice", "--kind", kind).code != 2


def test_a_walk_from_nowhere_is_an_error(shell: Any, chat: Path) -> None:
    shell("ingest", chat, "-n", "alice", "--timezone", "Europe/Lisbon")
    unknown = "evt_01m83ydbnfexxb4pn91xbt8yqs"
    done = shell("traverse", unknown, "-n", "alice")
    assert (done.code, done.out) == (1, "")
    assert f"there is no node {unknown}" in done.err


def test_local_times_need_a_zone_from_somewhere(shell: Any, chat: Path) -> None:
    refused = shell("ingest", chat, "-n", "alice")
    assert refused.code == 1
    assert "line 1: sent_at: has no offset; say its zone with --timezone" in refused.err
    assert shell("namespaces", "create", "alice", "--timezone", "Europe/Lisbon").code == 0
    assert shell("ingest", "-", "-n", "alice", stdin=chat.read_text()).code == 0
    (first, *_) = shell("messages", "-n", "alice", "--session", "june", "--json").document["messages"]
    assert first["sent_at"] == "2024-06-23T16:00:00Z"


READS = [
    ("search", "q", "-n", "alice"),
    ("context", "q", "-n", "alice"),
    ("events", "-n", "alice"),
    ("show", "evt_1", "-n", "alice"),
    ("delete", "--session", "s", "-n", "alice", "--yes"),
    ("export", "-n", "alice", "-o", "-"),
    ("jobs",),
    ("namespaces", "--json"),
    ("namespaces", "describe", "alice"),
    ("info", "--json"),
    ("doctor",),
]


@pytest.mark.parametrize("arguments", READS, ids=" ".join)
@pytest.mark.parametrize("there", [True, False], ids=["empty", "missing"])
def test_looking_makes_no_store(shell: Any, tmp_path: Path, arguments: tuple[str, ...], there: bool) -> None:
    data = tmp_path / "data"
    if there:
        data.mkdir()
    done = shell(*arguments)
    assert (done.code, done.out) == (1, "")
    assert done.err.startswith(f"structmem: data_dir: there is no store in {data}; `structmem serve`")
    assert data.exists() == there
    assert not there or not list(data.iterdir())


def test_writing_makes_a_store(shell: Any, chat: Path, tmp_path: Path) -> None:
    assert shell("namespaces", "create", "bob").code == 0
    assert shell("ingest", chat, "-n", "alice", "--timezone", "UTC", "--data-dir", tmp_path / "other").code == 0
    assert shell("export", "-n", "alice", "-o", tmp_path / "alice.jsonl", "--data-dir", tmp_path / "other").code == 0
    assert shell("import", tmp_path / "alice.jsonl", "--data-dir", tmp_path / "third").code == 0
    assert shell("doctor", "--data-dir", tmp_path / "third").out == f"{tmp_path / 'third'}: 1 namespace, no findings.\n"


def test_a_file_that_is_no_export_is_refused_in_one_line(shell: Any, chat: Path) -> None:
    done = shell.process("import", chat, "-n", "alice")
    assert (done.code, done.out, done.err) == (1, "", "structmem: line 1: is no part of an export\n")


def test_what_is_not_there_is_said_in_a_sentence(shell: Any) -> None:
    shell("namespaces", "create", "alice")
    for arguments in (("search", "q", "-n", "nobody"), ("events", "-n", "nobody"), ("namespaces", "describe", "nobody")):
        done = shell(*arguments)
        assert done.code == 1
        assert done.out == ""
        assert done.err.startswith("structmem: ")
        assert "nobody" in done.err


def test_a_bad_k_names_its_field(shell: Any, chat: Path) -> None:
    shell("ingest", chat, "-n", "alice", "--timezone", "Europe/Lisbon")
    done = shell("search", "q", "-n", "alice", "-k", "0")
    assert done.code == 1
    assert done.err.startswith("structmem: k: ")
    unknown = shell("search", "q", "-n", "alice", "--recipe", "magic")
    assert unknown.code == 1
    assert "recipe: " in unknown.err


def test_deleting_a_namespace_asks_first(shell: Any, chat: Path) -> None:
    shell("ingest", chat, "-n", "alice", "--timezone", "Europe/Lisbon")
    assert shell("namespaces", "delete", "alice", stdin="n\n").code == 1
    assert len(shell("namespaces", "--json").document["namespaces"]) == 1
    assert shell("namespaces", "delete", "alice", stdin="y\n").code == 0
    assert shell("namespaces", "--json").document["namespaces"] == []


def test_a_damaged_namespace_hides_no_others_jobs(shell: Any, chat: Path, tmp_path: Path) -> None:
    shell("ingest", chat, "-n", "alice", "--timezone", "Europe/Lisbon")
    (file,) = (tmp_path / "data" / "namespaces").glob("*.db")
    file.write_bytes(b"\xff" * 9000)
    shell("ingest", chat, "-n", "bob", "--timezone", "Europe/Lisbon")
    done = shell("jobs", "--json")
    assert {job["namespace"] for job in done.document["jobs"]} == {"bob"}
    assert done.err.startswith("note: namespace alice: ")
    assert shell("jobs", "-n", "alice").code == 1


def test_doctor_finds_what_is_broken(shell: Any, chat: Path, tmp_path: Path) -> None:
    shell("ingest", chat, "-n", "alice", "--timezone", "Europe/Lisbon")
    (file,) = (tmp_path / "data" / "namespaces").glob("*.db")
    content = bytearray(file.read_bytes())
    content[4096 * 3 : 4096 * 9] = b"\xff" * (4096 * 6)
    file.write_bytes(content)
    done = shell("doctor", "--json")
    assert done.code == 1
    assert {finding["namespace"] for finding in json.loads(done.out)["findings"]} == {"alice"}


SHOWN = {
    "When did Maria move": ["30 March"],
    "Who is Ines": ["sister Ines"],
    "Ines and Maria related": ["Ines is Maria's sister.", "relation · "],
    "Why did Tom cancel": ["because of the knee"],
    "want to go back to Berlin": ["I'll come back to Berlin", "I've changed my mind"],
    "Which books": ["Stoner", "The Leopard", "The Book of Disquiet"],
    "April 2024": ["pottery"],
    "birthday": ["9 September"],
}


def test_the_demo_shows_all_it_should(shell: Any, tmp_path: Path) -> None:
    # What is set for the user's own service, or stands in a file here, is not the demo's.
    (tmp_path / "structmem.toml").write_text('token_file = "none.toml"\n')
    shell.environment["STRUCTMEM_WORKERS"] = "0"
    done = shell.process("demo", "--dir", tmp_path / "demo")
    assert done.code == 0, done.err
    title, *questions = done.out.split("\nQuestion ")
    assert "94 messages" in title
    assert "evt_" in title
    assert "sister_of" in title
    assert "Tom: Tom " not in done.out
    assert len(questions) == len(SHOWN) >= 6
    for question, (words, expected) in zip(questions, SHOWN.items(), strict=True):
        assert words in question.splitlines()[0]
        assert question.count("why: ") == 3
        assert all(text in question for text in expected), question
    assert questions[0].count("Why it is first: ") == 1
    assert "tokens" in questions[-1]
    _check_summaries(questions[-1])
    _check_the_readme_shows(done.out)
    _check_dates(
        shell("events", "-n", "demo/maria-and-tom", "--data-dir", tmp_path / "demo", "--limit", "500", "--json").document["events"]
    )


def _check_summaries(told: str) -> None:
    """A summary leads down to the messages, a thread goes across sessions, and the profile names both friends."""
    _, rest = told.split("\nWhat it comes to ")
    tree, rest = rest.split("\nA thread ")
    thread, profile = rest.split("\nThe profile ")
    assert "4 windows of events" in tree
    assert tree.count("  event evt_") == 3
    assert tree.count("”  msg_") >= 3
    assert "sessions 2024-02-11 catching up, " in thread
    assert profile.splitlines()[1] == "Maria and Tom"
    assert profile.count("\n  - ") > 3


_DIFFERS = re.compile(r"([a-z]{3})_[0-9a-z]{26}|\(rank \d+\)")
_FIGURE = re.compile(r"\d+\.\d+")


def _check_the_readme_shows(demo: str) -> None:
    """README's excerpt is what the demo prints, but for ids; figures differ a little from one processor to another."""
    question, *hit = re.search(r"^Question .*?(?=^```)", README.read_text(), re.MULTILINE | re.DOTALL).group().splitlines()  # type: ignore[union-attr]
    start = demo.index(hit[0])
    printed = demo[start:].splitlines()[: len(hit)]
    assert question in demo[:start].splitlines()
    for shown, line in zip(hit, printed, strict=True):
        if line.strip().startswith("why: "):
            assert sorted(re.findall("[a-z_]+", shown)) == sorted(re.findall("[a-z_]+", line))
        else:
            assert _FIGURE.sub("#", _DIFFERS.sub(r"\1", shown)) == _FIGURE.sub("#", _DIFFERS.sub(r"\1", line))
        figures = zip(sorted(_FIGURE.findall(shown)), sorted(_FIGURE.findall(line)), strict=True)
        assert all(abs(float(told) - float(is_)) < 0.02 for told, is_ in figures), f"README shows {shown}, the demo prints {line}"


# Words of an event's title, and the first and the last day on which it happened.
HAPPENED = {
    "signed up for the Hamburg half marathon": ("2024-04-28", "2024-04-28"),
    "Maria flies": ("2024-03-28", "2024-03-28"),
    "first day at work": ("2024-04-02", "2024-04-02"),
    "moved into the flat": ("2024-03-30", "2024-03-30"),
    "Tom arrives": ("2024-06-14", "2024-06-14"),
    "Come for my birthday": ("2024-09-09", "2024-09-09"),
    "Leo was born": ("2024-05-16", "2024-05-16"),
    "Tom even swam in the sea": ("2024-06-16", "2024-06-16"),
    "changed Tom's mind about sports": ("2024-08-01", "2024-08-31"),
}


def _check_dates(events: list[dict[str, Any]]) -> None:
    zone = ZoneInfo("Europe/Berlin")
    for words, (first, last) in HAPPENED.items():
        [event] = [event for event in events if event["time"] and words in event["title"]]
        start, end = (datetime.fromisoformat(event["time"][side]).astimezone(zone) for side in ("start", "end"))
        assert (str(start.date()), str((end - timedelta(seconds=1)).date())) == (first, last), event["title"]
