import numpy as np

from graph.retrieval.fuse import Ledger
from graph.retrieval.pick import Scored, pick


def scored(candidates, scores: list[float]) -> Scored:
    ledger = Ledger(np.zeros(len(candidates)))
    values = np.array(scores, dtype=np.float64)
    ledger.add("dense", values, values, 1.0)
    return Scored(candidates, ledger)


def rows(candidates, scores: list[float], k: int) -> list[int]:
    return [p.row for p in pick([scored(candidates, scores)], k)]


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
    picks = pick([scored(one, [0.9, 0.1]), scored(other, [0.5])], 2)
    assert [(p.namespace, p.row) for p in picks] == [(0, 0), (1, 0)]


def test_an_empty_namespace_answers_with_nothing(columns) -> None:
    assert pick([scored(columns([], ()), [])], 5) == []
