import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from graph.retrieval.ranking.ledger import Ledger
from graph.retrieval.ranking.select_hits import ScoredCandidates, select_hits


def scored(candidates, scores: list[float]) -> ScoredCandidates:
    ledger = Ledger(len(candidates))
    values = np.array(scores, dtype=np.float64)
    ledger.add("dense", values, values, 1.0)
    return ScoredCandidates.of(candidates, ledger)


def rows(candidates, scores: list[float], k: int) -> list[int]:
    return [p.row for p in select_hits([scored(candidates, scores)], k)]


def test_a_fact_is_passed_over_when_its_message_is_in(columns, memory) -> None:
    candidates = columns([memory("a"), memory("b"), memory("fact of a", rests_on=(0,))], ())
    assert rows(candidates, [0.9, 0.2, 0.5], 3) == [0, 1]


def test_a_message_is_passed_over_when_a_fact_that_ranks_higher_rests_on_it(columns, memory) -> None:
    candidates = columns([memory("a"), memory("b"), memory("fact of a", rests_on=(0,)), memory("another", rests_on=(0,))], ())
    assert rows(candidates, [0.5, 0.2, 0.9, 0.8], 3) == [2, 1]


def test_a_fact_that_rests_on_more_than_what_is_in_counts(columns, memory) -> None:
    candidates = columns([memory("a"), memory("b"), memory("fact of both", rests_on=(0, 1))], ())
    assert rows(candidates, [0.9, 0.2, 0.5], 3) == [0, 2]


def test_what_does_not_pass_the_filter_is_never_returned(columns, memory) -> None:
    candidates = columns([memory("a", eligible=False), memory("fact of a", rests_on=(0,))], ())
    assert rows(candidates, [0.9, 0.5], 3) == [1]


def test_memories_that_nothing_speaks_for_are_not_returned(columns, memory) -> None:
    assert rows(columns([memory("a"), memory("b")], ()), [0.0, 0.5], 5) == [1]


def test_among_equals_the_later_said_comes_first(columns, memory) -> None:
    candidates = columns([memory("a", said_at=1), memory("b", said_at=3), memory("c", said_at=2)], ())
    assert rows(candidates, [0.5, 0.5, 0.5], 3) == [1, 2, 0]


def test_namespaces_share_one_ranking(columns, memory) -> None:
    one, other = columns([memory("a"), memory("b")], ()), columns([memory("c")], ())
    selected = select_hits([scored(one, [0.9, 0.1]), scored(other, [0.5])], 2)
    assert [(p.namespace, p.row) for p in selected] == [(0, 0), (1, 0)]


def test_an_empty_namespace_answers_with_nothing(columns) -> None:
    assert select_hits([scored(columns([], ()), [])], 5) == []


@st.composite
def _many(draw: st.DrawFn, memory: type) -> tuple[list, list[float]]:
    """More memories than are put in order at first, with many equals among them."""
    messages = [memory("m", said_at=draw(st.integers(0, 2)), eligible=draw(st.booleans())) for _ in range(draw(st.integers(1, 30)))]
    places = st.integers(0, len(messages) - 1)
    facts = [memory("f", rests_on=tuple(draw(st.sets(places, min_size=1, max_size=3)))) for _ in range(draw(st.integers(0, 20)))]
    there = [*messages, *facts]
    return there, [draw(st.sampled_from([0.0, 0.1, 0.5, 0.9])) for _ in there]


@given(st.data(), st.integers(1, 8))
def test_the_picks_are_those_of_going_through_all_in_order(columns, memory, data: st.DataObject, k: int) -> None:
    there, scores = data.draw(_many(memory))
    candidates = columns(there, ())
    order = sorted(range(len(there)), key=lambda row: (-scores[row], -candidates.said_at[row], -candidates.seq[row]))
    picked, covered = [], set()
    for row in (row for row in order if scores[row] > 0 and there[row].eligible):
        stands_for = set(there[row].rests_on) or {row}
        if not stands_for <= covered and len(picked) < k:
            covered |= stands_for
            picked.append(row)
    assert rows(candidates, scores, k) == picked
