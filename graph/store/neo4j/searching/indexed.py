"""Searching a large namespace by Neo4j's indexes: the channels at once, exact measures of what they find, then one trip for the rest."""

import asyncio
from collections.abc import Coroutine
from typing import Any

import numpy as np

from graph.store.candidates import CandidateQuery, Candidates
from graph.store.neo4j.driver.connection import Connection
from graph.store.neo4j.searching.candidate_rows import to_candidates
from graph.store.neo4j.searching.changes import Head, read_head
from graph.store.neo4j.searching.channels import Hit, best_matches, dense, lexical_rows
from graph.store.neo4j.searching.filters import SearchFilter
from graph.store.neo4j.searching.lucene import terms_query
from graph.store.neo4j.searching.related import with_related
from graph.store.neo4j.searching.statistics import NamespaceStatistics
from graph.store.neo4j.searching.temporal import temporal
from graph.store.search import term_hash


async def search_indexes(
    connection: Connection, namespace: str, query: CandidateQuery, statistics: NamespaceStatistics
) -> tuple[Head, Candidates | None]:
    """The candidates, and the head of the namespace. None when the statistics are of another namespace, or lag too far behind, and the
    search must be repeated with new ones.

    The channels are read while the statistics are brought up to date, not of one snapshot: a write that commits in between may be in some
    of them. What was acknowledged before the search began is in all.
    """
    terms = np.array([term_hash(term) for term in query.terms], np.uint64)
    chosen = SearchFilter(query.filter)
    lucene = terms_query(statistics.token, terms, statistics.of(terms), statistics.documents, chosen.facets(statistics.token))
    head, rows, *found = await asyncio.gather(
        read_head(connection, namespace, statistics.revision),
        lexical_rows(connection, namespace, lucene, query.lexical_limit, chosen),
        temporal(connection, namespace, query.spans, query.temporal_limit, chosen),
        *_near(connection, namespace, query, chosen),
    )
    if head.uid != statistics.uid or head.missing:
        return head, None
    statistics.apply(head.changes)
    revision, counted = statistics.revision, statistics.of(terms)
    found.append(best_matches(rows, query.lexical_limit, terms, counted, query.bm25))
    hits = [hit for channel in found for hit in channel]
    memories, eligible = await with_related(connection, namespace, hits, query.include, query.neighbours, chosen)
    return head, await asyncio.to_thread(to_candidates, query, terms, memories, eligible, counted, revision)


def _near(connection: Connection, namespace: str, query: CandidateQuery, chosen: SearchFilter) -> list[Coroutine[Any, Any, list[Hit]]]:
    if query.vector is None:
        return []
    return [
        dense(connection, namespace, query.vector, query.dense_limit, chosen),
        dense(connection, namespace, query.vector, query.instruction_limit, chosen, instructions=True),
    ]
