"""Chat files: what is read, and what is refused by its line."""

import json
import re
from datetime import UTC, datetime
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st
from structmem._encode import batches

from service.cli.chats import read_chat
from service.convert.messages import Circumstances, drafts_from_proto
from service.validate import Violations, text
from service.validate.fields import MAX_NAME


def lines(*entries: Any) -> bytes:
    return b"".join((entry if isinstance(entry, bytes) else json.dumps(entry).encode()) + b"\n" for entry in entries)


HELLO = {"session": "one", "speaker": "Maria", "text": "hello", "sent_at": "2024-03-05T10:00:00+01:00", "id": "a"}


def test_a_line_becomes_a_message() -> None:
    more = {"role": "assistant", "labels": {"channel": "mail"}, "image_caption": "a cat"}
    (line,) = read_chat(lines(HELLO | more), "file").lines
    assert (line.place, line.session) == ("line 1", "one")
    message = line.message
    assert (message.speaker, message.text, message.client_id) == ("Maria", "hello", "a")
    assert isinstance(message.sent_at, datetime)
    assert message.sent_at.astimezone(UTC) == datetime(2024, 3, 5, 9, tzinfo=UTC)
    assert (message.role, message.labels, message.image_caption) == ("assistant", {"channel": "mail"}, "a cat")


def test_a_time_without_an_offset_stays_local() -> None:
    (line,) = read_chat(lines(HELLO | {"sent_at": "2024-03-05 10:00"}), "file").lines
    assert line.message.sent_at == "2024-03-05T10:00:00"


def test_lines_without_a_session_belong_to_the_file() -> None:
    chat = read_chat(lines({"speaker": "Tom", "text": "hi"}, {"speaker": "Tom", "text": "hi", "session": 7}), "chat")
    assert [line.session for line in chat.lines] == ["chat", "7"]


@pytest.mark.parametrize(
    ("broken", "reason"),
    [
        (b'{"speaker": "Tom", ', "is not JSON"),
        (b'{"speaker": "Tom", "text": "\xff"}', "is not UTF-8"),
        (b"[1, 2]", "entry: must be a JSON object"),
        (b'{"speaker": "Tom", "text": "hi", "id": ' + b"7" * 4_301 + b"}", "has a number of more than 4,300 digits"),
        ({"speaker": "Tom"}, "text: is required"),
        (HELLO | {"text": ""}, "text: "),
        (HELLO | {"text": " \n "}, "text: must not be blank"),
        (HELLO | {"text": "x" * 1_000_001}, "text: "),
        (HELLO | {"labels": {"a": "x" * 501}}, "labels.a: "),
        (HELLO | {"labels": {"": "x"}}, 'labels[""]: the key must not be blank'),
        (HELLO | {"labels": {"a\x00": "x"}}, 'labels["a\\u0000"]: the key must not hold NUL'),
        (HELLO | {"labels": {"a b": "\x00"}}, 'labels["a b"]: must not hold NUL'),
        (HELLO | {"labels": {str(n): "x" for n in range(33)}}, "labels: must hold at most 32; it holds 33"),
        (HELLO | {"labels": ["a"]}, "labels: must be an object of texts"),
        (HELLO | {"session": "a\x00b"}, "session: must not hold NUL"),
        (HELLO | {"session": " \t "}, "session: must not be blank"),
        (HELLO | {"session": "x" * 201}, "session: must be at most 200 characters; it has 201"),
        (HELLO | {"session": "\ud800"}, "session: must be valid Unicode"),
        (HELLO | {"speaker": "\ud800"}, "speaker: must be valid Unicode"),
        (HELLO | {"speaker": "\u3000"}, "speaker: must not be blank"),
        (HELLO | {"id": "a\x00"}, "id: must not hold NUL"),
        (HELLO | {"id": "\udfff"}, "id: must be valid Unicode"),
        (HELLO | {"image_caption": "a\x00"}, "image_caption: must not hold NUL"),
        (HELLO | {"text": "a\x00b"}, "text: must not hold NUL"),
        (HELLO | {"text": "\ud800"}, "text: must be valid Unicode"),
        (HELLO | {"sent_at": "last Friday"}, "sent_at: is not a time"),
        (HELLO | {"sent_at": "9999-01-01T00:00:00Z"}, "sent_at: must be between the years 1 and 9998"),
        (HELLO | {"sent_at": "0001-01-01T00:30:00+01:00"}, "sent_at: must be between the years 1 and 9998"),
        (HELLO | {"sent_at": "9998-12-31T23:30:00-01:00"}, "sent_at: must be between the years 1 and 9998"),
        (HELLO | {"sent_at": 1709650000}, "sent_at: must be a text"),
        (HELLO | {"sentat": "2024-03-05"}, "sentat: is not a known field"),
        (HELLO | {"content": "hi"}, 'content: is not a known field; its name here is "text"'),
        (HELLO | {"a\x1b[2J": 1}, '"a\\u001b[2J": is not a known field'),
        (HELLO | {"role": "narrator"}, "role: must be user, assistant, system or tool"),
        (HELLO | {"labels": {"a": 1}}, "labels.a: must be a text"),
        (HELLO | {"text": "other words"}, "id: stands for another message at line 1"),
        (b"[" * 100_000, "is nested too deeply"),
    ],
)
def test_a_broken_line_is_named_and_the_others_are_read(broken: Any, reason: str) -> None:
    chat = read_chat(lines(HELLO, b"", broken, HELLO | {"id": "b"}), "file")
    (problem,) = chat.problems
    assert problem.place in {"line 3", "line 3 (id a)"}
    assert problem.reason.startswith(reason)
    assert [line.place for line in chat.lines] == ["line 1", "line 4"]


