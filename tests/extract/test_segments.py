"""Segments hold each message once, in order; later messages never move an earlier boundary."""

from datetime import UTC, datetime, timedelta

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from extract.segment import SegmentRecipe, segment
from graph.model import Message, Role

START = datetime(2023, 5, 17, 9, 0, tzinfo=UTC)
RECIPE = SegmentRecipe(least_messages=2, least_words=20, most_words=60, most_messages=8)


def _message(seq: int, words: int, sent_at: datetime) -> Message:
    return Message(f"msg_{seq}", "chat", seq, "Ana", Role.USER, "word " * words, sent_at, sent_at)


def _unit(degrees: float) -> NDArray[np.float16]:
    return np.array([np.cos(np.radians(degrees)), np.sin(np.radians(degrees))], np.float16)


@st.composite
def _sessions(draw: st.DrawFn) -> tuple[list[Message], dict[str, NDArray[np.float16]], frozenset[int]]:
    count = draw(st.integers(0, 25))
    messages, vectors, sent_at = [], {}, START
    for seq in range(1, count + 1):
        sent_at += timedelta(minutes=draw(st.sampled_from([1, 5, 300])))
        messages.append(_message(seq, draw(st.integers(1, 30)), sent_at))
        if draw(st.integers(0, 9)):
            vectors[f"msg_{seq}"] = _unit(draw(st.sampled_from([0, 30, 90, 180])))
    marks = frozenset(draw(st.sets(st.integers(1, max(1, count)))))
    return messages, vectors, marks


@settings(max_examples=50, deadline=None)
@given(_sessions())
def test_every_message_is_in_exactly_one_segment_in_order(session) -> None:  # type: ignore[no-untyped-def]
    messages, vectors, marks = session
    found = segment(messages, vectors, marks, RECIPE)
    assert [m for run in (*found.closed, found.open) for m in run] == messages
    assert all(found.closed)


@settings(max_examples=50, deadline=None)
@given(_sessions(), st.data())
def test_more_messages_never_move_a_boundary(session, data) -> None:  # type: ignore[no-untyped-def]
    messages, vectors, marks = session
    cut = data.draw(st.integers(0, len(messages)))
    early = segment(messages[:cut], vectors, marks, RECIPE)
    late = segment(messages, vectors, marks, RECIPE)
    assert late.closed[: len(early.closed)] == early.closed


@settings(max_examples=50, deadline=None)
@given(_sessions())
def test_starting_again_at_a_boundary_finds_the_same_segments(session) -> None:  # type: ignore[no-untyped-def]
    messages, vectors, marks = session
    whole = segment(messages, vectors, marks, RECIPE)
    done = 0
    for index, run in enumerate(whole.closed):
        rest = segment(messages[done:], vectors, marks, RECIPE)
        assert rest.closed == whole.closed[index:]
        done += len(run)


def test_a_flush_mark_closes_the_last_segment() -> None:
    messages = [_message(1, 3, START), _message(2, 3, START)]
    assert segment(messages, {}, {2}, RECIPE).open == ()
    assert segment(messages, {}, {1}, RECIPE).open == (messages[1],)


def test_silence_starts_a_new_segment() -> None:
    messages = [_message(1, 3, START), _message(2, 3, START + timedelta(hours=5))]
    assert segment(messages, {}, (), RECIPE).closed == ((messages[0],),)


def test_a_new_topic_starts_a_new_segment_once_the_running_one_is_long_enough() -> None:
    messages = [_message(seq, 15, START + timedelta(minutes=seq)) for seq in range(1, 6)]
    vectors = {m.id: _unit(0 if m.seq < 4 else 90) for m in messages}
    assert [len(run) for run in segment(messages, vectors, (), RECIPE).closed] == [3]


def test_a_full_segment_ends() -> None:
    messages = [_message(seq, 30, START) for seq in range(1, 6)]
    assert [len(run) for run in segment(messages, {}, (), RECIPE).closed] == [2, 2]
