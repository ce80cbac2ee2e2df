"""How relevant a memory is to the query: a probability, from measures that mean the same in every answer.

The score of a hit orders one answer: its channels are scaled by the query's own best, so that the best of nothing looks like the best of
everything. Relevance is computed from what was measured before any scaling: the cosine itself, how much of what the query asks for the
memory holds, and whether it is of whom and of when the query speaks.

It is a logistic model. Its outcome is whether the memory is a piece of what answers the question, among the ten best hits of questions of
which half cannot be answered from the namespace. Fitted by `python -m bench relevance` to ten chats between two people (LoCoMo) and six
with an assistant (BEAM-100K), which weigh the same; each question was also asked with all names of speakers taken out. docs/benchmarks.md
says how well it separates.
"""

import numpy as np

from graph.retrieval.answer import QueryPlan
from graph.retrieval.ranking.channel_scores import ChannelScores
from graph.retrieval.ranking.passages import passage_runs
from graph.retrieval.ranking.scoring import Float64
from graph.store.candidates import Candidates, StatisticsGroup

# What is looked at, each from 0 to 1: the cosine of the memory or of what rests on it; the share of the query's terms, weighed by their
# rarity, that it holds; whether the speaker that the query names said it, or another one did; whether the assistant did;
# whether it is of another time than those that the query names.
FEATURES = ("cosine", "covered", "of_speaker", "of_another", "of_assistant", "of_another_time")
# The constant, then one number a feature, as the command prints them. Cosines are those of all-MiniLM-L6-v2.
WITH_COSINE = np.array([-6.24, 6.335, 2.588, 0.605, -3.247, -1.177, -0.754])
# For memories without a vector to compare.
WITHOUT_COSINE = np.array([-4.054, 0.0, 4.307, 0.479, -2.918, -1.011, -0.921])
# A term that no passage has counts as rarer than any that one has.
_NOWHERE = 0.5


def relevance(candidates: Candidates, channel_scores: ChannelScores, plan: QueryPlan) -> Float64:
    """(n,) how relevant each candidate is, from 0 to 1."""
    values = features(candidates, channel_scores, plan)
    logit = np.where(channel_scores.is_unembedded, _logit(values, WITHOUT_COSINE), _logit(values, WITH_COSINE))
    return np.asarray(1 / (1 + np.exp(-logit)), dtype=np.float64)


def _logit(values: Float64, model: Float64) -> Float64:
    return np.asarray(values @ model[1:] + model[0], dtype=np.float64)


def features(candidates: Candidates, channel_scores: ChannelScores, plan: QueryPlan) -> Float64:
    """(n, 6) the columns of `FEATURES`."""
    names_one = len(plan.speakers) == 1 and plan.speakers[0] in candidates.speakers
    of_speaker = candidates.speaker == (candidates.speakers.index(plan.speakers[0]) if names_one else -1)
    columns = (
        _with_statements(candidates, channel_scores.dense),
        _with_statements(candidates, _covered(candidates, plan)),
        of_speaker,
        ~of_speaker & (len(plan.speakers) == 1),
        channel_scores.is_assistant,
        (1 - channel_scores.dates) * bool(plan.times),
    )
    return np.stack([np.asarray(column, dtype=np.float64) for column in columns], axis=1)


def _with_statements(candidates: Candidates, values: Float64) -> Float64:
    """(n,) the greatest of a memory's value, of those of the statements that rest on it, and of those of the messages it rests on."""
    best = values.copy()
    np.maximum.at(best, candidates.message_row, values[candidates.statement_row])
    np.maximum.at(best, candidates.statement_row, values[candidates.message_row])
    return best


def _covered(candidates: Candidates, plan: QueryPlan) -> Float64:
    """(n,) the share of the query's terms, weighed by their rarity among messages, that the memory holds."""
    statistics = candidates.statistics.get(StatisticsGroup.MESSAGES)
    asked = np.array([term in plan.topic_terms for term in plan.terms], dtype=bool)
    if statistics is None or not asked.any():
        return np.zeros(len(candidates))
    rarity = np.log((statistics.count + 1) / np.maximum(statistics.document_frequency, _NOWHERE)) * asked
    held = passage_runs(candidates.passage_row, len(candidates)).sums(candidates.term_counts) > 0
    return np.asarray(held @ (rarity / max(float(rarity.sum()), 1e-9)), dtype=np.float64)
