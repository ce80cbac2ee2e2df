"""Fusion: scores recompute from explanations, and what does not belong to the question does not move what does."""

from dataclasses import replace

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from graph.model import Granularity, Role, TimeSpan, from_micros
from graph.retrieval.answer import QueryPlan
from graph.retrieval.explaining.explain import contributions_of
from graph.retrieval.planning.question import QueryIntent
from graph.retrieval.ranking.channel_scores import channel_maxima, score_channels
from graph.retrieval.ranking.fuse import fuse
from graph.retrieval.ranking.ledger import Ledger
from graph.retrieval.recipes import RECIPES
from graph.store.candidates import Candidates

TERMS = ("paint", "sunris", "lake")
TEXTS = st.sampled_from(
    [
        "I painted a sunrise",
        "the lake at sunrise",
        "What did you paint?",
        "a lake",
        "tea with milk",
        "Always paint lakes",
        "yesterday at the lake",
    ]
)
HYBRID = RECIPES["hybrid"]


def scored(candidates: Candidates, plan: QueryPlan) -> Ledger:
    channel_scores = score_channels(candidates, plan.times, HYBRID)
    return fuse(candidates, channel_scores, channel_maxima([channel_scores]), plan, HYBRID)


@st.composite
def memories(draw: st.DrawFn, memory: type) -> list:
    messages = [
        memory(
            draw(TEXTS),
            speaker=draw(st.sampled_from(["Ana", "Ben"])),
            session=draw(st.integers(1, 3)),
            said_at=draw(st.integers(0, 100)),
            cosine=draw(st.floats(-0.5, 1)),
            role=draw(st.sampled_from([Role.USER, Role.ASSISTANT])),
        )
        for _ in range(draw(st.integers(1, 8)))
    ]
    messages.sort(key=lambda m: m.session)
    facts = [
        memory(draw(TEXTS), cosine=draw(st.floats(-0.5, 1)), rests_on=(draw(st.integers(0, len(messages) - 1)),))
        for _ in range(draw(st.integers(0, 4)))
    ]
    return [*messages, *facts]


PLANS = st.builds(
    QueryPlan,
    recipe=st.just("hybrid"),
    terms=st.just(TERMS),
    speakers=st.sampled_from([(), ("Ana",), ("Ana", "Ben"), ("Nobody",)]),
    times=st.sampled_from([(), (TimeSpan(from_micros(10), from_micros(60), Granularity.DAY),)]),
    intents=st.integers(0, 2 ** len(QueryIntent) - 1).map(QueryIntent),
)


@given(st.data(), PLANS)
def test_every_score_is_the_sum_of_its_explanation(columns, memory, data: st.DataObject, plan: QueryPlan) -> None:
    candidates = columns(data.draw(memories(memory)), TERMS)
    ledger = scored(candidates, plan)
    for row in range(len(candidates)):
        contributions = contributions_of(candidates, ledger, None, row)
        assert abs(sum(c.points for c in contributions) - ledger.total()[row]) < 1e-9
        assert all(c.points == c.weight * c.value and -1e-9 <= c.value <= 1 + 1e-9 for c in contributions)
        assert all(not c.from_id or c.from_id in candidates.ids for c in contributions)


@given(st.data(), PLANS)
def test_a_memory_beside_the_point_in_another_session_changes_nothing(columns, memory, data: st.DataObject, plan: QueryPlan) -> None:
    there = data.draw(memories(memory))
    without = columns(there, TERMS)
    added = columns([*there, memory("zebras", speaker="Cleo", session=99, said_at=-5, cosine=0.0)], TERMS)
    # The namespace's statistics count the new memory; what is compared is what retrieval makes of the same statistics.
    before, after = scored(replace(without, statistics=added.statistics), plan), scored(added, plan)
    np.testing.assert_allclose(after.total()[:-1], before.total(), atol=1e-12)


def test_the_order_of_rows_does_not_matter(columns, memory) -> None:
    there = [memory("I painted a sunrise", session=i, cosine=0.1 * i) for i in range(1, 6)]
    plan = QueryPlan("hybrid", TERMS)
    forward = scored(columns(there, TERMS), plan).total()
    backward = scored(columns(there[::-1], TERMS), plan).total()
    np.testing.assert_allclose(forward, backward[::-1])


def score_of(columns, memory, plan: QueryPlan, *there) -> np.ndarray:
    return scored(columns(there, TERMS), plan).total()


def test_an_answer_is_found_by_its_question(columns, memory) -> None:
    plan = QueryPlan("hybrid", TERMS)
    score = score_of(
        columns,
        memory,
        plan,
        memory("Did you paint the sunrise?", cosine=0.8),
        memory("Yes!", "Ben"),
        memory("Hm.", session=2),
        memory("Yes!", "Ben", 2),
    )
    assert score[1] > score[3]


