"""What the local consolidator keeps of a group: much in few sentences, dated, once each, with what is behind it."""

from dataclasses import replace
from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from extract.consolidate.local import LocalConsolidator
from extract.consolidate.local.aspects import Aspect, aspect_of
from extract.consolidate.local.candidates import candidates_of
from extract.consolidate.local.consolidator import profile_summary, thread_summary, window_summary
from extract.consolidate.local.selection import chosen
from extract.consolidate.port import Background, Source, SourceGroup, SourceSentence, SummaryDraft
from graph.model import Granularity, TimeSpan
from tests.extract.consolidate.groups import day, group, source

GARDEN = (
    "Ines bought three tomato plants at the market for the garden behind her house.",
    "Ines planted the tomato plants along the southern wall of the garden.",
    "The slugs ate two of the tomato plants in the garden during the night.",
    "Ines wants to build a greenhouse before the autumn storms come.",
    "Her brother Rui lives in Porto and works as a carpenter.",
    "Ines is allergic to strawberries.",
)


def texts(draft: SummaryDraft) -> list[str]:
    return [sentence.text for sentence in draft.sentences]


def test_every_sentence_is_one_that_was_said_and_names_the_event_behind_it() -> None:
    draft = window_summary(group(*GARDEN))
    assert 2 <= len(draft.sentences) <= 5
    for sentence in draft.sentences:
        assert sentence.source_ids == (f"evt_{GARDEN.index(sentence.text) + 1}",)
    assert draft.title


def test_what_is_said_twice_stands_once_with_both_events_behind_it() -> None:
    draft = window_summary(group(GARDEN[3], "It rained.", GARDEN[3].upper()))
    found = [sentence for sentence in draft.sentences if "greenhouse" in sentence.text]
    assert [(one.text, one.source_ids) for one in found] == [(GARDEN[3], ("evt_1", "evt_3"))]


def test_the_same_in_other_words_lends_its_event_where_vectors_say_so() -> None:
    vector = np.zeros(4, dtype=np.float16)
    vector[0] = 1
    other = np.roll(vector, 1)
    said = (("The flight to Oslo leaves on Monday morning", vector), ("The Monday morning flight leaves to Oslo early", vector))
    sources = tuple(
        replace(source(number, text), sentences=(SourceSentence(text, vector=one),))
        for number, (text, one) in enumerate((*said, ("Ines planted tomatoes along the wall", other)), 1)
    )
    draft = window_summary(SourceGroup(sources))
    assert ("evt_1", "evt_2") in [sentence.source_ids for sentence in draft.sentences]


def test_sentences_say_when_it_happened_once_and_in_the_zone() -> None:
    late = TimeSpan(datetime(2024, 5, 1, 22, tzinfo=UTC), datetime(2024, 5, 2, 22, tzinfo=UTC), Granularity.DAY)
    sources = (
        source(1, "Ines visited Rui in Porto.", time=late),
        source(2, "Rui came to see the garden on 7 May 2024.", time=day(2024, 5, 7)),
    )
    draft = window_summary(SourceGroup(sources, zone=ZoneInfo("Europe/Berlin")))
    assert texts(draft) == ["Ines visited Rui in Porto (2 May 2024).", "Rui came to see the garden on 7 May 2024."]


def test_a_thread_says_when_what_has_no_date_was_said() -> None:
    draft = thread_summary(group(*GARDEN[:2]))
    assert texts(draft)[0].endswith("her house (said on 5 March 2024).")


def test_a_threads_title_is_of_the_words_that_tell_it_from_others() -> None:
    one = group("Ines asked for a budget of the greenhouse.", "Ines compared glass for the greenhouse.", "Ines has a budget now.")
    draft = thread_summary(replace(one, background=Background(50, {"ine": 50, "compar": 3, "greenhous": 2, "budget": 4})))
    assert draft.title.split(", ")[:2] == ["greenhouse", "budget"]


