import time

import pytest

from graph.retrieval.planning.meta_phrases import without_meta_phrases
from graph.retrieval.planning.question import (
    QueryIntent,
    dense_excerpt,
    named_speakers,
    query_intents,
    without_names,
)


@pytest.mark.parametrize(
    "text",
    [
        "when did maria move?",
        "how long have they been married?",
        "which year was it?",
        "what month did she leave in?",
        "since when?",
        "when?",
    ],
)
def test_questions_for_a_time(text: str) -> None:
    assert QueryIntent.WHEN in query_intents(text)


@pytest.mark.parametrize(
    "text", ["what does she do when she is sad?", "when building an app, what fails?", "who is ana?", "how many dogs has ben?"]
)
def test_other_questions_ask_for_no_time(text: str) -> None:
    assert QueryIntent.WHEN not in query_intents(text)


@pytest.mark.parametrize(
    "text",
    [
        "what did you recommend for dinner?",
        "you said it was cheap, right?",
        "what was your advice on visas?",
        "what did the assistant list?",
    ],
)
def test_questions_about_the_assistants_words(text: str) -> None:
    assert QueryIntent.ASSISTANT in query_intents(text)
    assert QueryIntent.ADVICE not in query_intents(text)


@pytest.mark.parametrize(
    "text", ["can you suggest a good film?", "how do i fix this error?", "help me plan a trip", "any tips for packing?"]
)
def test_requests_for_advice(text: str) -> None:
    assert QueryIntent.ADVICE in query_intents(text)
    assert QueryIntent.ASSISTANT not in query_intents(text)


@pytest.mark.parametrize("text", ["can you summarise what i said about visas?", "have i mentioned my sister?", "where did ana go?"])
def test_recalling_is_no_advice(text: str) -> None:
    assert QueryIntent.ADVICE not in query_intents(text)


@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        ("where did she go?", QueryIntent.NAME),
        ("what is the name of her dog?", QueryIntent.NAME),
        ("which books has he read?", QueryIntent.NAME),
        ("who came along?", QueryIntent.NAME | QueryIntent.WHO),
        ("why did he leave?", QueryIntent.WHY),
        ("how are ines and maria related?", QueryIntent.RELATION),
        ("how does tom know laura?", QueryIntent.RELATION),
        ("what inspired her to paint?", QueryIntent.WHY | QueryIntent.WHAT),
        ("what does she grow?", QueryIntent.WHAT),
        ("how does it feel?", QueryIntent(0)),
    ],
)
def test_the_kind_of_answer_is_told_from_the_question(text: str, wanted: QueryIntent) -> None:
    kinds = QueryIntent.NAME | QueryIntent.WHAT | QueryIntent.WHO | QueryIntent.WHY | QueryIntent.RELATION
    assert query_intents(text) & kinds & ~(QueryIntent.WHAT if QueryIntent.NAME in wanted else QueryIntent(0)) == wanted


@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        ("can you summarise the garden project?", QueryIntent.SUMMARY | QueryIntent.OVERVIEW),
        ("in which order did i bring up my plans?", QueryIntent.OWN_WORDS),
        ("list the order in which i brought up my plans", QueryIntent.OVERVIEW | QueryIntent.OWN_WORDS),
        ("what is my budget?", QueryIntent.OWN_WORDS),
        ("what did you recommend to me?", QueryIntent(0)),
        ("how should i pack?", QueryIntent(0)),
    ],
)
def test_overviews_and_ones_own_words_are_told_from_advice(text: str, wanted: QueryIntent) -> None:
    assert query_intents(text) & (QueryIntent.SUMMARY | QueryIntent.OVERVIEW | QueryIntent.OWN_WORDS) == wanted


@pytest.mark.parametrize(
    ("text", "named"),
    [
        ("What did Ana's sister say?", ("Ana",)),
        ("WHAT DID ANA SAY", ("Ana",)),
        ("where does maria live?", ("Maria da Silva",)),
        ("Ana and Ben met", ("Ana", "Ben")),
        ("Did Mar like it?", ("Maria da Silva",)),
        ("an analysis of bananas", ()),
        ("Will it rain?", ("Will",)),
        ("when will it rain?", ()),
        ("the user asked the assistant", ()),
    ],
)
def test_speakers_are_named_by_full_first_or_short_name(text: str, named: tuple[str, ...]) -> None:
    speakers = ("Ana", "Ben", "Maria da Silva", "Will", "user", "assistant")
    assert named_speakers(text, speakers)[0] == named


@pytest.mark.parametrize(
    ("text", "names", "stripped"),
    [
        ("What is Ana's favourite film?", {"ana"}, "What is favourite film?"),
        ("Where did Ana, Ben’s sister, go ?", {"ana", "ben"}, "Where did, sister, go?"),
        ("Ana?", {"ana"}, "Ana?"),
        ("bananas", {"ana"}, "bananas"),
        ("what about a.b (c*?", {"a.b"}, "what about (c*?"),
    ],
)
def test_names_leave_the_text_that_is_embedded(text: str, names: set[str], stripped: str) -> None:
    assert without_names(text, frozenset(names)) == stripped


@pytest.mark.parametrize(
    ("text", "stripped"),
    [
        ("Can you tell me about the trip to Lisbon?", "the trip to Lisbon?"),
        ("Can you give me a short summary of the garden project so far?", "the garden project?"),
        ("Did I mention where my sister lives?", "where my sister lives?"),
        ("Can you?", "Can you?"),
        ("She bought milk in order to bake", "She bought milk in order to bake"),
    ],
)
def test_talk_about_the_memory_leaves_the_text_that_is_embedded(text: str, stripped: str) -> None:
    assert without_meta_phrases(text) == stripped


def test_a_long_text_is_read_from_both_ends() -> None:
    excerpt = dense_excerpt(" ".join(str(i) for i in range(10_000)), 180).split()
    assert len(excerpt) == 180
    assert excerpt[0] == "0"
    assert excerpt[-1] == "9999"


@pytest.mark.parametrize("filler", ["how did ", "how many a ", "you had ", "what a b ", "in order "])
def test_a_long_hostile_question_is_understood_about_as_fast_as_any_other(filler: str) -> None:
    """Time that grows with the square of the length would be half a minute."""
    begun = time.process_time()
    query_intents(filler * (100_000 // len(filler)))
    assert time.process_time() - begun < 4