_any_json = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5) | st.sampled_from(["a", "\x00", " ", "\ud800"]),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=3) | st.just("\x00"), inner, max_size=3),
    max_leaves=5,
)
_fields = ["session", "speaker", "text", "id", "role", "sent_at", "labels", "image_caption", "content"]


@given(st.dictionaries(st.sampled_from(_fields), _any_json, max_size=4) | _any_json)
def test_what_is_wrong_is_said_in_our_words(entry: Any) -> None:
    told = read_chat(lines(HELLO | entry if isinstance(entry, dict) else entry), "file").problems
    for problem in told:
        assert not re.search("Input should|valid dictionary|valid string|pydantic|another value|Value error", problem.reason), problem
        assert problem.reason.isprintable()


_near = st.sampled_from(["0001-01-01T00:00:00", "9998-12-31T23:59:59.999999", "9999-01-01T00:00:00", "0001-01-02T00:00:00", "2024-03-05"])
_offset = st.sampled_from(["", "Z", "+00:01", "-00:01", "+23:59", "-23:59"])
_name = st.text(max_size=4) | st.sampled_from(["x" * 200, "x" * 201, "\x00", "\ud800", "\x1c", "\u2003"])
_messages = st.fixed_dictionaries(
    {"speaker": _name, "text": _name},
    optional={
        "session": _name,
        "id": _name,
        "image_caption": _name,
        "role": st.sampled_from(["user", "assistant", "system", "tool"]),
        "sent_at": st.builds(lambda time, offset: time + offset, _near, _offset),
        "labels": st.dictionaries(_name | st.just("x" * 100), _name | st.just("x" * 501), max_size=2),
    },
)


@given(_messages)
def test_what_the_service_would_refuse_is_refused_by_its_line(message: dict[str, Any]) -> None:
    now = datetime(2024, 3, 5, tzinfo=UTC)
    for line in read_chat(lines(message), "file").lines:
        found = Violations()
        text(found, "session", line.session, MAX_NAME)
        (batch,) = batches([(line.session, line.message)], "UTC")
        drafts_from_proto(found, "messages", batch.messages, Circumstances(None, ZoneInfo("UTC"), now, ""))
        found.check()