def test_a_profile_tells_aspect_by_aspect_and_then_where_threads_stand() -> None:
    draft = profile_summary(
        group(
            "Ines lives in Lisbon with two dogs.",
            "Ines works as a nurse at the children's hospital.",
            "Ines planted tomatoes along the wall.",
            "Ines moved to Braga for the new hospital.",
            "Ines prefers tea without sugar.",
            "Ines wants to build a greenhouse.",
        )
    )
    assert draft.title == "Ines"
    assert [text.rpartition(" (")[0] for text in texts(draft)] == [
        "Ines moved to Braga for the new hospital",
        "Ines lives in Lisbon with two dogs",
        "Ines works as a nurse at the children's hospital",
        "Ines prefers tea without sugar",
        "Ines wants to build a greenhouse",
        "Ines planted tomatoes along the wall",
    ]


@pytest.mark.parametrize(
    ("text", "aspect"),
    [
        ("Everybody calls her Nini, but her name is Ines.", Aspect.NAME),
        ("Ines has two sisters.", Aspect.RELATION),
        ("Rui is married to a pilot.", Aspect.RELATION),
        ("Rui grew up in Faro.", Aspect.PLACE),
        ("Rui works for a bank.", Aspect.WORK),
        ("Rui is a software engineer.", Aspect.WORK),
        ("Ines never drinks coffee.", Aspect.PREFERENCE),
        ("Ines is planning to run a marathon.", Aspect.PLAN),
        ("Ines went to the market.", None),
        ("Does Ines have a sister?", None),
        ("Rui likes how she wrote it.", None),
        ("Rui wants to know more.", None),
    ],
)
def test_the_aspect_of_a_sentence(text: str, aspect: Aspect | None) -> None:
    assert aspect_of(text) is aspect


def test_a_group_that_says_nothing_has_an_empty_summary() -> None:
    empty = replace(source(1, "x"), sentences=())
    for summary in (window_summary, thread_summary, profile_summary):
        assert summary(SourceGroup((empty,))).sentences == ()


def test_a_context_is_never_a_source() -> None:
    draft = window_summary(group(*GARDEN[:3], context=GARDEN[3:]))
    assert {id_ for sentence in draft.sentences for id_ in sentence.source_ids} <= {"evt_1", "evt_2", "evt_3"}


def test_what_an_earlier_event_says_already_gives_way_to_what_is_new() -> None:
    both = candidates_of(group("Ines planted tomatoes along the wall.", "Rui repaired bicycles inside the garage.").sources, UTC, False)
    (first,) = chosen(both, (), 1)
    (second,) = chosen(both, [first], 1)
    assert {first.text, second.text} == {one.text for one in both}


async def test_five_thousand_sentences_of_a_thread_are_summarised_and_bounded() -> None:
    many = tuple(source(number, f"Step {number} of plan {number % 7} was finished by worker {number % 13}.") for number in range(5_000))
    found = await LocalConsolidator().threads([SourceGroup(many)])
    (draft,) = found.drafts
    assert draft is not None
    assert 1 <= len(draft.sentences) <= 16
    assert len(draft.title) <= 90


async def test_a_text_of_a_hundred_kilobytes_is_shortened() -> None:
    found = await LocalConsolidator().windows([group("word " * 20_000, "Ines lives in Braga.")])
    (draft,) = found.drafts
    assert draft is not None
    assert max(map(len, texts(draft))) <= 450


SENTENCES = st.lists(st.text(max_size=80), max_size=4).map(tuple)


@given(st.lists(SENTENCES, min_size=1, max_size=12))
def test_whatever_was_said_each_sentence_has_sources_of_its_group_and_no_repetition(said: list[tuple[str, ...]]) -> None:
    one = SourceGroup(tuple(_source(number, sentences) for number, sentences in enumerate(said)))
    for summary in (window_summary, thread_summary, profile_summary):
        draft = summary(one)
        assert draft == summary(one)
        assert len(set(texts(draft))) == len(draft.sentences)
        for sentence in draft.sentences:
            assert sentence.source_ids
            assert set(sentence.source_ids) <= {f"evt_{number}" for number in range(len(said))}


def _source(number: int, sentences: tuple[str, ...]) -> Source:
    return replace(source(number, "a title"), sentences=tuple(map(SourceSentence, sentences)))
