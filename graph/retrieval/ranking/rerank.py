"""Reranking: a model reads the query beside each of the best memories, and what it says becomes one more signal of their scores."""

import asyncio
import logging
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Protocol

import numpy as np

from graph.gather import gather_or_cancel
from graph.model import Entity, Event, Message, Node, Session, Statement, Summary
from graph.retrieval.degradation import Degradation, DegradationReason
from graph.retrieval.finding.search import Search
from graph.retrieval.offload import offload_if_many
from graph.retrieval.ranking.ledger import Ledger, Signal
from graph.retrieval.ranking.ranking import Ranking
from graph.retrieval.ranking.select_hits import ScoredCandidates, SelectedRow, select_hits

_log = logging.getLogger(__name__)
# Rerankers read some hundred words; more only makes the call longer.
_MOST_CHARACTERS = 4_000


class Reranker(Protocol):
    """A model that reads a query and texts together. Never blocks the event loop; may raise anything, and then nothing is reranked."""

    async def rerank(self, query: str, texts: Sequence[str]) -> Sequence[float]:
        """How well each text answers the query: one finite number for each, in their order, on any scale, greater for better."""
        ...


@dataclass(frozen=True, slots=True)
class Reranking:
    """What is reranked, and how.

    Attributes:
        best: how many of the fused order are read.     timeout_s: after which the fused order stands.
        weight: of the reranker's signal, in spreads of the fused scores of those that are read: with 1 the reranker says as much as all
            other signals together, and the greater it is the less these say.
    """

    reranker: Reranker
    best: int = 50
    timeout_s: float = 0.5
    weight: float = 1.0


async def reranked(searches: Sequence[Search], ranking: Ranking, how: Reranking) -> tuple[Ranking, tuple[Degradation, ...]]:
    """The ranking with the reranker's signal, or as it was and why.

    The signal is never below 0 and only the best have it, so that these stay before all others.
    """
    request = searches[0].request
    many = sum(len(one.candidates) for one in ranking.scored)
    best = await offload_if_many(many, select_hits, ranking.scored, how.best)
    try:
        async with asyncio.timeout(how.timeout_s):
            texts = await _texts(searches, best)
            read = [index for index, text in enumerate(texts) if text]
            if len(read) < 2:
                return ranking, ()
            raw = await how.reranker.rerank(request.query, [texts[index] for index in read])
        if len(raw) != len(read) or not all(map(math.isfinite, raw)):
            raise ValueError("it does not give one number for each text")
    except TimeoutError:
        told = f"reranker: not within {how.timeout_s * 1000:.0f} ms; the order is that without it"
        return ranking, (Degradation(DegradationReason.RERANKER_TOO_LATE, told),)
    except Exception as error:  # noqa: BLE001  # whatever a model's server or a model raises: there is an answer without it
        _log.warning("nothing was reranked", extra={"error": type(error).__name__, "told": str(error)})
        return ranking, (Degradation.of(DegradationReason.RERANKER_FAILED),)
    scored = await offload_if_many(many, _with_signal, ranking.scored, [best[index] for index in read], raw, how.weight)
    selected = await offload_if_many(many, select_hits, scored, request.k, request.with_covered)
    return replace(ranking, scored=scored, selected=selected), ()


async def _texts(searches: Sequence[Search], best: Sequence[SelectedRow]) -> list[str]:
    """What the reranker reads of each pick; nothing of what was deleted meanwhile."""
    ids = [searches[chosen.namespace].candidates.ids[chosen.row] for chosen in best]

    async def nodes_of(namespace: int, search: Search) -> Mapping[str, Node]:
        wanted = [id_ for id_, chosen in zip(ids, best, strict=True) if chosen.namespace == namespace]
        return await search.memory.get_nodes(wanted) if wanted else {}

    nodes = await gather_or_cancel([nodes_of(number, search) for number, search in enumerate(searches)])
    return [_text(nodes[chosen.namespace].get(id_)) for id_, chosen in zip(ids, best, strict=True)]


def _text(node: Node | None) -> str:
    match node:
        case Message():
            caption = f" [image: {node.image_caption}]" if node.image_caption else ""
            return f"{node.speaker}: {node.text}{caption}"[:_MOST_CHARACTERS]
        case Statement():
            return node.text[:_MOST_CHARACTERS]
        case None | Session() | Event() | Entity() | Summary():
            return ""


def _with_signal(
    scored: Sequence[ScoredCandidates], best: Sequence[SelectedRow], raw: Sequence[float], weight: float
) -> list[ScoredCandidates]:
    """The reranker's scores as one more signal of the candidates that it read."""
    columns = [(np.zeros(len(one.candidates)), np.zeros(len(one.candidates))) for one in scored]
    for chosen, score, value in zip(best, raw, spread_out(raw), strict=True):
        raws, values = columns[chosen.namespace]
        raws[chosen.row], values[chosen.row] = score, value
    fused = [chosen.score for chosen in best]
    points = weight * ((max(fused) - min(fused)) or 1.0)
    ledgers = [
        Ledger(one.ledger.rows, [*one.ledger.signals, Signal("reranker", raws, values, points)])
        for one, (raws, values) in zip(scored, columns, strict=True)
    ]
    return [replace(one, ledger=ledger, score=ledger.total()) for one, ledger in zip(scored, ledgers, strict=True)]


def spread_out(scores: Sequence[float]) -> list[float]:
    """The scores on the common scale, the least as 0 and the best as 1: models answer on scales of their own. Equal ones are all 0."""
    least = min(scores)
    spread = (max(scores) - least) or 1.0
    return [(score - least) / spread for score in scores]
