"""Segments hold each message once, in order; later messages never move an earlier boundary."""

import asyncio
import zlib
from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from extract.compress import ReadTurn
from extract.segment import Segmentation, SegmentRecipe, segment, segment_as_read
from extract.segment.answering import answers
from extract.segment.attention import peaks
from extract.segment.valleys import depths
from extract.tokens import count_tokens
from graph.model import Message, Role

START = datetime(2023, 5, 17, 9, 0, tzinfo=UTC)
RECIPE = SegmentRecipe(least_messages=2, least_words=20, most_words=60, most_messages=8)


RECIPES = st.sampled_from([RECIPE, replace(RECIPE, by=Segmentation.NONE), replace(RECIPE, most_tokens=40)])


def _message(seq: int, words: int, sent_at: datetime, speaker: str = "Ana", end: str = "") -> Message:
    role = Role.ASSISTANT if speaker == "assistant" else Role.USER
    return Message(f"msg_{seq}", "chat", seq, speaker, role, "word " * words + end, sent_at, sent_at)


def _unit(degrees: float) -> NDArray[np.float16]:
    return np.array([np.cos(np.radians(degrees)), np.sin(np.radians(degrees))], np.float16)


@st.composite
def _sessions(draw: st.DrawFn) -> tuple[list[Message], dict[str, NDArray[np.float16]], frozenset[int]]:
    count = draw(st.integers(0, 25))
    messages, vectors, sent_at = [], {}, START
    for seq in range(1, count + 1):
        sent_at += timedelta(minutes=draw(st.sampled_from([1, 5, 300])))
        speaker, end = draw(st.sampled_from(["Ana", "Bo", "assistant"])), draw(st.sampled_from(["", "?"]))
        messages.append(_message(seq, draw(st.integers(1, 30)), sent_at, speaker, end))
        if draw(st.integers(0, 9)):
            vectors[f"msg_{seq}"] = _unit(draw(st.sampled_from([0, 30, 90, 180])))
    marks = frozenset(draw(st.sets(st.integers(1, max(1, count)))))
    return messages, vectors, marks


@settings(max_examples=50, deadline=None)
@given(_sessions(), RECIPES)
def test_every_message_is_in_exactly_one_segment_in_order(session, recipe) -> None:  # type: ignore[no-untyped-def]
    messages, vectors, marks = session
    found = segment(messages, vectors, marks, recipe)
    assert [m for run in (*found.closed, found.open) for m in run] == messages
    assert all(found.closed)


@settings(max_examples=50, deadline=None)
@given(_sessions(), RECIPES, st.data())
def test_more_messages_never_move_a_boundary(session, recipe, data) -> None:  # type: ignore[no-untyped-def]
    messages, vectors, marks = session
    cut = data.draw(st.integers(0, len(messages)))
    early = segment(messages[:cut], vectors, marks, recipe)
    late = segment(messages, vectors, marks, recipe)
    assert late.closed[: len(early.closed)] == early.closed


@settings(max_examples=50, deadline=None)
@given(_sessions(), RECIPES)
def test_starting_again_at_a_boundary_finds_the_same_segments(session, recipe) -> None:  # type: ignore[no-untyped-def]
    messages, vectors, marks = session
    whole = segment(messages, vectors, marks, recipe)
    done = 0
    for index, run in enumerate(whole.closed):
        rest = segment(messages[done:], vectors, marks, recipe)
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


def test_a_topic_ends_a_segment_once_the_buffer_is_whole_at_the_deepest_valley() -> None:
    degrees = [0, 0, 40, 0, 0, 90, 90, 90, 90]
    messages = [_message(seq, 12, START) for seq in range(1, 10)]
    vectors = {m.id: _unit(turn) for m, turn in zip(messages, degrees, strict=True)}
    roomy = replace(RECIPE, most_words=1_000, most_messages=100)
    assert segment(messages, vectors, (), roomy).closed == ()
    assert [len(run) for run in segment(messages, vectors, {9}, roomy).closed] == [5, 4]


