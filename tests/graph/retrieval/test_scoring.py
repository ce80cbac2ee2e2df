"""BM25+ against rank_bm25, the reference."""

from collections import Counter

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from rank_bm25 import BM25Plus

from graph.retrieval.ranking.passages import passage_runs
from graph.retrieval.ranking.scoring import bm25, idf
from graph.store.bm25 import Bm25
from graph.store.candidates import LexicalStatistics, StatisticsGroup
from graph.store.neo4j.searching.scoring import bm25_scores

WORDS = st.sampled_from(["ana", "tea", "lisbon", "march", "dog", "paint", "sunris"])
CORPUS = st.lists(st.lists(WORDS, min_size=1, max_size=12), min_size=1, max_size=12)


def ours(corpus: list[list[str]], query: tuple[str, ...], parameters: Bm25) -> np.ndarray:
    counts = [Counter(document) for document in corpus]
    statistics = LexicalStatistics(
        len(corpus), float(np.mean([len(d) for d in corpus])), np.array([sum(t in c for c in counts) for t in query], dtype=np.int64)
    )
    matrix = np.array([[c[t] for t in query] for c in counts], dtype=np.float32)
    return bm25(matrix, np.array([len(d) for d in corpus], dtype=np.int32), idf(statistics), statistics.mean_length, parameters)


@given(CORPUS, st.lists(WORDS, min_size=1, max_size=5, unique=True), st.floats(0.1, 3), st.floats(0, 1))
def test_scores_are_those_of_rank_bm25(corpus: list[list[str]], query: list[str], k1: float, b: float) -> None:
    known = [term for term in query if any(term in document for document in corpus)]
    reference = BM25Plus(corpus, k1=k1, b=b, delta=0.0).get_scores(known)
    np.testing.assert_allclose(ours(corpus, tuple(query), Bm25(k1, b, 0.0)), reference, rtol=1e-5, atol=1e-6)


def test_the_lower_bound_is_that_of_rank_bm25_for_documents_with_all_terms() -> None:
    corpus = [["ana", "tea"], ["ana", "ana", "tea", "dog", "dog"], ["dog"]]
    reference = BM25Plus(corpus, k1=1.2, b=0.75, delta=1.0).get_scores(["ana", "tea"])
    np.testing.assert_allclose(ours(corpus, ("ana", "tea"), Bm25(1.2, 0.75, 1.0))[:2], reference[:2], rtol=1e-6)


def test_a_document_without_the_terms_scores_nothing() -> None:
    assert ours([["ana"], ["dog"]], ("ana",), Bm25(0.9, 0.3, 1.0))[1] == 0


def test_a_row_takes_its_best_passage_and_sums_its_counts() -> None:
    runs = passage_runs(np.array([0, 0, 2], dtype=np.int32), 4)
    assert runs.best(np.array([1.0, 3.0, 2.0])).tolist() == [3, 0, 2, 0]
    counts = np.array([[1, 0], [2, 1], [0, 5]], dtype=np.float32)
    assert runs.sums(counts).tolist() == [[3, 1], [0, 0], [0, 5], [0, 0]]


def test_rows_of_one_passage_each_are_their_passages() -> None:
    runs = passage_runs(np.arange(3, dtype=np.int32), 3)
    assert runs.best(np.array([1.0, 3.0, 2.0])).tolist() == [1, 3, 2]
    assert runs.sums(np.eye(3, dtype=np.float32)).tolist() == np.eye(3).tolist()


@pytest.mark.parametrize("rows", [0, 3])
def test_nothing_found_is_no_error(rows: int) -> None:
    assert passage_runs(np.zeros(0, dtype=np.int32), rows).best(np.zeros(0)).tolist() == [0] * rows
    assert bm25(np.zeros((rows, 0), dtype=np.float32), np.ones(rows, dtype=np.int32), np.zeros(0), 3.0, Bm25()).tolist() == [0] * rows


@given(
    counts=arrays(np.float32, (5, 3), elements=st.integers(0, 20)),
    length=arrays(np.int32, 5, elements=st.integers(1, 300)),
    frequency=arrays(np.int64, 3, elements=st.integers(0, 2_000)),
    delta=st.sampled_from([0.0, 1.0]),
)
def test_stores_find_by_the_scores_that_ranking_and_explanations_show(counts, length, frequency, delta) -> None:
    parameters = Bm25(delta=delta)
    statistics = LexicalStatistics(2_000, 40.0, frequency)
    shown = bm25(counts, length, idf(statistics), statistics.mean_length, parameters)
    groups = dict.fromkeys(StatisticsGroup, statistics)
    found = bm25_scores(counts, length, np.zeros(5, np.int8), groups, parameters)
    np.testing.assert_allclose(found, shown, rtol=1e-5, atol=1e-6)
