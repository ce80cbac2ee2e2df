"""The calls of SummaryService; see `structmem._calls`."""

from collections.abc import Sequence
from datetime import datetime

from structmem import _answers as a
from structmem import _decode as d
from structmem import _decode_answers as da
from structmem import _encode as e
from structmem._calls import Call, Page
from structmem._inputs import AsOf, ConsistencyTokens, TimeRange
from structmem._kinds import SummaryLevel
from structmem._nodes import Summary
from structmem.v1 import node_pb2
from structmem.v1 import summary_service_pb2 as spb


def list_summaries(
    namespace: str,
    levels: Sequence[SummaryLevel | str],
    sessions: Sequence[str],
    happened: TimeRange | None,
    stale: bool | None,
    as_of: AsOf | datetime | None,
    at_least: ConsistencyTokens,
    page_size: int | None,
    page_token: str,
) -> Call[Page[Summary]]:
    """ListSummaries, one page."""
    request = e.build(
        spb.ListSummariesRequest,
        namespace=namespace,
        levels=[e.number_of("levels", SummaryLevel, node_pb2.SummaryLevel, level) for level in levels],
        sessions=list(sessions),
        happened=e.time_range("happened", happened),
        stale=stale,
        as_of=e.as_of(as_of),
        at_least=e.tokens(at_least),
        page_size=e.at_least_one("page_size", page_size),
        page_token=page_token,
    )
    return Call("summary", "ListSummaries", request, lambda it: ([d.summary(x) for x in it.summaries], it.next_page_token))


def get_summary(namespace: str, summary_id: str, depth: int | None, at_least: ConsistencyTokens) -> Call[a.SummaryTree]:
    """GetSummary."""
    request = e.build(
        spb.GetSummaryRequest,
        namespace=namespace,
        summary_id=summary_id,
        depth=e.at_least_one("depth", depth),
        at_least=e.tokens(at_least),
    )
    return Call("summary", "GetSummary", request, da.summary_tree)


def consolidate(namespace: str, anew: bool) -> Call[a.Job]:
    """ConsolidateSummaries."""
    request = e.build(spb.ConsolidateSummariesRequest, namespace=namespace, anew=anew)
    return Call("summary", "ConsolidateSummaries", request, lambda it: da.job(it.job, it.consistency_token))


def get_profile(namespace: str, as_of: AsOf | datetime | None, at_least: ConsistencyTokens) -> Call[Summary | None]:
    """GetProfile."""
    request = e.build(spb.GetProfileRequest, namespace=namespace, as_of=e.as_of(as_of), at_least=e.tokens(at_least))
    return Call("summary", "GetProfile", request, lambda it: d.summary(it.profile) if it.HasField("profile") else None)
