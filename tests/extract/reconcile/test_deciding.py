"""What a later message does to an earlier one."""

from datetime import UTC, datetime, timedelta

import pytest

from bench.reconcile.by_rules import by_rules
from bench.reconcile.counting import decide_all, score
from bench.reconcile.pairs import DEV, read_pairs
from extract.reconcile.deciding import Pair, decide
from extract.reconcile.reading import read
from graph.model import DISTANT_PAST, EdgeKind

MAY = datetime(2024, 5, 1, 9, tzinfo=UTC)


def decided(earlier, later, after=timedelta(days=20), similarity=0.7, speakers=("Ana", "Ana")):
    first, second = read(earlier, speakers[0], MAY), read(later, speakers[1], MAY + after)
    return decide(Pair(first, second, similarity)) if first and second else None


@pytest.mark.parametrize(
    ("earlier", "later"),
    [
        ("I live in Bern.", "I moved to Basel last week."),
        ("The launch is on 3 June.", "The launch was moved to 9 June."),
        ("Rent is 900 euros.", "They raised the rent to 980 euros."),
        ("I have a gym membership.", "I cancelled the gym membership."),
        ("I'm going to sell the boat in June.", "I sold the boat!"),
    ],
)
def test_what_changes_is_replaced(earlier, later):
    found = decided(earlier, later)
    assert found.kind is EdgeKind.SUPERSEDES
    assert found.valid_from == MAY + timedelta(days=20)


def test_what_is_corrected_never_held():
    found = decided("The launch is on Tuesday.", "Sorry, it's Thursday, not Tuesday.", timedelta(minutes=2))
    assert (found.reason, found.valid_from) == ("correction", DISTANT_PAST)


@pytest.mark.parametrize(
    ("earlier", "later"),
    [
        ("I live in Bern.", "My sister moved to Basel."),
        ("I live in Bern.", "Maybe I'll move to Basel."),
        ("The launch is on 3 June.", "The party was moved to 9 June."),
        ("I have a gym membership.", "I have a pool membership as well."),
        ("I love coffee.", "I drink a bit less coffee now."),
        ("I have a cat.", "My cat is black."),
    ],
)
def test_what_only_seems_to_change_stands(earlier, later):
    similarity = 0.4 if "party" in later else 0.7
    assert decided(earlier, later, similarity=similarity) is None


def test_what_is_said_again_repeats():
    assert decided("The cat is called Pickle.", "Pickle is what the cat is called.", similarity=0.9).kind is EdgeKind.REPEATS


def test_the_pairs_that_the_rules_were_made_on_are_decided_with_precision():
    replaced = score(decide_all(read_pairs(DEV), by_rules(held_out=False)), "supersede")
    assert replaced.precision >= 0.95
    assert replaced.recall >= 0.3
