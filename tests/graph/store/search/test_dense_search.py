"""The dense channel against exact cosines: recall where bits decide, exactness where they need not, and when the file is read."""

import numpy as np
import pytest

from graph.store.search import SearchIndex, signbits
from graph.store.search.cache_budget import CacheBudget
from graph.store.search.half_precision import as_float32, dots


def clustered(count: int, dimension: int, offset: float, seed: int) -> np.ndarray:
    """Unit vectors in 200 clusters; `offset` moves all of them one way, as some models' vectors are."""
    rng = np.random.default_rng(seed)
    centres = rng.standard_normal((200, dimension))
    vectors = centres[rng.integers(0, 200, count)] + 0.8 * rng.standard_normal((count, dimension)) + offset
    return (vectors / np.linalg.norm(vectors, axis=1, keepdims=True)).astype(np.float16)


class Loaded:
    """An index of one-passage messages with these vectors, and how often they were read."""

    def __init__(self, vectors: np.ndarray, make_message, budget: int = 0) -> None:
        self.vectors = vectors
        self.reads: list[int] = []
        self.index = SearchIndex(vectors.shape[1], CacheBudget(budget))
        for start in range(0, len(vectors), 5000):
            keys = np.arange(start, min(start + 5000, len(vectors)))
            self.index.add([make_message(int(key) + 1, "", session=int(key) // 50) for key in keys])
            self.index.set_vectors(keys + 1, vectors[keys])

    def read(self, keys: np.ndarray) -> np.ndarray:
        self.reads.append(len(keys))
        return self.vectors[keys - 1]

    def found(self, query) -> set[int]:
        answer = self.index.search(query, self.read)
        return {int.from_bytes(bytes(uuid), "big") - 1 for uuid in answer.ids._uuids}


def recall(loaded: Loaded, plain_query, limit: int, queries: np.ndarray) -> float:
    shares = []
    for vector in queries.astype(np.float32):
        exact = np.argsort(-(loaded.vectors.astype(np.float32) @ vector))[:limit]
        shares.append(len(set(exact.tolist()) & loaded.found(plain_query(vector=vector, dense_limit=limit))) / limit)
    return float(np.mean(shares))


@pytest.mark.parametrize(("dimension", "offset"), [(384, 0.0), (384, 2.5), (100, 0.0)])
def test_bits_find_nearly_all_true_neighbours(make_message, plain_query, dimension, offset):
    vectors = clustered(6_020, dimension, offset, seed=1)
    loaded = Loaded(vectors[:6_000], make_message)
    assert recall(loaded, plain_query, 20, vectors[6_000:]) >= 0.97
    assert max(loaded.reads) <= 1_000


def test_axes_of_unequal_weight_do_no_harm(make_message, plain_query):
    """Principal components, or models trained to be cut short: most of the variance lies in the first axes."""
    vectors = clustered(6_020, 384, 0.0, seed=1).astype(np.float32) * (np.arange(384) + 5.0) ** -0.7
    vectors = (vectors / np.linalg.norm(vectors, axis=1, keepdims=True)).astype(np.float16)
    loaded = Loaded(vectors[:6_000], make_message)
    assert recall(loaded, plain_query, 20, vectors[6_000:]) >= 0.95


def test_a_scan_of_half_of_the_bits_loses_little(make_message, plain_query, monkeypatch):
    monkeypatch.setattr(signbits, "_HALVED_FROM", 2_000)
    monkeypatch.setattr(signbits, "_KEPT_BY_HALF", 1_000)
    monkeypatch.setattr(signbits, "_KEPT_BY_HAMMING", 800)
    vectors = clustered(8_020, 384, 0.0, seed=1)
    loaded = Loaded(vectors[:8_000], make_message)
    assert recall(loaded, plain_query, 20, vectors[8_000:]) >= 0.97
    mask = plain_query(vector=vectors[8_001].astype(np.float32), dense_limit=20, said=(0, 6_000 * 3_600_000_000))
    exact = np.argsort(-(vectors[:5_999].astype(np.float32) @ mask.vector))[:20]
    assert len(loaded.found(mask) & set(exact.tolist())) >= 19


def test_a_filter_that_leaves_few_passages_is_searched_exactly(make_message, plain_query):
    vectors = clustered(6_000, 384, 0.0, seed=2)
    loaded = Loaded(vectors, make_message)
    sessions = frozenset(range(3, 8))
    allowed = np.arange(150, 400)
    query = vectors[5_000].astype(np.float32)
    exact = allowed[np.argsort(-(vectors[allowed].astype(np.float32) @ query))[:20]]
    assert loaded.found(plain_query(vector=query, dense_limit=20, sessions=sessions)) == set(exact.tolist())


def test_vectors_that_were_given_or_read_are_not_read_again(make_message, plain_query):
    vectors = clustered(300, 64, 0.0, seed=3)
    loaded = Loaded(vectors, make_message, budget=10**6)
    first = loaded.found(plain_query(vector=vectors[7].astype(np.float32)))
    assert loaded.reads == []
    loaded.index.drop_cache()
    assert loaded.found(plain_query(vector=vectors[7].astype(np.float32))) == first
    assert loaded.found(plain_query(vector=vectors[7].astype(np.float32))) == first
    assert loaded.reads == [300]


def test_a_vector_that_changes_is_not_answered_from_the_cache(make_message, plain_query):
    vectors = clustered(20, 64, 0.0, seed=4)
    loaded = Loaded(vectors, make_message, budget=10**6)
    query = plain_query(vector=vectors[3].astype(np.float32))
    assert loaded.index.search(query, loaded.read).similarity[3] == pytest.approx(1, abs=1e-2)
    loaded.vectors = vectors.copy()
    loaded.vectors[3] = -vectors[3]
    loaded.index.set_vectors(np.array([4]), loaded.vectors[3:4])
    assert loaded.index.search(query, loaded.read).similarity[3] == pytest.approx(-1, abs=1e-2)


def test_caches_of_all_namespaces_share_one_budget(make_message, plain_query):
    vectors = clustered(100, 64, 0.0, seed=5)
    one = Loaded(vectors, make_message)
    two = Loaded(vectors, make_message)
    two.index = SearchIndex(64, one_budget := CacheBudget(100 * 64 * 2 * 3 // 2))
    one.index = SearchIndex(64, one_budget)
    for loaded in (one, two):
        loaded.index.add([make_message(key, "") for key in range(1, 101)])
        loaded.index.set_vectors(np.arange(1, 101), vectors)
    query = plain_query(vector=vectors[0].astype(np.float32))
    two.found(query)  # there is room for one of them: the first has given way
    assert (len(one.reads), len(two.reads)) == (0, 0)
    one.found(query)
    one.found(query)
    two.found(query)
    assert (len(one.reads), len(two.reads)) == (1, 1)


def test_a_passage_whose_vector_is_gone_has_no_similarity(make_message, plain_query):
    vectors = clustered(5, 64, 0.0, seed=6)
    loaded = Loaded(vectors, make_message)
    loaded.vectors = vectors.copy()
    loaded.vectors[2] = np.nan
    answer = loaded.index.search(plain_query(vector=vectors[0].astype(np.float32), include=np.arange(1, 6)), loaded.read)
    assert np.isnan(answer.similarity).tolist() == [False, False, True, False, False]


def test_vectors_of_another_dimension_are_refused(make_message, plain_query):
    index = SearchIndex(64)
    index.add([make_message(1, "a")])
    with pytest.raises(ValueError, match="64 dimensions"):
        index.set_vectors(np.array([1]), np.zeros((1, 65), np.float16))
    with pytest.raises(ValueError, match="64 dimensions"):
        index.search(plain_query(vector=np.zeros(65, np.float32)), lambda keys: np.zeros((len(keys), 64), np.float16))


def test_half_precision_is_widened_exactly():
    halves = np.arange(2**16, dtype=np.uint16).view(np.float16)
    finite = halves[np.isfinite(halves)].reshape(-1, 1)
    assert (as_float32(finite) == finite.astype(np.float32)).all()
    assert as_float32(np.empty((0, 3), np.float16)).shape == (0, 3)
    small = finite[np.abs(finite[:, 0]) <= 1]
    assert (dots(small, np.array([0.3], np.float32)) == small[:, 0].astype(np.float32) * np.float32(0.3)).all()
