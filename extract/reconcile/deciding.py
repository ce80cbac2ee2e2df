"""Whether a later statement replaces an earlier one, says the same, or leaves it standing.

Rules that are certain, in order; where none of them is, both statements stand. A wrong "replaced" hides what is still true, and costs more
than two answers side by side.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from extract.reconcile.reading import Attribute, Cue, Reading
from graph.model import DISTANT_PAST, EdgeKind

# Something is corrected soon after it was said, often in words that do not name it again.
SOON = timedelta(hours=2)
# Cosines of MiniLM: from here on two short texts are about one matter, or say the same. Chosen on the development pairs
# (tests/extract/reconcile/pairs_dev.jsonl).
_LOOSELY = 0.3
_RELATED = 0.45
_ABOUT_ONE = 0.5
_NEAR = 0.6
_SAME = 0.8
# Who tells of more in one message tells of too much for one thing to be the matter.
_MOST_TOPICS = 6
# A plan and its outcome, a state and its end: what does not hold beside the other.
_ASIDE = Cue.ADDED | Cue.SOFTER


@dataclass(frozen=True, slots=True)
class Decision:
    """What a later statement does to an earlier one.

    Attributes:
        kind: SUPERSEDES, MAY_SUPERSEDE or REPEATS.     reason: in a few words.     confidence: 0 to 1.
        valid_from: from when on the earlier one no longer holds; DISTANT_PAST where it never did.
    """

    kind: EdgeKind
    reason: str
    confidence: float
    valid_from: datetime


@dataclass(frozen=True, slots=True)
class Pair:
    """Two readings, the one said first in front.

    Attributes:
        similarity: the cosine of their texts, -1 to 1; None where there are no vectors.
        common: topics that many texts have, and that tell nothing of whether two are about one thing.
        rarity: by topic how few texts have it, 0 (all) to 1 (one); unknown ones are left out.
    """

    earlier: Reading
    later: Reading
    similarity: float | None = None
    common: frozenset[str] = frozenset()
    rarity: Mapping[str, float] = field(default_factory=dict)

    @property
    def shared(self) -> int:
        """How many topics they share that few others have."""
        return len((self.earlier.topics & self.later.topics) - self.common)

    def near(self, least: float) -> bool:
        """Whether the vectors are so near; where there are none, whether most topics are the same."""
        if self.similarity is not None:
            return self.similarity >= least
        return self.shared >= 2 and self.shared >= least * min(len(self.earlier.topics), len(self.later.topics))


def decide(pair: Pair) -> Decision | None:
    """What the later one does to the earlier one; None where both stand."""
    if is_of_two_people(pair):
        return None
    for rule in (_corrected, _attribute_changed, _moved, _ended, _came_about, _said_again):
        if (found := rule(pair)) is not None:
            return found
    return None


def _superseded(pair: Pair, reason: str, confidence: float) -> Decision:
    return Decision(EdgeKind.SUPERSEDES, reason, confidence, pair.later.said_at)


def is_of_two_people(pair: Pair) -> bool:
    """Whether the two tell of different people, as far as the words show it."""
    earlier, later = pair.earlier, pair.later
    if not earlier.people or not later.people or earlier.people & later.people:
        return False
    # Somebody who is a topic of the other text is told of there.
    return not (_named_in(earlier.people, later) or _named_in(later.people, earlier))


def _named_in(people: frozenset[str], reading: Reading) -> bool:
    return any(word.rstrip("'’s") in topic or topic in word for person in people for word in person.split() for topic in reading.topics)


def _corrected(pair: Pair) -> Decision | None:
    earlier, later = pair.earlier, pair.later
    if not later.cues & Cue.CORRECTION or later.speaker != earlier.speaker:
        return None
    soon = later.said_at - earlier.said_at <= SOON
    about_it = pair.shared > 0 or bool(later.refused & earlier.topics)
    other = later.values.differ(earlier.values) or later.values.brings_other_than(earlier.values)
    if (soon and ((about_it and pair.near(_LOOSELY)) or other)) or (
        about_it and (other or later.refused & earlier.topics) and pair.near(_ABOUT_ONE)
    ):
        return Decision(EdgeKind.SUPERSEDES, "correction", 0.9, DISTANT_PAST)
    return None


def _attribute_changed(pair: Pair) -> Decision | None:
    later = pair.later
    if later.cues & (_ASIDE | Cue.PLAN | Cue.PAST) or pair.earlier.cues & (Cue.PLAN | Cue.PAST):
        return None
    changed = changed_attribute(pair)
    return None if changed is None else _superseded(pair, f"another {changed.name}", 0.9)


def changed_attribute(pair: Pair) -> Attribute | None:
    """An attribute of the earlier one that has another value in the later one."""
    for one in pair.earlier.attributes:
        if any(one.slot == other.slot and not _same_value(one, other) for other in pair.later.attributes):
            return one
    return None


def _same_value(one: Attribute, other: Attribute) -> bool:
    return bool(one.value & other.value)


def _moved(pair: Pair) -> Decision | None:
    """The same thing with another date, time, amount or number."""
    earlier, later = pair.earlier, pair.later
    if later.cues & (Cue.ADDED | Cue.NEGATED) or not later.values.brings_other_than(earlier.values):
        return None
    if not pair.shared or (pair.shared < 2 and 2 * pair.shared < min(len(earlier.topics), len(later.topics))):
        return None
    if len(earlier.topics) > _MOST_TOPICS:
        return None
    told = (later.cues & Cue.MOVED and pair.near(_ABOUT_ONE)) or (later.cues & Cue.CHANGE and pair.near(_NEAR))
    if told and (pair.shared >= 2 or later.values.differ(earlier.values)):
        return _superseded(pair, "moved" if earlier.values.is_day or earlier.values.clocks else "another value", 0.9)
    return None


def _ended(pair: Pair) -> Decision | None:
    """What is said to be over, given up or replaced is what was told."""
    earlier, later = pair.earlier, pair.later
    over = (later.over | later.refused if later.cues & Cue.MOVED else later.over) & earlier.topics
    if not over or later.cues & (_ASIDE | Cue.CORRECTION) or earlier.over:
        return None
    if len(earlier.topics) > _MOST_TOPICS or 2 * len(over) < min(len(earlier.topics), len(later.over | later.refused)):
        return None
    if (later.cues & Cue.CHANGE and pair.near(_LOOSELY)) or (
        pair.near(_RELATED) and (len(over) >= 2 or pair.near(_ABOUT_ONE) or 2 * len(over) >= len(earlier.topics))
    ):
        return _superseded(pair, "cancelled" if earlier.cues & Cue.PLAN else "ended", 0.85)
    return None


def _came_about(pair: Pair) -> Decision | None:
    """A plan, and what became of it."""
    earlier, later = pair.earlier, pair.later
    if not is_outcome(pair) or later.cues & Cue.ADDED or earlier.speaker != later.speaker:
        return None
    done = _carried_out(pair)
    if (len(done) >= 2 and pair.near(_RELATED)) or (earlier.values and pair.near(_RELATED)) or pair.near(_NEAR):
        return _superseded(pair, "outcome of a plan", 0.8)
    return None


def is_outcome(pair: Pair) -> bool:
    """Whether the later one tells that what the earlier one planned was done, or is over."""
    return bool(_carried_out(pair)) and bool(pair.later.cues & (Cue.DONE | Cue.END)) and not pair.later.planned


def _carried_out(pair: Pair) -> frozenset[str]:
    return pair.earlier.planned & pair.later.topics - pair.common


def _said_again(pair: Pair) -> Decision | None:
    earlier, later = pair.earlier, pair.later
    if later.cues & (Cue.CHANGE | Cue.END | Cue.CORRECTION | Cue.ADDED | Cue.AGAIN):
        return None
    opposed = (earlier.cues ^ later.cues) & (Cue.NEGATED | Cue.PLAN | Cue.SOFTER | Cue.PAST)
    if (
        opposed
        or earlier.values != later.values
        or earlier.people != later.people
        or pair.shared < 2
        or earlier.is_partial
        or later.is_partial
    ):
        return None
    if 2 * pair.shared >= len(earlier.topics | later.topics) and pair.near(_SAME):
        return Decision(EdgeKind.REPEATS, "says the same", 0.9, later.said_at)
    return None
