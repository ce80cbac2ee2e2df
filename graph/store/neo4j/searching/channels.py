"""The channels of a search by Neo4j's indexes. Each asks for more than is wanted, measures it exactly and keeps the best."""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np
from neo4j.vector import Vector
from numpy.typing import NDArray

from graph.model import NodeKind
from graph.store.bm25 import Bm25
from graph.store.candidates import LexicalStatistics, StatisticsGroup
from graph.store.neo4j.driver.connection import Connection
from graph.store.neo4j.schema import TERMS_INDEX, vector_index
from graph.store.neo4j.searching.filters import SearchFilter
from graph.store.neo4j.searching.scoring import bm25_scores, cosines, term_counts

# Measured at 100,000 passages: of our exact best 100 Lucene's first 300 hold 99.6 %, of the exact nearest 100 the vector index's first 300
# hold 99.6 %; its first 120 hold 93 %.
OVERFETCH = 3
# Where a condition is not in the index, more is asked for until enough passes, up to so many. It begins with a third more, so that what
# keeps out little, as a turn's own session, takes one ask.
_MOST = 12_000
_GROWTH = 4
_SPARE = 3
# Of a node `m`: the key of the memory, Neo4j's number of the node, and whether it is a further passage of it.
_KEY_AND_ID = "coalesce(m.owner_key, m.key), id(m), m.owner_key IS NOT NULL"


class Hit(NamedTuple):
    """A memory that a channel found, by the number of its node or of one of its further passages."""

    key: int
    number: int
    further: bool


class _Found(NamedTuple):
    """Rows of one ask, and whether the index has no more."""

    rows: Sequence[Any]
    exhausted: bool


async def lexical_rows(connection: Connection, namespace: str, lucene: str, limit: int, chosen: SearchFilter) -> Sequence[Any]:
    """Passages that Lucene ranks highest, with what `best_matches` needs to rank them exactly."""
    if not lucene or limit <= 0:
        return []
    passing = f"m.namespace = $namespace AND {chosen.all}" if chosen.beyond_facets else "true"
    query = f"""CALL db.index.fulltext.queryNodes('{TERMS_INDEX}', $lucene, {{limit: $asked}}) YIELD node AS m
        RETURN count(*), collect(CASE WHEN {passing} THEN [{_KEY_AND_ID}, m.kind, m.length, m.term_hashes, m.term_counts] END)"""

    async def ask(asked: int) -> _Found:
        values = {"namespace": namespace, "lucene": lucene, "asked": asked, **chosen.parameters}
        [[count, rows]] = await connection.rows(query, values)
        return _Found(rows, count < asked)

    # A passage that was retired since the index was asked has no terms any more.
    return [row for row in await _enough(ask, limit, chosen.beyond_facets) if row[5] is not None]


def best_matches(
    rows: Sequence[Any], limit: int, terms: NDArray[np.uint64], statistics: Mapping[StatisticsGroup, LexicalStatistics], bm25: Bm25
) -> list[Hit]:
    """The memories with the best BM25+ among the passages of `lexical_rows`."""
    if not rows:
        return []
    counts = term_counts(terms, [row[5] for row in rows], [row[6] for row in rows])
    groups = np.array([row[3] != NodeKind.MESSAGE.name for row in rows], np.int8)
    scores = bm25_scores(counts, np.array([row[4] for row in rows], np.int32), groups, statistics, bm25)
    return best_hits(rows, scores, limit)


async def dense(
    connection: Connection, namespace: str, vector: NDArray[np.float32], limit: int, chosen: SearchFilter, *, instructions: bool = False
) -> list[Hit]:
    """The memories nearest to the vector; with `instructions`, of standing instructions of people alone."""
    if limit <= 0:
        return []
    inside = f"{chosen.inside} AND m.instruction = 1" if instructions else chosen.inside
    passing = chosen.all if chosen.rest else "true"

    async def ask(asked: int) -> _Found:
        query = f"""CYPHER 25 MATCH (m) SEARCH m IN (VECTOR INDEX {vector_index(len(vector))} FOR $vector WHERE {inside} LIMIT $asked)
            RETURN count(*), collect(CASE WHEN {passing} THEN [{_KEY_AND_ID}, m.v16] END)"""
        [[count, rows]] = await connection.rows(
            query, {"namespace": namespace, "vector": Vector(vector), "asked": asked, **chosen.parameters}
        )
        return _Found(rows, count < asked)

    found = [row for row in await _enough(ask, limit, chosen.rest) if row[3] is not None]
    return best_hits(found, cosines([row[3] for row in found], vector), limit)


async def _enough(ask: Callable[[int], Awaitable[_Found]], limit: int, filtered: bool) -> Sequence[Any]:
    """What an index gives, asked for more until enough of it passes a condition that the index does not know."""
    wanted = OVERFETCH * limit
    asked = wanted + wanted // _SPARE if filtered else wanted
    while True:
        found = await ask(asked)
        if not filtered or found.exhausted or len(found.rows) >= wanted or asked >= _MOST:
            return found.rows
        asked = min(_GROWTH * asked, _MOST)


def best_hits(rows: Sequence[Any], values: NDArray[Any], limit: int) -> list[Hit]:
    """The `limit` memories with the best values, each with its best row; of equal ones those that came earlier."""
    best: dict[int, Hit] = {}
    keys = np.array([row[0] for row in rows], np.int64)
    for index in np.lexsort((keys, -values)).tolist():
        key, number, further = rows[index][:3]
        if key not in best:
            if len(best) == limit:
                break
            best[key] = Hit(key, number, further)
    return list(best.values())
