"""By how much a memory fell short: of the last that each channel found, and of the hits that outscored it."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from graph.retrieval.answer import Hit
from graph.retrieval.finding.search import Search
from graph.retrieval.ranking.scoring import Float64
from graph.retrieval.ranking.select_hits import Evidence, ScoredCandidates
from graph.retrieval.recipes import Recipe


@dataclass(frozen=True, slots=True)
class ChannelShortfall:
    """A memory in one channel: its score, its rank among the candidates that may be returned, and the score of the last one found.

    `rank` is 0 with a score of 0: the channel sees nothing in it, and a rank among all others of which that is true says nothing.
    `needed` is None where the channel found less than it looks for: any score would have done. It may be below 0, as a cosine may.
    """

    channel: str
    score: float
    rank: int
    needed: float | None


@dataclass(frozen=True, slots=True)
class SignalDifference:
    """What one signal gave a memory and what it gave its rival, in points of the score."""

    signal: str
    points: float
    rival_points: float


@dataclass(frozen=True, slots=True)
class Rival:
    """A hit that kept a memory out, and where their scores differ, the greatest difference first."""

    hit: Hit
    differences: tuple[SignalDifference, ...]


def shortfalls(search: Search, recipe: Recipe, scored: ScoredCandidates, row: int) -> tuple[ChannelShortfall, ...]:
    """What the memory in this row reached in each channel that took part."""
    query, channel_scores = search.query, search.channel_scores
    channels: list[tuple[str, Float64, int]] = [
        ("lexical", channel_scores.lexical, query.lexical_limit),
        ("dense", channel_scores.dense, query.dense_limit),
        ("temporal", channel_scores.dates, query.temporal_limit),
    ]
    if search.expansion is not None:
        flow = np.array([search.expansion.flow.get(id_, 0.0) for id_ in search.candidates.ids])
        channels.append(("graph", flow, recipe.graph_found))
    eligible = search.candidates.eligible.copy()
    eligible[row] = False
    return tuple(_shortfall(name, values[eligible], float(values[row]), limit) for name, values, limit in channels if limit)


def _shortfall(channel: str, others: Float64, score: float, limit: int) -> ChannelShortfall:
    # A channel finds nothing that it gives a score of 0: the words are not there, or the vector is not.
    seen = others[others != 0]
    needed = float(np.partition(seen, -limit)[-limit]) if len(seen) >= limit else None
    rank = 1 + int(np.count_nonzero(seen > score)) if score else 0
    return ChannelShortfall(channel, score, rank, needed)


def stand_ins(search: Search, answer: Sequence[int], row: int) -> tuple[tuple[int, int], ...]:
    """The ranks and rows of the hits that together rest on all that the memory in `row` rests on; none when they do not."""
    evidence = Evidence(search.candidates)
    wanted, found = set(evidence.of(row)), list[tuple[int, int]]()
    for rank, hit in enumerate(answer, start=1):
        covered = wanted.intersection(evidence.of(hit))
        if covered:
            found.append((rank, hit))
            wanted -= covered
    return () if wanted else tuple(found)


def rival_of(hit: Hit, scored: ScoredCandidates, rival: int, row: int) -> Rival:
    """The hit in the row `rival` beside the memory in `row`."""
    both = [
        SignalDifference(signal.name, signal.weight * float(signal.value[row]), signal.weight * float(signal.value[rival]))
        for signal in scored.ledger.signals
    ]
    differing = [one for one in both if one.points != one.rival_points]
    return Rival(hit, tuple(sorted(differing, key=lambda one: -abs(one.points - one.rival_points))))
