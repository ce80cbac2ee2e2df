"""What may have replaced what, where no rule is certain."""

from datetime import UTC, datetime, timedelta

import pytest

from extract.reconcile.deciding import Pair, decide
from extract.reconcile.likelihood import LEAST, judge, likelihood_of
from extract.reconcile.reading import read
from graph.model import EdgeKind

MAY = datetime(2024, 5, 1, 9, tzinfo=UTC)


def pair(earlier, later, similarity=0.55, after=timedelta(days=40)):
    first, second = read(earlier, "Ana", MAY), read(later, "Ana", MAY + after)
    topics = first.topics | second.topics
    return Pair(first, second, similarity, rarity=dict.fromkeys(topics, 0.8))


def chance(earlier, later, similarity=0.55, **more):
    return likelihood_of(pair(earlier, later, similarity, **more), similarity)


def test_what_is_later_and_about_the_same_may_have_replaced_it():
    found = pair("Our babysitter is Lotte.", "We've a wonderful babysitter, Frieda.")
    assert decide(found) is None
    decision = judge(found)
    assert decision is not None
    assert decision.kind is EdgeKind.MAY_SUPERSEDE
    assert LEAST <= decision.confidence <= 1
    assert decision.valid_from == MAY + timedelta(days=40)


@pytest.mark.parametrize("later", ["Our bus was late.", "The roses need water."])
def test_what_is_about_another_thing_may_not(later):
    assert judge(pair("Our babysitter is Lotte.", later, 0.1)) is None


def test_without_vectors_nothing_is_likely():
    assert judge(pair("Our babysitter is Lotte.", "We've a wonderful babysitter, Frieda.", None)) is None


@pytest.mark.parametrize(
    ("more", "less"),
    [
        # Another value, and words of change.
        ("Our babysitter takes 12 euros now.", "Our babysitter takes 10 euros."),
        ("Our babysitter takes 12 euros now.", "Our babysitter takes it easy."),
        # A question changes nothing.
        ("Frieda is our babysitter.", "Frieda is our babysitter. And who is yours?"),
        # Who tells of more tells of too much.
        (
            "Frieda is our babysitter.",
            "Frieda is our babysitter, the cellar smells of paint and the bicycle needs brakes, a lamp and a saddle.",
        ),
    ],
)
def test_what_makes_it_likelier(more, less):
    earlier = "Our babysitter takes 10 euros."
    assert chance(earlier, more) > chance(earlier, less)


def test_what_is_said_weeks_later_is_likelier_to_have_changed():
    texts = "Our babysitter is Lotte.", "Frieda is our babysitter."
    assert chance(*texts, after=timedelta(days=60)) > chance(*texts, after=timedelta(minutes=2))
