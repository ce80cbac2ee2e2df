"""Texts that cost most, through everything that reads texts: what a function does must grow no faster than the text."""

import sys
from collections.abc import Callable
from datetime import UTC, datetime

import pytest

from bench.worst_texts import KINDS, worst_text
from extract.local.extractor import extract_segment
from extract.port import Segment
from extract.tokens import count_tokens
from graph.model import ExtractionMode, Message, Role
from graph.text import slices_of, terms_of, words_of
from graph.text.passages import MAX_PASSAGE_CHARACTERS, chunks_of, index_turn
from graph.text.times import find_query_times, find_times

_NOW = datetime(2024, 3, 5, 18, 30, tzinfo=UTC)


def _extracted(text: str) -> object:
    role = Role.ASSISTANT if len(text) % 2 else Role.USER
    message = Message("msg_1", "s", 1, "Tom", role, text, _NOW, _NOW)
    return extract_segment(Segment("n", "s", (message,), (message,), UTC), ExtractionMode.EVENT)


READERS: dict[str, Callable[[str], object]] = {
    "terms": terms_of,
    "index": lambda text: index_turn("Tom", text, "", _NOW, UTC),
    "times": lambda text: find_times(text, _NOW, UTC),
    "query times": lambda text: find_query_times(text, _NOW, UTC),
    "tokens": count_tokens,
    "extraction": _extracted,
}


def _calls(reader: Callable[[str], object], text: str) -> int:
    """How many functions the reader calls: work that does not depend on the machine."""
    count = 0

    def counted(frame: object, event: str, argument: object) -> None:
        nonlocal count
        count += event in ("call", "c_call")

    before = sys.getprofile()
    sys.setprofile(counted)
    try:
        reader(text)
    finally:
        sys.setprofile(before)
    return count


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("reader", READERS)
def test_twice_the_text_is_about_twice_the_work(reader: str, kind: str) -> None:
    READERS[reader](worst_text(kind, 100))
    once, twice = (_calls(READERS[reader], worst_text(kind, size)) for size in (6_000, 12_000))
    assert twice <= 3 * once + 2_000


@pytest.mark.parametrize("kind", KINDS)
def test_a_text_of_a_million_characters_is_read(kind: str) -> None:
    text = worst_text(kind, 1_000_000)
    chunks = chunks_of(text)
    assert max(map(len, chunks)) <= MAX_PASSAGE_CHARACTERS + 180
    assert len(chunks) <= 1_000_000 / 90
    indexed = index_turn("Tom", text, "", _NOW, UTC)
    assert [passage.text for passage in indexed.passages] == chunks
    # Nothing is left out of what is searched: all that is no white space is in some passage.
    assert len("".join("".join(chunks).split())) == len("".join(text.split()))


@pytest.mark.parametrize("kind", KINDS)
def test_slices_are_the_text(kind: str) -> None:
    text = worst_text(kind, 30_000)
    slices = list(slices_of(text))
    assert "".join(slices) == text
    assert max(map(len, slices)) <= 4_096


def test_a_slice_ends_where_a_word_does() -> None:
    words = [f"word{number}" for number in range(5_000)]
    assert words_of(" ".join(words)) == words
