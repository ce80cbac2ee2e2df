"""Queries of the full-text index. They hold nothing but tokens of ours, which are letters, digits and `_`: no text of anybody gets here."""

from collections.abc import Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from graph.store.candidates import LexicalStatistics, StatisticsGroup
from graph.store.neo4j.rows.search_tokens import term_token
from graph.store.neo4j.searching.scoring import idf_by_group

# Lucene refuses more than 1,024 clauses; each term has two, and filters have some. The rarest terms are kept, they weigh most.
_MAX_TERMS = 384
_MAX_FACETS = 128


def terms_query(
    token: str,
    terms: NDArray[np.uint64],
    statistics: Mapping[StatisticsGroup, LexicalStatistics],
    documents: int,
    facets: Sequence[Sequence[str]],
) -> str:
    """The query for the passages of a namespace with these terms, best first by our weights; "" for no terms.

    Terms that no passage had a moment ago are asked for, too: one may have come since.

    Lucene weighs a token by ln(1 + (N - df + 0.5) / (df + 0.5)) with the N of the whole index; the boost puts our weight in its place. What
    remains different (k1, b and the mean length are Lucene's) is why more is asked for than is wanted.
    """
    weights = idf_by_group(statistics)
    clauses: list[tuple[float, str]] = []
    for group in StatisticsGroup:
        frequency = statistics[group].document_frequency
        for index, count in enumerate(frequency.tolist()):
            ours = float(weights[index, group])
            boost = max(ours / _lucenes_idf(documents, count), 1e-3)
            clauses.append((ours, f"{term_token(token, group, int(terms[index]))}^{boost:.4f}"))
    if not clauses:
        return ""
    clauses.sort(key=lambda clause: -clause[0])
    wanted = " OR ".join(text for _, text in clauses[: 2 * _MAX_TERMS])
    # A filter's clauses must not count for the order.
    filters = [f"+facets:({' OR '.join(tokens)})^0" for tokens in facets if len(tokens) <= _MAX_FACETS]
    return f"+terms:({wanted}) {' '.join(filters)}" if filters else f"terms:({wanted})"


def _lucenes_idf(documents: int, count: int) -> float:
    # The number of documents may be some minutes old, and less than a frequency of now.
    return float(np.log1p((max(documents, count) - count + 0.5) / (count + 0.5)))
