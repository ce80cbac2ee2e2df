"""Which summaries a query is answered with, beside its memories."""

from collections.abc import Sequence

import numpy as np

from graph.gather import gather_or_cancel
from graph.model import Summary, SummaryLevel, TimeRange
from graph.retrieval.answer import RetrievalRequest, SummaryHit
from graph.retrieval.finding.search import Search
from graph.retrieval.summaries.index import SummaryIndexes
from graph.store.port import SummaryQuery

# What fits less well than this has as good as nothing to do with the query.
_LEAST_SCORE = 0.15
_PROFILE = frozenset({SummaryLevel.PROFILE})


async def find_summaries(searches: Sequence[Search], indexes: SummaryIndexes) -> tuple[SummaryHit, ...]:
    """The windows and threads of all namespaces that fit the query best, best first. Profiles are about everything, and are no answer."""
    most = searches[0].request.summaries
    found = [hit for hits in await gather_or_cancel([_of_one(search, indexes) for search in searches]) for hit in hits]
    found.sort(key=lambda hit: (-hit.score, hit.summary.id))
    return tuple(SummaryHit(rank, hit.namespace, hit.summary, hit.score) for rank, hit in enumerate(found[:most], 1))


async def _of_one(search: Search, indexes: SummaryIndexes) -> list[SummaryHit]:
    request = search.request
    index = await indexes.of(search.memory, (await search.memory.settings()).uid)
    scores = index.scores(search.plan.terms, search.query.vector)
    order = [row for row in np.argsort(-scores, kind="stable").tolist() if scores[row] >= _LEAST_SCORE]
    best = [row for row in order if _passes(index.summaries[row], request)][: request.summaries]
    # Read again: an index holds no members.
    nodes = await search.memory.get_nodes([index.summaries[row].id for row in best]) if best else {}
    hits = []
    for row in best:
        node = nodes.get(index.summaries[row].id)
        if isinstance(node, Summary) and node.sentences:
            hits.append(SummaryHit(0, request.namespace, node, float(scores[row])))
    return hits


def _passes(summary: Summary, request: RetrievalRequest) -> bool:
    """Whether the request may see it: of sessions it wants, in the times that it wants, and nothing of what it must not see."""
    if summary.level is SummaryLevel.PROFILE:
        return False
    seen, sessions = request.seen, set(summary.sessions)
    if seen.sessions and not sessions.intersection(seen.sessions):
        return False
    # A thread of many sessions may tell of the running one; its other windows are what is asked for.
    if sessions.issubset(seen.not_sessions):
        return False
    if seen.said is not None and not (seen.said.start <= summary.said_from and summary.said_to < seen.said.end):
        return False
    return seen.happened is None or _overlaps(summary, seen.happened)


def _overlaps(summary: Summary, wanted: TimeRange) -> bool:
    return summary.time.start < wanted.end and (summary.time.end > wanted.start or summary.time.start >= wanted.start)


async def profiles_of(searches: Sequence[Search]) -> dict[str, Summary]:
    """The profile of each namespace that has one which says something, and nothing that the request must not see yet."""

    async def of_one(search: Search) -> Summary | None:
        page = await search.memory.list_summaries(SummaryQuery(_PROFILE), None, 1)
        before = search.request.known_before
        return next((one for one in page.items if one.sentences and (before is None or one.said_to < before)), None)

    found = await gather_or_cancel([of_one(search) for search in searches])
    return {search.request.namespace: one for search, one in zip(searches, found, strict=True) if one is not None}
