"""What a message is read as: its values, its cues, whose it is, and when it says nothing at all."""

from datetime import UTC, datetime

import pytest

from extract.reconcile.reading import Cue, read
from extract.reconcile.values import values_of

MAY = datetime(2024, 5, 1, 9, tzinfo=UTC)


@pytest.mark.parametrize(
    "text",
    [
        "Maybe I'll move to Bern.",
        "If I lived in Bern I'd cycle more.",
        "Would you move to Bern?",
        "Tom says he moved to Bern.",
        "I almost bought the boat.",
        "In the film the captain moved to Bern.",
        "Thanks, that's great!",
    ],
)
def test_what_is_no_plain_assertion_tells_nothing(text):
    assert read(text, "Ana", MAY) is None


@pytest.mark.parametrize(
    ("text", "owner", "attribute", "value"),
    [
        ("I live in Bern.", "ana", "residence", {"bern"}),
        ("We moved to Basel last week.", "ana", "residence", {"basel"}),
        ("My sister lives in Chur.", "ana's sister", "residence", {"chur"}),
        ("Ben works at Novartis as a chemist.", "ben", "employer", {"novarti", "chemist"}),
        ("I quit my job.", "ana", "employer", {"-"}),
        ("I've gone vegan.", "ana", "diet", {"vegan"}),
    ],
)
def test_lasting_attributes_are_read_with_their_owner(text, owner, attribute, value):
    [found] = read(text, "Ana", MAY).attributes
    assert (found.owner, found.name, set(found.value)) == (owner, attribute, value)


@pytest.mark.parametrize(
    ("text", "cue"),
    [
        ("The launch was postponed to 9 May.", Cue.MOVED),
        ("The launch is on 9 May now.", Cue.CHANGE),
        ("I cancelled the gym.", Cue.END),
        ("Sorry, I meant the 9th.", Cue.CORRECTION),
        ("I'm going to paint the hall.", Cue.PLAN),
        ("We have a second car as well.", Cue.ADDED),
        ("I drink less coffee.", Cue.SOFTER),
    ],
)
def test_cues(text, cue):
    assert read(text, "Ana", MAY).cues & cue


def test_what_is_said_to_be_over_and_not_to_be_so_stand_apart():
    told = read("We meet on Friday, not Thursday, and I cancelled the gym.", "Ana", MAY)
    assert "thursday" in told.refused
    assert "gym" in told.over
    assert told.values.weekdays == {"fri"}


def test_values():
    told = values_of("The meeting is at 15:00 on 12 March, room 4, and costs €1,200. Call +41 44 555 01 23 by half past two.")
    assert (told.days, told.months, told.clocks) == ({12}, {"mar"}, {900, 150})
    assert told.amounts["money"] == {1200}
    assert told.codes == {"+41445550123"}


@pytest.mark.parametrize(
    ("one", "other", "differ"),
    [
        ("on the 3rd", "on the 9th", True),
        ("on 3 May", "on May 3rd", False),
        ("at 3 pm", "at 15:00", False),
        ("40k", "55,000", True),
        ("five people", "three people", True),
        ("five people", "three rooms", False),
        ("on Friday", "at 10:30", False),
    ],
)
def test_values_differ_only_within_their_kind(one, other, differ):
    assert values_of(one).differ(values_of(other)) is differ
