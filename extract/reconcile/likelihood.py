"""How likely it is that a later statement replaces an earlier one, beside the rules that are certain.

A logistic model of what the two readings share. What is only likely hides nothing: it comes first where somebody asks
what holds now. Its numbers were fitted to pairs of messages that questions find together: those of which one replaced the other in the
project's own chats (bench/changes/chats.json), against those of which it did not, there, in LoCoMo and in six chats with an assistant.
"""

import math

from extract.reconcile.deciding import SOON, Decision, Pair, changed_attribute, decide, is_of_two_people, is_outcome
from extract.reconcile.reading import Cue
from graph.model import EdgeKind

# Below this nothing gains by it.
LEAST = 0.04
# Below this a rule is doubted; from here on no rule is needed.
_DOUBTED, _CERTAIN = 0.9, 0.99
# How rare a word is of which nothing is known.
_RARITY = 0.8
_SIGNS = Cue.CHANGE | Cue.MOVED | Cue.END | Cue.CORRECTION
_INTERCEPT = -8.2


def judge(pair: Pair) -> Decision | None:
    """What the later one does to the earlier one: by a rule that is certain, or else how likely it is to have replaced it.

    A rule that the model doubts does not replace, and what the model does not doubt needs no rule; both may have replaced. Without vectors
    the rules alone decide.
    """
    by_rule = decide(pair)
    if pair.similarity is None or (by_rule is not None and by_rule.kind is EdgeKind.REPEATS):
        return by_rule
    told = _tells_of_change(pair) or _has_other_values(pair)
    if by_rule is None and _is_of_one_sitting(pair) and not told:
        return None
    likelihood = likelihood_of(pair, pair.similarity)
    if by_rule is not None and likelihood >= _DOUBTED:
        return by_rule
    if likelihood >= _CERTAIN and told and not _is_out_of_question(pair):
        return Decision(EdgeKind.SUPERSEDES, "later, about the same", round(likelihood, 3), pair.later.said_at)
    if by_rule is not None or likelihood >= LEAST:
        return Decision(EdgeKind.MAY_SUPERSEDE, "later, about the same", round(likelihood, 3), pair.later.said_at)
    return None


def _is_out_of_question(pair: Pair) -> bool:
    """What stands beside what there was, was so before, or is about somebody else, what was asked, and names that differ by a number alone
    ("sprint 41", "sprint 42")."""
    later, earlier = pair.later, pair.earlier
    beside = later.cues & (Cue.ADDED | Cue.SOFTER | Cue.PAST)
    numbered = (later.values.amounts or {}).get("", frozenset()) != (earlier.values.amounts or {}).get("", frozenset())
    return bool(beside) or numbered or later.is_partial or earlier.asks or earlier.speaker != later.speaker or is_of_two_people(pair)


def _is_of_one_sitting(pair: Pair) -> bool:
    return pair.later.said_at - pair.earlier.said_at <= SOON


def _has_other_values(pair: Pair) -> bool:
    return pair.later.values.brings_other_than(pair.earlier.values)


def _tells_of_change(pair: Pair) -> bool:
    earlier, later = pair.earlier, pair.later
    told = later.cues & _SIGNS or (later.over | later.refused) & earlier.topics
    return bool(told) or is_outcome(pair) or changed_attribute(pair) is not None


def likelihood_of(pair: Pair, similarity: float) -> float:
    """From 0 to 1; what is half as likely among other memories is so here, too, but what 0.1 comes to depends on what there is."""
    earlier, later = pair.earlier, pair.later
    days = max(0.0, (later.said_at - earlier.said_at).total_seconds() / 86_400)
    share = pair.shared / max(1, min(len(earlier.topics), len(later.topics)))
    logit = (
        _INTERCEPT
        + 4.42 * similarity
        + 3.03 * share
        + 3.73 * share * _tells_of_change(pair)
        + 1.31 * max((pair.rarity.get(term, _RARITY) for term in earlier.topics & later.topics), default=0.0)
        + 2.74 * _has_other_values(pair)
        + 2.11 * bool(later.cues & Cue.CORRECTION)
        + 2.57 * bool(later.over & earlier.topics)
        + 2.39 * is_outcome(pair)
        + 8.68 * (changed_attribute(pair) is not None)
        + 0.81 * bool(later.cues & Cue.DONE)
        - 2.53 * later.asks
        # Within a sitting people go on about what holds; weeks later it may have changed.
        + 0.61 * math.log10(1 + 10 * days)
        # Who tells of more tells of too much for one thing to be the matter.
        - 1.93 * (math.log1p(len(earlier.topics)) - 1.5)
        - 1.76 * (math.log1p(len(later.topics)) - 1.5)
    )
    return 1 / (1 + math.exp(-logit))
