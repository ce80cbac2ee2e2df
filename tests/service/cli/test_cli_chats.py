"""Chat files: what is read, and what is refused by its line."""

import json
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from service.cli.chats import read_chat


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
        (b"[1, 2]", "entry: "),
        ({"speaker": "Tom"}, "text: is required"),
        (HELLO | {"text": ""}, "text: "),
        (HELLO | {"text": " \n "}, "text: must not be blank"),
        (HELLO | {"text": "x" * 1_000_001}, "text: "),
        (HELLO | {"labels": {"a": "x" * 501}}, "labels.a: "),
        (HELLO | {"labels": {"": "x"}}, "labels."),
        (HELLO | {"text": "a\x00b"}, "text: must not hold NUL"),
        (HELLO | {"text": "\ud800"}, "text: must be valid Unicode"),
        (HELLO | {"sent_at": "last Friday"}, "sent_at: is not a time"),
        (HELLO | {"sent_at": "9999-01-01T00:00:00Z"}, "sent_at: must be between the years 1 and 9998"),
        (HELLO | {"sent_at": 1709650000}, "sent_at: must be a text"),
        (HELLO | {"sentat": "2024-03-05"}, "sentat: is not a known field"),
        (HELLO | {"role": "narrator"}, "role: "),
        (HELLO | {"labels": {"a": 1}}, "labels.a: must be a text"),
        (HELLO | {"text": "other words"}, "id: a stands for another message at line 1"),
        (b"[" * 100_000, "is nested too deeply"),
    ],
)
def test_a_broken_line_is_named_and_the_others_are_read(broken: Any, reason: str) -> None:
    chat = read_chat(lines(HELLO, b"", broken, HELLO | {"id": "b"}), "file")
    (problem,) = chat.problems
    assert problem.place in {"line 3", "line 3 (id a)"}
    assert problem.reason.startswith(reason)
    assert [line.place for line in chat.lines] == ["line 1", "line 4"]


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
    with pytest.raises(ValueError, match=r"conversations.0.sessions: is required"):
        read_chat(b'{"conversations": [{"id": "c"}]}', "file")


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
