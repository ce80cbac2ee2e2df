import time

import pytest

from graph.text import features_of, words_of
from graph.text.features import Feature


def features(text: str) -> Feature:
    return features_of(text, words_of(text))


@pytest.mark.parametrize("text", ["Are you coming?", "何時ですか？", "هل أنت هنا؟", "Great. And you? 😀"])
def test_a_message_that_ends_in_a_question_asks(text: str) -> None:
    assert Feature.QUESTION in features(text)


def test_a_question_long_before_the_end_was_not_left_open() -> None:
    assert Feature.QUESTION not in features("Remember my question? " + "I have found the answer since then. " * 5)


@pytest.mark.parametrize(
    "text", ["We met last Friday", "on 8 May", "at 5pm", "in 2019", "two weeks ago", "tomorrow's opening", "on 3/4/2024"]
)
def test_times_are_noticed(text: str) -> None:
    assert Feature.TIME_EXPRESSION in features(text)


@pytest.mark.parametrize("text", ["I like tea", "Chapter 12 was dull", "You may go"])
def test_texts_without_times_cost_no_parsing(text: str) -> None:
    assert Feature.TIME_EXPRESSION not in features(text)


@pytest.mark.parametrize(
    "text",
    [
        "Always answer in French.",
        "From now on, use metric units",
        "From  now on, use metric units",
        "Thanks.\n\n  Never mention prices",
        "I prefer short answers",
        "Please don’t use emoji",
        "I'd prefer tea",
    ],
)
def test_standing_instructions_are_instructions(text: str) -> None:
    assert Feature.INSTRUCTION in features(text)


@pytest.mark.parametrize(
    "text",
    ["We went to the lake", "Please, come in", "The future is bright", "I've never been there", "She always smiles", "They never met Ana"],
)
def test_other_texts_are_no_instructions(text: str) -> None:
    assert Feature.INSTRUCTION not in features(text)


def test_who_speaks_of_themselves_is_noticed() -> None:
    assert Feature.FIRST_PERSON in features("I'm tired")
    assert Feature.FIRST_PERSON not in features("She is tired")


@pytest.mark.parametrize(
    "text",
    [
        "I went to Lisbon",
        'We read "The Long Way" together',
        "He works at NASA",
        "Yesterday I met Ana's sister Ruth",
        "I went to Örebro",
        "We live in Köln",
        "my boss is called Łukasz",
    ],
)
def test_names_and_titles_are_noticed(text: str) -> None:
    assert Feature.NAME in features(text)


@pytest.mark.parametrize(
    "text",
    ["Thanks, Ana!", "Thanks, Élise!", "Hey Tom, how are you?", "We met on Friday", "I'm fine. Great weather", "nothing at all", "OK"],
)
def test_whom_a_message_addresses_is_no_name_that_it_tells(text: str) -> None:
    assert Feature.NAME not in features(text)


def test_reasons_and_people_are_noticed() -> None:
    assert Feature.REASON in features("We left because of the rain")
    assert Feature.PEOPLE in features("My sister came along")
    assert not features("We left at dawn in silence") & (Feature.REASON | Feature.PEOPLE)


@pytest.mark.parametrize("filler", ["\n", " ", "to\n", ".\n", "aw ", "Ana, ", '"a'])
def test_a_long_hostile_message_is_read_about_as_fast_as_any_other(filler: str) -> None:
    """Time that grows with the square of the length would be minutes."""
    text = "always " + filler * (100_000 // len(filler))
    begun = time.process_time()
    features(text)
    assert time.process_time() - begun < 2
