"""What no compression leaves out, whatever else it thinks of a word."""

import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from extract.compress import EntropyCompressor, keeping
from extract.compress.choosing import choose, compressed, read_texts
from extract.compress.keeping import must_stay
from extract.compress.words import core_of, words_in
from graph.text import STOP_WORDS
from tests.extract.compress.said import SAID, WITHOUT_CAPITALS

# Alone and in company: what one text keeps does not depend on the others.
LONG = "and then we were just about to go over there to see what they would be up to with all of that "


def compress(texts: list[str], rate: float, seed: int = 0) -> list[str]:
    """By scores that say nothing."""
    read = read_texts(texts, ())
    judge = random.Random(seed)
    return compressed(read, choose(read, [[judge.random() for _ in one.words] for one in read], rate))


@pytest.mark.parametrize(("text", "stays"), SAID)
@pytest.mark.parametrize("rate", [0.4, 0.6])
def test_names_numbers_dates_and_negations_survive(text: str, stays: str, rate: float) -> None:
    for seed in range(5):
        left = [core_of(word) for word in compress([text, LONG * 5], rate, seed)[0].split()]
        for word in stays.split():
            assert core_of(word) in left, f"{word} is lost: {left}"


def test_and_yet_words_are_left_out_of_nearly_every_text() -> None:
    shorter = [one for text, _ in SAID if len(one := compress([text, LONG * 5], 0.4)[0]) < 0.95 * len(text)]
    assert len(shorter) > 0.7 * len(SAID)


@pytest.mark.parametrize("text", WITHOUT_CAPITALS)
def test_scripts_without_capitals_stay_whole(text: str) -> None:
    assert compress([text, LONG * 5], 0.4)[0] == text


def test_what_is_negated_stays_with_its_negation() -> None:
    for seed in range(10):
        left = compress(["It was really not the best of ideas to go there, but we never quite liked it.", LONG * 5], 0.4, seed)[0]
        assert "not the best" in left
        assert "never quite" in left


@pytest.mark.parametrize("word", ["need", "new", "nephew", "network", "amazing", "immediately", "comedian"])
def test_english_words_that_look_like_negations_are_left_out_like_others(word: str) -> None:
    text = f"and then we were just about to {word} over there to see what they would be up to"
    assert must_stay(text, words_in(text)) == [False] * len(text.split())


@pytest.mark.parametrize("word", ["nebyl", "nezná", "нездоров", "gitmedim", "gelmiyor", "unmedicated", "non-smoking", "next-door"])
def test_a_word_that_holds_what_it_negates_stays_alone(word: str) -> None:
    text = f"and then we were just about to {word} over there to see what they would be up to"
    assert [one for one, stays in zip(text.split(), must_stay(text, words_in(text)), strict=True) if stays] == [word]


@pytest.mark.parametrize("word", ["not", "n't", "don't", "dont", "n'ose", "ohne", "değil"])
def test_what_follows_a_word_of_the_list_stays_with_it(word: str) -> None:
    text = f"and then we were just about to {word} climb over there to see what they would be up to"
    assert [one for one, stays in zip(text.split(), must_stay(text, words_in(text)), strict=True) if stays] == [word, "climb"]


def test_a_question_stays_one() -> None:
    for seed in range(5):
        left = compress(
            ["And so would that be what they were thinking of? It was what I would say to them. And would they?", LONG * 5], 0.4, seed
        )[0]
        assert left.count("?") == 2


def test_other_words_to_ask_for_are_another_version(monkeypatch: pytest.MonkeyPatch) -> None:
    before = EntropyCompressor(0.5).fingerprint
    for name, changed in (("STOP_WORDS", STOP_WORDS | {"quixotic"}), ("vocabulary", lambda: {"the": 0})):
        with monkeypatch.context() as patch:
            patch.setattr(keeping, name, changed)
            keeping.keeping_version.cache_clear()
            assert EntropyCompressor(0.5).fingerprint != before
    keeping.keeping_version.cache_clear()
    assert EntropyCompressor(0.5).fingerprint == before


def test_a_time_that_the_service_resolves_stays_as_it_was_written() -> None:
    left = compress(["I have been to see the doctor on the day before yesterday and in the first week of May.", LONG * 5], 0.4)[0]
    assert "day before yesterday" in left
    assert "first week of May" in left


def test_names_that_are_given_stay_however_they_are_written() -> None:
    read = read_texts(["and then maria's brother and maria went off to the seaside", LONG * 5], ["Maria Silva"])
    left = compressed(read, choose(read, [[0.0] * len(one.words) for one in read], 0.4))[0]
    assert left.count("maria") == 2


def test_a_short_text_stays_whole_and_no_text_is_empty() -> None:
    left = compress(["so do they", "and they would be there with them", "", " \n ", LONG * 9], 0.4)
    assert left[0] == "so do they"
    assert left[1]
    assert left[2:4] == ["", " \n "]


def test_lines_and_sentences_stay_apart() -> None:
    text = "Anna has come over to us.\nAnd Ben was there with them as well.\n\n- Carla left to see about that. Dora stayed."
    left = compress([text, LONG * 5], 0.4)[0]
    assert left.split("\n")[0].startswith("Anna ")
    assert "\n- Carla" in left
    assert left.endswith("\nDora stayed.")
    assert {*left.split()} <= {*text.split()}


@given(st.lists(st.text(), max_size=5), st.sampled_from([0.4, 0.5, 0.8]), st.integers(0, 3))
def test_whatever_is_written_words_are_only_left_out(texts: list[str], rate: float, seed: int) -> None:
    left = compress(texts, rate, seed)
    assert len(left) == len(texts)
    for before, after in zip(texts, left, strict=True):
        assert len(after) <= len(before)
        rest = iter(before.split())
        assert all(word in rest for word in after.split()), (before, after)