def test_a_fact_lends_to_the_message_it_rests_on_and_says_so(columns, memory) -> None:
    candidates = columns([memory("It was great"), memory("Nice"), memory("Ana painted a sunrise", cosine=0.9, rests_on=(0,))], TERMS)
    ledger = scored(candidates, QueryPlan("hybrid", TERMS))
    assert ledger.total()[0] > ledger.total()[1]
    lent = [c for c in contributions_of(candidates, ledger, None, 0) if c.signal == "facts"]
    assert [c.from_id for c in lent] == ["fct_2"]


def test_the_speaker_asked_about_comes_first(columns, memory) -> None:
    plan = QueryPlan("hybrid", TERMS, speakers=("Ben",))
    score = score_of(columns, memory, plan, memory("I paint", "Ana"), memory("I paint", "Ben", session=2))
    assert score[1] > score[0]


def test_a_memory_of_the_time_asked_about_comes_first(columns, memory) -> None:
    plan = QueryPlan("hybrid", TERMS, times=(TimeSpan(from_micros(50), from_micros(60), Granularity.DAY),))
    said_then, named_it = memory("I paint", session=1, said_at=55), memory("I paint", session=2, spans=((40, 51),))
    score = score_of(columns, memory, plan, memory("I paint", session=3), said_then, named_it)
    assert score[1] > score[0] < score[2]


def test_an_assistants_words_count_only_where_they_are_asked_for(columns, memory) -> None:
    there = (memory("the lake", session=1, cosine=0.5), memory("the lake", "bot", session=2, cosine=0.5, role=Role.ASSISTANT))
    plain = score_of(columns, memory, QueryPlan("hybrid", TERMS), *there)
    asked = score_of(columns, memory, QueryPlan("hybrid", TERMS, intents=QueryIntent.ASSISTANT), *there)
    assert plain[1] < plain[0]
    assert asked[1] > plain[1]


def test_long_answers_do_not_leak_into_the_short_messages_beside_them(columns, memory) -> None:
    long_answer = memory("paint the sunrise at the lake " * 20, "bot", cosine=0.9, role=Role.ASSISTANT)
    beside, alone = memory("thanks"), memory("thanks", session=2)
    ledger = scored(columns([long_answer, beside, alone], TERMS), QueryPlan("hybrid", TERMS))
    lent = {s.name: s.value for s in ledger.signals}
    assert not any(lent[name][1] for name in ("lexical_window", "answer", "previous", "next") if name in lent)


def test_a_question_for_a_place_is_answered_by_what_names_something(columns, memory) -> None:
    there = (memory("I paint every day", session=1), memory("I paint in Lisbon", session=2))
    plain = score_of(columns, memory, QueryPlan("hybrid", TERMS), *there)
    asked = score_of(columns, memory, QueryPlan("hybrid", TERMS, intents=QueryIntent.NAME), *there)
    assert asked[1] - asked[0] > plain[1] - plain[0]


def test_who_asks_tells_less_than_who_tells(columns, memory) -> None:
    asking, telling = memory("the sunrise at the lake?", session=1), memory("the sunrise at the lake", session=2)
    score = score_of(columns, memory, QueryPlan("hybrid", TERMS), asking, telling)
    assert score[1] > score[0]


def test_of_standing_instructions_the_nearest_counts_most_and_none_where_an_overview_is_asked_for(columns, memory) -> None:
    answer = memory("Sure.", "bot", session=1, role=Role.ASSISTANT)
    near, far = memory("Always use metric units", session=2, cosine=0.6), memory("Always be brief", session=3, cosine=0.2)
    told = memory("I never use units", session=4, cosine=0.8)
    candidates = columns([answer, near, far, told], TERMS)

    def instructed(intents: QueryIntent) -> np.ndarray:
        signals = {signal.name: signal.value for signal in scored(candidates, QueryPlan("hybrid", TERMS, intents=intents)).signals}
        return signals.get("instruction", np.zeros(4))

    np.testing.assert_allclose(instructed(QueryIntent.ADVICE), [0, 0.75, 0.25, 0], atol=1e-6)
    assert not instructed(QueryIntent.OVERVIEW).any()


def test_an_overview_takes_from_many_places_of_a_chat(columns, memory) -> None:
    there = [memory("I painted a sunrise", session=1, cosine=0.9) for _ in range(6)]
    there += [memory("tea with milk", session=1, said_at=i) for i in range(20)]
    there.append(memory("I painted a lake", session=1, cosine=0.75))
    plain = score_of(columns, memory, QueryPlan("hybrid", TERMS), *there)
    spread = score_of(columns, memory, QueryPlan("hybrid", TERMS, intents=QueryIntent.OVERVIEW), *there)
    assert (plain > plain[-1]).sum() == 6
    assert (spread > spread[-1]).sum() < 6
