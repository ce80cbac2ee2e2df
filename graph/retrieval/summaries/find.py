"""Which summaries a query is answered with, beside its memories."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from graph.gather import gather_or_cancel
from graph.model import AsOf, Node, Summary, SummaryLevel, TimeRange
from graph.retrieval.answer import RetrievalRequest, SummaryHit
from graph.retrieval.finding.search import Search
from graph.retrieval.offload import offload_if_many
from graph.retrieval.planning.question import QueryIntent
from graph.retrieval.summaries.index import SummaryIndex, SummaryIndexes, SummaryScores
from graph.store.port import SummaryQuery

# What fits less well than this has as good as nothing to do with the query.
_LEAST_SCORE = 0.15
_PROFILE = frozenset({SummaryLevel.PROFILE})


async def find_summaries(searches: Sequence[Search], indexes: SummaryIndexes) -> tuple[SummaryHit, ...]:
    """The windows and threads of all namespaces that fit the query best, best first. Profiles are about everything, and are no answer.

    One that says nothing but what better ones say in the same words, as a thread and its windows do, is passed over. A question for an
    overview ("what have I been up to?") that nothing fits gets the threads said last, the last one first; or windows, where there are none.
    """
    most = searches[0].request.summaries
    found = await _of_each(searches, indexes, _fitting)
    if not found and searches[0].plan.intents & (QueryIntent.OVERVIEW | QueryIntent.WHOLE):
        found = await _of_each(searches, indexes, _latest)
        found = [one for one in found if one.summary.level is SummaryLevel.THREAD] or found
        found.sort(key=_last_said)
    else:
        found.sort(key=_best)
    return await _read(searches, found[:most])


@dataclass(frozen=True, slots=True)
class _Found:
    """A summary as an index holds it, without members, the hashes of its sentences, and its row among the scores."""

    namespace: str
    summary: Summary
    told: tuple[int, ...]
    score: float
    row: int
    scores: SummaryScores


def _best(one: _Found) -> tuple[float, str]:
    return -one.score, one.summary.id


def _last_said(one: _Found) -> tuple[float, str]:
    return -one.summary.said_to.timestamp(), one.summary.id


async def _of_each(
    searches: Sequence[Search], indexes: SummaryIndexes, chosen: Callable[[SummaryIndex, Search], list[_Found]]
) -> list[_Found]:
    """What is chosen of each namespace: no more than is asked for, since no namespace's summaries say what those of another one say."""

    async def of_one(search: Search) -> list[_Found]:
        index = await indexes.of(search.memory, (await search.memory.settings()).uid)
        return await offload_if_many(len(index.summaries), chosen, index, search)

    return [one for of_each in await gather_or_cancel([of_one(search) for search in searches]) for one in of_each]


def _fitting(index: SummaryIndex, search: Search) -> list[_Found]:
    """Those that fit, best first."""
    return _telling_more(sorted(_visible(index, search, _LEAST_SCORE), key=_best), search.request.summaries)


def _latest(index: SummaryIndex, search: Search) -> list[_Found]:
    """The threads said last, or the windows where there are no threads, the last one first."""
    found = _visible(index, search, 0.0)
    threads = [one for one in found if one.summary.level is SummaryLevel.THREAD] or found
    return _telling_more(sorted(threads, key=_last_said), search.request.summaries)


def _visible(index: SummaryIndex, search: Search, least: float) -> list[_Found]:
    """What reaches this score and may be seen."""
    scores = index.scores(search.plan.terms, search.query.vector)
    total = scores.total()
    return [
        _Found(search.request.namespace, index.summaries[row], index.told[row], float(total[row]), row, scores)
        for row in np.flatnonzero(total >= least).tolist()
        if _passes(index.summaries[row], search.request)
    ]


def _telling_more(found: Sequence[_Found], most: int) -> list[_Found]:
    """The first of these, of one namespace, that say something which those before them do not."""
    picked: list[_Found] = []
    told: set[int] = set()
    for one in found:
        if told.issuperset(one.told):
            continue
        picked.append(one)
        told.update(one.told)
        if len(picked) == most:
            break
    return picked


async def _read(searches: Sequence[Search], picked: Sequence[_Found]) -> tuple[SummaryHit, ...]:
    """The summaries with their members, without those that were deleted meanwhile."""

    async def nodes_of(search: Search) -> Mapping[str, Node]:
        ids = [one.summary.id for one in picked if one.namespace == search.request.namespace]
        return await search.memory.get_nodes(ids) if ids else {}

    nodes = await gather_or_cancel([nodes_of(search) for search in searches])
    by_namespace = {search.request.namespace: of_one for search, of_one in zip(searches, nodes, strict=True)}
    hits: list[SummaryHit] = []
    for one in picked:
        node = by_namespace[one.namespace].get(one.summary.id)
        if isinstance(node, Summary) and node.sentences:
            why = one.scores.contributions(one.row) if searches[0].request.explain else ()
            hits.append(SummaryHit(len(hits) + 1, one.namespace, node, one.score, why))
    return tuple(hits)


def _passes(summary: Summary, request: RetrievalRequest) -> bool:
    """Whether the request may see it: all of its sessions, in the times that it wants, and nothing of what it must not see.

    A thread quotes all its sessions; where one of them is not wanted, its windows of the others are found by themselves.
    """
    if summary.level is SummaryLevel.PROFILE:
        return False
    seen, sessions = request.seen, set(summary.sessions)
    if seen.sessions and not sessions.issubset(seen.sessions):
        return False
    if not sessions.isdisjoint(seen.not_sessions):
        return False
    if seen.said is not None and not (seen.said.start <= summary.said_from and summary.said_to < seen.said.end):
        return False
    return seen.happened is None or _overlaps(summary, seen.happened)


def _overlaps(summary: Summary, wanted: TimeRange) -> bool:
    return summary.time.start < wanted.end and (summary.time.end > wanted.start or summary.time.start >= wanted.start)


async def profiles_of(searches: Sequence[Search]) -> dict[str, Summary]:
    """The profile of each namespace that has one which says something, and nothing that the request must not see yet.

    It is about all sessions: where the filter names those that are wanted, or not wanted, there is none. A running session alone, which
    changes from turn to turn, does not keep it out.
    """

    async def of_one(search: Search) -> Summary | None:
        if search.request.filter.sessions or search.request.filter.not_sessions:
            return None
        page = await search.memory.list_summaries(SummaryQuery(_PROFILE, as_of=AsOf(known=search.request.known_before)), None, 1)
        return next((one for one in page.items if one.sentences), None)

    found = await gather_or_cancel([of_one(search) for search in searches])
    return {search.request.namespace: one for search, one in zip(searches, found, strict=True) if one is not None}