@pytest.mark.parametrize(("degrees", "full", "whole"), [(50, [3], [6]), (90, [3], [3, 3]), (30, [5], [6])])
def test_a_full_buffer_ends_at_a_shallower_valley_than_one_that_time_has_ended(degrees: float, full: list[int], whole: list[int]) -> None:
    messages = [_message(seq, 15, START) for seq in range(1, 7)]
    vectors = {m.id: _unit(0 if m.seq < 4 else degrees) for m in messages}
    assert [len(run) for run in segment(messages, vectors, (), replace(RECIPE, most_words=75)).closed] == full
    assert [len(run) for run in segment(messages, vectors, {6}, replace(RECIPE, most_words=1_000)).closed] == whole


def test_no_short_rest_is_left_where_time_has_ended_a_buffer() -> None:
    messages = [_message(seq, 15, START) for seq in range(1, 6)]
    vectors = {m.id: _unit(0 if m.seq < 5 else 90) for m in messages}
    assert [len(run) for run in segment(messages, vectors, {5}, replace(RECIPE, most_words=1_000)).closed] == [5]


def test_how_deep_a_gap_lies_is_counted_from_the_tops_on_both_its_sides() -> None:
    messages = [_message(seq, 3, START) for seq in range(1, 7)]
    vectors = {m.id: _unit(turn) for m, turn in zip(messages, (0, 0, 60, 60, 60, 0), strict=True)}
    found = depths(messages, vectors, 1)
    # Similarities: 1, .5, 1, 1, .5.
    assert found == pytest.approx({1: 0, 2: 1, 3: 0, 4: 0, 5: 0.5}, abs=0.01)
    del vectors["msg_4"]
    assert set(depths(messages, vectors, 1)) == {1, 2, 5}
    assert set(depths(messages, vectors, 2)) == {1, 2, 3, 4, 5}
    assert depths(messages, {}, 2) == {}


class _Reader:
    """Attention that depends on nothing but the run that is read."""

    async def read(self, texts: Sequence[str]) -> list[ReadTurn]:
        whole = zlib.crc32("|".join(texts).encode())
        return [
            ReadTurn((float(len(text)),), zlib.crc32(f"{whole} {at}".encode()) / 2**32 if at > 1 else None) for at, text in enumerate(texts)
        ]


@settings(max_examples=50, deadline=None)
@given(_sessions(), st.data())
def test_with_attention_segments_are_as_stable_and_end_nowhere_else(session, data) -> None:  # type: ignore[no-untyped-def]
    messages, vectors, marks = session
    recipe = replace(RECIPE, by=Segmentation.ATTENTION_AND_SIMILARITY, depth=0.1)
    cut = data.draw(st.integers(0, len(messages)))
    whole = asyncio.run(segment_as_read(messages, vectors, marks, recipe, _Reader()))
    assert [m for run in (*whole.closed, whole.open) for m in run] == messages
    early = asyncio.run(segment_as_read(messages[:cut], vectors, marks, recipe, _Reader()))
    assert whole.closed[: len(early.closed)] == early.closed
    done = 0
    for index, run in enumerate(whole.closed):
        rest = asyncio.run(segment_as_read(messages[done:], vectors, marks, recipe, _Reader()))
        assert rest.closed == whole.closed[index:]
        done += len(run)
    assert whole.importance == {m.id: (float(len(m.text)),) for run in whole.closed for m in run}


async def test_a_topic_ends_where_attention_peaks_and_similarity_agrees() -> None:
    messages = [_message(seq, 15, START, end=str(seq)) for seq in range(1, 11)]
    vectors = {m.id: _unit(0 if m.seq < 6 else 90) for m in messages}
    roomy = replace(RECIPE, most_words=1_000, most_messages=100, by=Segmentation.ATTENTION_AND_SIMILARITY)

    async def cut(*attention: float) -> list[int]:
        reader = _Told(dict(zip((m.text for m in messages), (None, None, *attention), strict=True)))
        return [len(run) for run in (await segment_as_read(messages, vectors, {10}, roomy, reader)).closed]

    assert await cut(0.1, 0.2, 0.1, 0.3, 0.1, 0.2, 0.1, 0.1) == [5, 5]
    # A peak elsewhere, where similarity sees no change; and none at all.
    assert await cut(0.1, 0.2, 0.3, 0.1, 0.1, 0.4, 0.1, 0.1) == [10]
    assert await cut(0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8) == [10]
    assert [len(run) for run in (await segment_as_read(messages, vectors, {10}, roomy)).closed] == [5, 5]


