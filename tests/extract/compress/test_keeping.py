"""What no compression leaves out, whatever else it thinks of a word."""

import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from extract.compress.choosing import choose, compressed, read_texts
from extract.compress.port import CompressedText
from extract.compress.words import core_of
from tests.extract.compress.said import SAID, WITHOUT_CAPITALS

# Alone and in company: what one text keeps does not depend on the others.
LONG = "and then we were just about to go over there to see what they would be up to with all of that "


def compress(texts: list[str], rate: float, seed: int = 0) -> list[CompressedText]:
    """By scores that say nothing."""
    read = read_texts(texts, ())
    judge = random.Random(seed)
    return compressed(read, choose(read, [[judge.random() for _ in one.words] for one in read], rate))


@pytest.mark.parametrize(("text", "stays"), SAID)
@pytest.mark.parametrize("rate", [0.4, 0.6])
def test_names_numbers_dates_and_negations_survive(text: str, stays: str, rate: float) -> None:
    for seed in range(5):
        left = [core_of(word) for word in compress([text, LONG * 5], rate, seed)[0].words]
        for word in stays.split():
            assert core_of(word) in left, f"{word} is lost: {left}"


def test_and_yet_words_are_left_out_of_nearly_every_text() -> None:
    shorter = [one for text, _ in SAID if len(one := compress([text, LONG * 5], 0.4)[0].text) < 0.95 * len(text)]
    assert len(shorter) > 0.7 * len(SAID)


@pytest.mark.parametrize("text", WITHOUT_CAPITALS)
def test_scripts_without_capitals_stay_whole(text: str) -> None:
    assert compress([text, LONG * 5], 0.4)[0].text == text


def test_what_is_negated_stays_with_its_negation() -> None:
    for seed in range(10):
        left = compress(["It was really not the best of ideas to go there, but we never quite liked it.", LONG * 5], 0.4, seed)[0].text
        assert "not the best" in left
        assert "never quite" in left


def test_a_time_that_the_service_resolves_stays_as_it_was_written() -> None:
    left = compress(["I have been to see the doctor on the day before yesterday and in the first week of May.", LONG * 5], 0.4)[0].text
    assert "day before yesterday" in left
    assert "first week of May" in left


def test_names_that_are_given_stay_however_they_are_written() -> None:
    read = read_texts(["and then maria's brother and maria went off to the seaside", LONG * 5], ["Maria Silva"])
    left = compressed(read, choose(read, [[0.0] * len(one.words) for one in read], 0.4))[0].text
    assert left.count("maria") == 2


def test_a_short_text_stays_whole_and_no_text_is_empty() -> None:
    left = compress(["so do they", "and they would be there with them", "", " \n ", LONG * 9], 0.4)
    assert left[0].text == "so do they"
    assert left[1].words
    assert [left[2].text, left[3].text] == ["", " \n "]


def test_lines_and_sentences_stay_apart() -> None:
    text = "Anna has come over to us.\nAnd Ben was there with them as well.\n\n- Carla left to see about that. Dora stayed."
    left = compress([text, LONG * 5], 0.4)[0].text
    assert left.split("\n")[0].endswith(".")
    assert "\n- Carla" in left
    assert left.endswith("Dora stayed.") or left.endswith("Dora.")


@given(st.lists(st.text(), max_size=5), st.sampled_from([0.4, 0.5, 0.8]), st.integers(0, 3))
def test_whatever_is_written_words_are_only_left_out(texts: list[str], rate: float, seed: int) -> None:
    left = compress(texts, rate, seed)
    assert len(left) == len(texts)
    for before, after in zip(texts, left, strict=True):
        assert len(after.text) <= len(before) + 1
        rest = iter(word.rstrip(".!?…") for word in before.split())
        for word in after.words:
            assert any(one == word.rstrip(".!?…") for one in rest), (before, after.text)
