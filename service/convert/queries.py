"""What retrieval is asked, from the contract. Everything that can be told without looking anything up is checked here."""

from collections.abc import Callable
from datetime import datetime

from structmem.v1 import retrieval_pb2

from graph.retrieval import DEFAULT_RECIPE, RECIPES, RetrievalRequest
from service.convert.filters import memory_filter_from_proto
from service.convert.times import as_of_from_proto
from service.validate import Violations, fraction, instant, limit_of, text, zone_name, zone_of
from service.validate.fields import MAX_NAME

MAX_NAMESPACES = 16
MAX_QUERY = 100_000
MAX_K = 1000
DEFAULT_K = 10
MAX_TURNS = 16
MAX_SUMMARIES = 50


def namespaces_of(query: retrieval_pb2.RetrievalQuery) -> list[str]:
    """The namespaces that are asked, each once."""
    return list(dict.fromkeys(query.namespaces))


def check_namespaces(found: Violations, query: retrieval_pb2.RetrievalQuery, at_most: int) -> None:
    """Notes it where too few or too many are asked."""
    names = namespaces_of(query)
    if not 1 <= len(names) <= at_most:
        wanted = f"1 to {at_most} namespaces" if at_most > 1 else "exactly one namespace"
        found.add("query.namespaces", f"must name {wanted}; it names {len(names):,}")


def requests_from_proto(
    found: Violations, query: retrieval_pb2.RetrievalQuery, now: Callable[[], datetime], told_default_k: str = ""
) -> list[RetrievalRequest]:
    """One request for each of the namespaces, without the query's vector: whose that is depends on the namespace."""
    recipe = query.recipe or DEFAULT_RECIPE
    if recipe not in RECIPES:
        found.add("query.recipe", f"must be one of {', '.join(sorted(RECIPES))}")
    words = text(found, "query.text", query.text, MAX_QUERY)
    k = limit_of(found, "query.k", query.k, DEFAULT_K, MAX_K, told_default=told_default_k)
    filter_ = memory_filter_from_proto(found, "query.filter", query.filter)
    asked_at = instant(found, "query.asked_at", query.asked_at) if query.HasField("asked_at") else now()
    zone = zone_of(zone_name(found, "query.time_zone", query.time_zone))
    least = fraction(found, "query.min_relevance", query.min_relevance)
    session = text(found, "query.session", query.session, MAX_NAME, required=bool(query.session or query.turns))
    if session and len(namespaces_of(query)) > 1:
        found.add(
            "query.session", f"names a session of one namespace, and the query names {len(namespaces_of(query)):,}: ask each by itself"
        )
    turns = _turns(found, query)
    as_of = as_of_from_proto(found, "query.as_of", query.as_of)
    summaries = limit_of(found, "query.summaries", query.summaries, 0, MAX_SUMMARIES, told_default="none")
    return [
        RetrievalRequest(
            name,
            words,
            k,
            recipe,
            filter_,
            asked_at,
            zone,
            explain=False,
            min_relevance=least,
            session=session,
            turns=turns,
            as_asked=query.as_asked,
            summaries=summaries,
            known_at=as_of.known,
            valid_at=as_of.valid,
        )
        for name in namespaces_of(query)
    ]


def _turns(found: Violations, query: retrieval_pb2.RetrievalQuery) -> tuple[str, ...]:
    if len(query.turns) > MAX_TURNS:
        found.add("query.turns", f"must hold at most {MAX_TURNS} turns; it holds {len(query.turns):,}")
        return ()
    return tuple(text(found, f"query.turns[{index}].text", turn.text, MAX_QUERY) for index, turn in enumerate(query.turns))