class _Told:
    """Attention by text."""

    def __init__(self, attention: dict[str, float | None]) -> None:
        self._attention = attention

    async def read(self, texts: Sequence[str]) -> list[ReadTurn]:
        return [ReadTurn((), self._attention[text]) for text in texts]


def test_peaks_stand_above_both_their_neighbors() -> None:
    assert peaks([None, None, 0.1, 0.5, 0.2, 0.6, 0.1, 0.4]) == {3, 5}
    assert peaks([0.1, 0.5, 0.5, 0.1]) == frozenset()
    assert peaks([0.1, 0.5, None, 0.6, 0.1]) == frozenset()
    assert peaks([]) == frozenset()


def test_a_full_segment_ends() -> None:
    messages = [_message(seq, 30, START) for seq in range(1, 6)]
    assert [len(run) for run in segment(messages, {}, (), RECIPE).closed] == [2, 2]


def test_without_topics_size_and_silence_alone_end_segments() -> None:
    messages = [_message(seq, 15, START + timedelta(minutes=seq)) for seq in range(1, 6)]
    vectors = {m.id: _unit(0 if m.seq < 4 else 90) for m in messages}
    assert [len(run) for run in segment(messages, vectors, (), replace(RECIPE, by=Segmentation.NONE)).closed] == [4]


def test_tokens_bound_a_segment_in_place_of_words() -> None:
    messages = [_message(seq, 30, START) for seq in range(1, 8)]
    tokens = count_tokens(messages[0].text)
    found = segment(messages, {}, (), replace(RECIPE, most_tokens=3 * tokens))
    assert [len(run) for run in found.closed] == [3, 3]


@settings(max_examples=50, deadline=None)
@given(_sessions(), RECIPES)
def test_a_question_is_parted_from_its_answer_by_silence_and_marks_alone(session, recipe) -> None:  # type: ignore[no-untyped-def]
    messages, vectors, marks = session
    for run in (found := segment(messages, vectors, marks, recipe)).closed:
        assert len(run) <= recipe.longest
        last = run[-1]
        after = next((m for m in messages if m.seq == last.seq + 1), None)
        if after is None or last.seq in marks or after.sent_at - last.sent_at > recipe.silence:
            continue
        # A full segment takes one message along; a chain of questions may go on after that one.
        took_along = len(run) > 1 and answers(run[-2], last) and _full(run[:-1], recipe)
        assert took_along or not answers(last, after)
    assert len(found.open) <= recipe.longest


def _full(run: tuple[Message, ...], recipe: SegmentRecipe) -> bool:
    if recipe.most_tokens:
        return len(run) >= recipe.most_messages or sum(count_tokens(m.text) for m in run) >= recipe.most_tokens
    return len(run) >= recipe.most_messages or sum(len(m.text.split()) for m in run) >= recipe.most_words


@pytest.mark.parametrize(
    ("before", "speakers", "expected"),
    [
        ("Where do you live?", ("Ana", "Bo"), True),
        ("Where do you live? 😊 ", ("Ana", "Bo"), True),
        ("どこに住んでいますか？", ("Ana", "Bo"), True),
        ("I wonder where you live.", ("Ana", "Bo"), False),
        ("Where do you live?", ("Ana", "Ana"), False),
        ("Write a poem.", ("Ana", "assistant"), True),
        ("Done.", ("assistant", "Ana"), False),
        ("For whom?", ("assistant", "Ana"), True),
        ("", ("Ana", "Bo"), False),
    ],
)
def test_what_answers_what(before: str, speakers: tuple[str, str], expected: bool) -> None:
    first, second = (_message(seq, 0, START, speaker) for seq, speaker in enumerate(speakers, 1))
    assert answers(replace(first, text=before), second) is expected


def test_a_new_topic_waits_for_the_answer() -> None:
    ends = ["", "", "?", ""]
    messages = [_message(n, 15, START, "Ana" if n % 2 else "Bo", end) for n, end in enumerate(ends, 1)]
    vectors = {m.id: _unit(0 if m.seq < 4 else 90) for m in messages}
    assert segment(messages, vectors, (), RECIPE).closed == ()
