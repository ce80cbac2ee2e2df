import pytest

from bench.ablation.choosing import chosen_elsewhere, perturbed
from bench.ablation.intervals import difference, mean_of
from bench.ablation.parts import VARIANTS
from bench.ablation.searches import SearchedQuestion
from bench.counting import Judgement
from bench.dataset import Question
from graph.retrieval import RECIPES


def judged(*recalls: float) -> list[Judgement]:
    return [Judgement("any", dict.fromkeys(("recall@10", "recall@20", "recall@60"), recall)) for recall in recalls]


def asked(dataset: str, conversation: str) -> SearchedQuestion:
    found: object = None  # what the channels found plays no part in a choice
    return SearchedQuestion(dataset, conversation, Question("q", "?", "any", ("m",)), found, found, {})  # type: ignore[arg-type]


def test_what_is_left_out_is_left_out_of_turns_too() -> None:
    without = VARIANTS["without session"](RECIPES["hybrid"])
    assert without.session == without.of_turn.session == 0
    assert without.of_turn.recency == RECIPES["hybrid"].of_turn.recency > 0


def test_weights_of_turns_are_drawn_with_the_others() -> None:
    default = RECIPES["hybrid"]
    for recipe in perturbed(default, 3):
        assert recipe.of_turn.recency > 0
        assert recipe.of_turn.recency != default.of_turn.recency
        assert recipe.of_turn.session / default.of_turn.session == pytest.approx(recipe.session / default.session)
        assert recipe.of_turn.dense_limit == default.of_turn.dense_limit


def test_a_conversation_takes_no_part_in_the_choice_of_the_recipe_that_judges_it() -> None:
    questions = [asked("chats", name) for name in ("a", "b", "c")]
    # The second recipe is best on "a" alone; the others choose the first for it.
    first, second = judged(0.2, 0.9, 0.9), judged(1.0, 0.5, 0.5)

    held_out = chosen_elsewhere(questions, [first, second])

    assert [one.measures["recall@10"] for one in held_out] == [0.2, 0.5, 0.5]


def test_data_sets_weigh_the_same_in_a_choice() -> None:
    questions = [asked("long", "a"), *[asked("long", "b")] * 4, asked("short", "c")]
    # Without "a": by questions the first recipe is better (.56 to .52), by data sets the second (.5 to .55).
    first, second = judged(0.1, *[0.6] * 4, 0.4), judged(0.9, *[0.5] * 4, 0.6)

    assert chosen_elsewhere(questions, [first, second])[0].measures["recall@10"] == 0.9


def test_intervals_hold_the_mean_and_a_difference_is_taken_question_by_question() -> None:
    better, worse = judged(*[0.9, 0.5] * 20), judged(*[0.8, 0.4] * 20)

    mean, half = mean_of(worse, "recall@10", range(40))
    won, low, high = difference(better, worse, "recall@10", range(40))

    assert mean == 60
    assert 3 < half < 10
    assert (won, low, high) == (10, 10, 10)