def test_the_session_of_the_file_is_judged_as_that_of_a_line() -> None:
    chat = read_chat(lines({"speaker": "Tom", "text": "hi"}, HELLO), "x" * 201)
    assert chat.problems == (("line 1", "session: must be at most 200 characters; it has 201"),)
    assert [line.place for line in chat.lines] == ["line 2"]


def test_the_same_file_gives_the_same_ids_and_a_longer_one_the_same_for_its_beginning() -> None:
    said = [{"speaker": "Tom", "text": "ok"}, {"speaker": "Tom", "text": "ok"}, {"speaker": "Ana", "text": "fine"}]

    def ids(*entries: Any) -> list[str]:
        return [line.message.client_id for line in read_chat(lines(*entries), "file").lines]

    assert len(set(ids(*said))) == 3, "the same words twice are two messages"
    assert ids(*said) == ids(*said)
    assert ids(*said, {"speaker": "Tom", "text": "bye"})[:3] == ids(*said)


@given(st.lists(st.text(min_size=1, max_size=200).filter(lambda text: text.strip() and "\x00" not in text), max_size=20))
def test_any_text_comes_through(texts: list[str]) -> None:
    said = lines(*({"speaker": "Tom", "text": text} for text in texts))
    chat = read_chat(said.replace(b"\n", b"\r\n"), "file")
    assert not chat.problems
    assert [line.message.text for line in chat.lines] == texts


@given(st.binary(max_size=300))
def test_any_bytes_are_read_or_refused_by_their_line(content: bytes) -> None:
    chat = read_chat(content, "file")
    full = [number for number, line in enumerate(content.split(b"\n"), start=1) if line.strip()]
    assert sorted(int(place.split()[1]) for place in [line.place for line in chat.lines] + [p.place for p in chat.problems]) == full


HELLO_THERE = {"speaker": "Maria", "text": "hello"}
BENCHMARK = {
    "name": "two talks",
    "conversations": [
        {
            "id": name,
            "sessions": [{"id": "s1", "started_at": "2024-03-05", "messages": [{"id": "m1", "speaker": "Tom", "text": name}]}],
            "questions": [{"id": "q1", "text": "who?"}],
        }
        for name in ("first", "second")
    ],
}


@pytest.mark.parametrize("indent", [None, 2])
def test_a_conversation_of_a_benchmark_file(indent: int | None) -> None:
    chat = read_chat(json.dumps(BENCHMARK, indent=indent).encode(), "file", "second")
    assert [(line.session, line.message.text, line.message.client_id) for line in chat.lines] == [("s1", "second", "m1")]
    assert chat.time_zone == "UTC"


def test_a_benchmark_file_with_several_conversations_wants_a_choice() -> None:
    content = json.dumps(BENCHMARK).encode()
    with pytest.raises(ValueError, match="choose one with --conversation: first, second"):
        read_chat(content, "file")
    with pytest.raises(ValueError, match='no conversation "third"'):
        read_chat(content, "file", "third")
    with pytest.raises(ValueError, match="JSON Lines"):
        read_chat(lines(HELLO), "file", "first")


def test_a_broken_message_of_a_benchmark_file_is_named() -> None:
    broken = {"conversations": [{"id": "c", "sessions": [{"id": "s1", "messages": [{"speaker": "Tom", "text": ""}]}]}]}
    (problem,) = read_chat(json.dumps(broken).encode(), "file").problems
    assert problem.place == "session s1, message 1"
    with pytest.raises(ValueError, match=r"conversations\[0\].sessions: is required"):
        read_chat(b'{"conversations": [{"id": "c"}]}', "file")


