from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from graph.model import Granularity, Message, NodeKind, Role, Statement, TimeSpan
from graph.text import index_message, index_statement, terms_of
from graph.text.features import Feature
from graph.text.passages import MAX_PASSAGE_WORDS, chunks_of

SAID = datetime(2023, 5, 8, 23, 30, tzinfo=UTC)


def message(text: str, **fields: str) -> Message:
    return Message("msg_1", "s", 1, "Ana Silva", Role.USER, text, SAID, SAID, **fields)


def test_a_short_message_is_one_passage_with_its_speaker_and_date() -> None:
    indexed = index_message(message("The concert was wonderful", image_caption="a stage"))
    (passage,) = indexed.passages
    assert passage.text == "The concert was wonderful\n[image: a stage]"
    assert {"ana", "silva", "8", "may", "2023", "concert", "stage"} <= set(passage.terms)


def test_the_date_is_that_of_the_sessions_zone() -> None:
    terms = index_message(message("Hello"), ZoneInfo("Europe/Lisbon")).passages[0].terms
    assert "9" in terms
    assert "8" not in terms


def test_a_message_carries_the_times_it_names() -> None:
    (span,) = index_message(message("I like it. We met yesterday! At 5pm it rained.")).spans
    assert (span.start, span.end) == (datetime(2023, 5, 7, tzinfo=UTC), datetime(2023, 5, 8, tzinfo=UTC))


def test_a_statement_carries_when_it_happened() -> None:
    span = TimeSpan(datetime(2019, 1, 1, tzinfo=UTC), datetime(2020, 1, 1, tzinfo=UTC), Granularity.YEAR)
    statement = Statement("fct_1", NodeKind.FACT, "s", "Ana moved to Lisbon.", "Ana", SAID, SAID, ("msg_1",), time=span)
    indexed = index_statement(statement)
    assert indexed.spans == (span,)
    assert Feature.TIME_EXPRESSION in indexed.features
    assert {"ana", "move", "lisbon", "may"} <= set(indexed.passages[0].terms)


def test_a_long_message_is_cut_between_sentences() -> None:
    sentence = "One two three four five six seven eight nine ten."
    chunks = chunks_of(" ".join([sentence] * 50))
    assert len(chunks) == 3
    assert all(chunk.endswith("ten.") for chunk in chunks)


@pytest.mark.parametrize("text", ["東" * 2_000, "x" * 200_000, "word " * 5_000, "a.\n" * 3_000])
def test_no_passage_is_longer_than_an_embedder_reads(text: str) -> None:
    for chunk in chunks_of(text):
        assert len(chunk.split()) <= MAX_PASSAGE_WORDS
        assert sum(c == "東" for c in chunk) <= MAX_PASSAGE_WORDS


@given(st.text(alphabet="ab .?!\n東é'", max_size=3_000))
def test_chunks_lose_no_word(text: str) -> None:
    assert "".join("".join(chunks_of(text)).split()) == "".join(text.split())


@given(st.text(min_size=1, max_size=400))
def test_every_message_can_be_indexed(text: str) -> None:
    indexed = index_message(message(text))
    assert [p.ordinal for p in indexed.passages] == list(range(len(indexed.passages)))
    assert indexed.passages
    assert all(set(terms_of("Ana Silva")) <= set(p.terms) for p in indexed.passages)
