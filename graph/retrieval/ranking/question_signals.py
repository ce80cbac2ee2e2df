"""What a question asks for, as signals: somebody's words, a time, a name, a reason, what the assistant said, standing instructions."""

import numpy as np

from graph.model import NodeKind, Role
from graph.retrieval.answer import QueryPlan
from graph.retrieval.planning.question import QueryIntent
from graph.retrieval.ranking.channel_scores import Bools, ChannelMaxima, ChannelScores
from graph.retrieval.ranking.ledger import Ledger
from graph.retrieval.ranking.scoring import Float64
from graph.retrieval.recipes import Recipe
from graph.store.candidates import Candidates
from graph.text.features import Feature

# What may hold a name ("what did she paint?") needs one less than what must ("where was she?").
_WHAT = 0.25
# How to say it matters less where a person asks for something that they said themselves.
_OF_ONESELF = 0.5
# The length, in terms, from which on a message of somebody counts as saying more, and how many times that is as much as can be said.
_SHORT, _LONG = 8.0, 10.0
_USER, _RELATION = int(Role.USER), int(NodeKind.RELATION)


def add_question_signals(
    ledger: Ledger,
    candidates: Candidates,
    channel_scores: ChannelScores,
    dense: Float64,
    maxima: ChannelMaxima,
    plan: QueryPlan,
    recipe: Recipe,
) -> None:
    """Adds every signal that depends on what is asked for. `dense` is the dense channel's measure on the common scale."""
    if len(plan.speakers) == 1 and plan.speakers[0] in candidates.speakers:
        _add(ledger, "speaker", candidates.speaker == candidates.speakers.index(plan.speakers[0]), recipe.speaker)
    if plan.times:
        ledger.add("dates", channel_scores.dates, channel_scores.dates, recipe.dates)
    if plan.asks_when:
        _add(ledger, "when", _has(candidates, Feature.TIME_EXPRESSION), recipe.when)
    _add_answer_kinds(ledger, candidates, plan.intents, recipe)
    if maxima.beside_assistant:
        _add_beside_an_assistant(ledger, candidates, channel_scores, dense, plan.intents, recipe)
    else:
        _add_between_people(ledger, candidates, channel_scores, recipe)


def _add_answer_kinds(ledger: Ledger, candidates: Candidates, intents: QueryIntent, recipe: Recipe) -> None:
    """What kind of thing the answer is: a name, people, a relation, a reason."""
    if intents & (QueryIntent.NAME | QueryIntent.WHAT):
        names = np.where(_has(candidates, Feature.NAME), 1.0 if QueryIntent.NAME in intents else _WHAT, 0.0)
        ledger.add("names", names, names, recipe.names)
    if QueryIntent.WHO in intents:
        _add(ledger, "people", _has(candidates, Feature.PEOPLE), recipe.people)
    if QueryIntent.RELATION in intents:
        _add(ledger, "relations", candidates.kind == _RELATION, recipe.relations)
    if QueryIntent.WHY in intents:
        _add(ledger, "reasons", _has(candidates, Feature.REASON), recipe.reasons)


def _add_between_people(ledger: Ledger, candidates: Candidates, channel_scores: ChannelScores, recipe: Recipe) -> None:
    """Who asks tells little, and who says more tells more."""
    asking = _has(candidates, Feature.QUESTION) & ~_has(candidates, Feature.IMAGE) & ~channel_scores.is_statement
    _add(ledger, "asking", asking, recipe.asking)
    terms: Float64 = np.bincount(candidates.passage_row, weights=candidates.length, minlength=len(candidates)).astype(np.float64)
    length = np.minimum(np.log1p(terms / _SHORT) / np.log1p(_LONG), 1.0)
    # Of what has nothing to do with the question, saying much is no merit.
    length[channel_scores.is_statement | (channel_scores.lexical + channel_scores.dense <= 0)] = 0.0
    ledger.add("length", terms, length, recipe.length)


def _add_beside_an_assistant(
    ledger: Ledger, candidates: Candidates, channel_scores: ChannelScores, dense: Float64, intents: QueryIntent, recipe: Recipe
) -> None:
    """Whose words are asked for, and what the person asked to be done from now on."""
    _add(ledger, "assistant", channel_scores.is_assistant, recipe.assistant)
    for name, kind, weight in (
        ("asked_assistant", QueryIntent.ASSISTANT, recipe.asked_assistant),
        ("own_words", QueryIntent.OWN_WORDS, recipe.own_words),
        ("summary", QueryIntent.SUMMARY, recipe.summary),
    ):
        if kind in intents:
            _add(ledger, name, channel_scores.is_assistant, weight)
    # Who asks to be reminded of what was said wants no advice, and no instruction on how to give it.
    if not intents & (QueryIntent.RECALL | QueryIntent.OVERVIEW):
        is_instruction = _has(candidates, Feature.INSTRUCTION) & (candidates.role == _USER)
        value = _greatest(np.where(is_instruction, dense, 0.0), recipe.instruction_limit)
        value *= _OF_ONESELF if QueryIntent.OWN_WORDS in intents else 1.0
        ledger.add("instruction", np.where(is_instruction, channel_scores.dense, 0.0), value, recipe.instruction)


def _greatest(values: Float64, limit: int) -> Float64:
    """The `limit` greatest values, and as many as are equal to the last of them; 0 for all others."""
    if not limit:
        return np.zeros(len(values))
    if np.count_nonzero(values) <= limit:
        return values
    return np.where(values >= np.partition(values, -limit)[-limit], values, 0.0)


def _has(candidates: Candidates, feature: Feature) -> Bools:
    found: Bools = (candidates.features & int(feature)) != 0
    return found


def _add(ledger: Ledger, name: str, applies: Bools, weight: float) -> None:
    value = applies.astype(np.float64)
    ledger.add(name, value, value, weight)