def test_a_broken_session_of_a_benchmark_file_is_named_and_the_others_are_read() -> None:
    sessions = [3, {"id": " ", "messages": []}, {"id": "b\x00", "messages": []}, {"id": "s", "messages": ["hi", HELLO_THERE]}]
    chat = read_chat(json.dumps({"conversations": [{"id": "c", "sessions": sessions}]}).encode(), "file")
    assert [(place, reason) for place, reason in chat.problems] == [
        ("session 1", "entry: must be a JSON object"),
        ("session 2 (id  )", "id: must not be blank"),
        ("session 3", "id: must not hold NUL characters"),
        ("session s, message 1", "entry: must be a JSON object"),
    ]
    assert [line.message.text for line in chat.lines] == ["hello"]


def test_what_is_refused_is_named_by_its_line_and_its_id() -> None:
    chat = read_chat(lines(HELLO, HELLO | {"id": "b-17", "text": "x" * 1_000_001}, HELLO | {"id": "c", "text": "x" * 1_000_000}), "file")
    assert [problem.place for problem in chat.problems] == ["line 2 (id b-17)"]
    assert [len(line.message.text) for line in chat.lines] == [5, 1_000_000]


def test_a_message_of_more_bytes_than_could_be_read_again_is_told_and_the_others_are_taken() -> None:
    largest = HELLO | {"text": "茶" * 1_000_000}
    chat = read_chat(lines(largest, largest | {"image_caption": "!"}, HELLO | {"id": "e", "text": "😀" * 750_001}), "file")
    assert [len(line.message.text) for line in chat.lines] == [1_000_000]
    assert [problem.place for problem in chat.problems] == ["line 2 (id a)", "line 3 (id e)"]
    assert "text with image_caption must be at most 3,000,000 bytes in UTF-8; they have 3,000,001" in chat.problems[0].reason


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b'[\n  {"author": "Tom", "body": "hi"}\n]', "one JSON array"),
        (b'{\n  "name": "Garden",\n  "messages": [{"from": "Tom", "text": "hi"}]\n}', "an export of another tool; no command takes that"),
        (b"speaker,text,sent_at\nTom,hi,2024-01-01\n", "CSV, with the columns speaker,text,sent_at"),
        (b"30/03/2026 09:05 - Tom: hi\n", "a messenger's export as text"),
        (b"[3/30/26, 9:05:40 AM] Tom: hi\n", "a messenger's export as text"),
        (b"Dear diary\n", "no JSON"),
        (b'{"header": {"formatVersion": 1}}\n{"trailer": {}}\n', "`structmem import FILE` takes it"),
        (b'{"question": "Who?", "expected": ["x"]}\n', "`structmem eval FILE` takes it"),
        (b"PK\x03\x04\x00\x00", "compressed"),
        (b"[" * 100_000, "no JSON"),
        (b'{"role": "user", "content": "hi"}\n', "`jq -c '{speaker: .role, role, text: .content}' FILE`"),
        (b'[{"role": "user", "content": "hi"}]', "`jq -c '.[] | {speaker: .role, role, text: .content}' FILE`"),
        (b'{"messages": [{"role": "user", "content": "hi"}]}\n', "`jq -c '.messages[] | {speaker: .role, role, text: .content}' FILE`"),
    ],
)
def test_a_file_that_is_no_chat_file_is_told_as_what_it_seems_to_be(content: bytes, words: str) -> None:
    chat = read_chat(content, "file")
    assert not chat.lines
    assert words in chat.looks_like


def test_a_chat_file_with_broken_lines_is_still_one() -> None:
    assert read_chat(lines(HELLO, b"[1]"), "file").looks_like == ""
    assert read_chat(lines({"speaker": "Tom"}), "file").looks_like == ""


def test_a_text_that_is_too_long_is_told_as_the_service_tells_it() -> None:
    [problem] = read_chat(lines(HELLO | {"text": "a" * 1_000_001}), "file").problems
    assert problem.reason == "text: must be at most 1,000,000 characters; it has 1,000,001"
