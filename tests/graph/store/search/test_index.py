"""What the store notices of the index: searches while it is written, replaced entries, ids, terms that are everywhere."""

import threading

import numpy as np
import pytest

from graph.model import UuidSource, uuid_of
from graph.store.candidates import StatisticsGroup
from graph.store.search import SearchIndex, lexical, term_hash
from graph.store.search.cache_budget import CacheBudget


def no_vectors(keys):
    raise AssertionError("no vectors to read")


def hashes(*words: str) -> np.ndarray:
    return np.array([term_hash(word) for word in words], np.uint64)


def test_hashes_are_those_of_every_process():
    assert term_hash("abc") == 15617099051652453721
    assert term_hash("\ud800") != term_hash("")


def test_ids_are_those_that_were_minted(make_message, plain_query):
    ids = [UuidSource().mint("msg") for _ in range(50)]
    index = SearchIndex(0)
    index.add([make_message(i + 1, "tea", uuid=uuid_of(id_).bytes) for i, id_ in enumerate(ids)])
    answer = index.search(plain_query(term_hashes=hashes("tea")), no_vectors)
    assert list(answer.ids) == ids
    assert [answer.ids[i] for i in range(50)] == ids
    assert list(answer.ids[10:12]) == ids[10:12]
    assert answer.ids == ids


def test_an_empty_index_answers(plain_query):
    index = SearchIndex(64)
    answer = index.search(plain_query(term_hashes=hashes("tea"), vector=np.ones(64, np.float32), spans=((0, 9),)), no_vectors)
    assert len(answer) == 0
    assert answer.term_counts.shape == (0, 1)
    assert answer.statistics[StatisticsGroup.MESSAGES].mean_length == 0
    index.remove(np.array([1, 2]))
    index.add([])
    assert (index.memory_count, index.passage_count) == (0, 0)


def test_an_entry_added_again_takes_the_place_of_the_old(make_message, plain_query):
    index = SearchIndex(0)
    index.add([make_message(1, "tea"), make_message(2, "milk"), make_message(1, "coffee")])
    index.add([make_message(2, "cream")])
    assert len(index.search(plain_query(term_hashes=hashes("tea", "milk")), no_vectors)) == 0
    assert len(index.search(plain_query(term_hashes=hashes("coffee", "cream")), no_vectors)) == 2
    assert index.memory_count == 2


def test_malformed_entries_are_refused_and_change_nothing(make_message):
    index = SearchIndex(0)
    with pytest.raises(ValueError, match="16 bytes"):
        index.add([make_message(1, "tea"), make_message(2, "milk", uuid=b"short")])
    assert index.memory_count == 0


def test_a_query_of_ten_thousand_words_is_answered(make_message, plain_query):
    index = SearchIndex(0)
    index.add([make_message(i, f"w{i} w{i + 1} w{i + 2}") for i in range(1, 2000)])
    words = [f"w{i}" for i in range(10_000)]
    answer = index.search(plain_query(term_hashes=hashes(*words), lexical_limit=20), no_vectors)
    assert answer.term_counts.shape == (20, 10_000)
    assert answer.term_counts.sum() == 60


def test_terms_that_are_everywhere_change_no_ranking(make_message, plain_query, monkeypatch):
    """Frequent terms are left out of the search for candidates only where they cannot matter."""
    monkeypatch.setattr(lexical, "FREQUENT", 1_000)
    monkeypatch.setattr(lexical, "_BLOCK", 16)
    rng = np.random.default_rng(5)
    index = SearchIndex(0)
    texts = [
        " ".join(
            [*["the"] * rng.integers(0, 4), *["of"] * rng.integers(0, 3), *rng.choice(["ski", "sea", "sun", "zoo"], 2), "filler" * (i % 3)]
        )
        for i in range(8_000)
    ]
    index.add([make_message(i + 1, text) for i, text in enumerate(texts)])
    query = plain_query(term_hashes=hashes("ski", "sea", "the", "of"), lexical_limit=30)
    everywhere = index.search(query, no_vectors)
    monkeypatch.setattr(lexical, "FREQUENT", 10**9)
    together = index.search(query, no_vectors)
    threshold = lexical._Ranking._threshold
    monkeypatch.setattr(lexical._Ranking, "_threshold", lambda self: 0.0 * threshold(self))
    exhaustive = index.search(query, no_vectors)
    assert list(everywhere.ids) == list(together.ids) == list(exhaustive.ids)


def test_memory_of_a_small_namespace_is_bounded(make_message):
    rng = np.random.default_rng(6)
    index = SearchIndex(384, CacheBudget(0))
    for start in range(0, 2_500, 100):
        index.add([make_message(key + 1, " ".join(f"w{w}" for w in rng.zipf(1.3, 12) % 5000)) for key in range(start, start + 100)])
        index.set_vectors(np.arange(start, start + 100) + 1, rng.standard_normal((100, 384)).astype(np.float16))
    assert index.nbytes < 900_000


def test_searches_beside_writes_see_whole_states(make_message, plain_query):
    """Each batch holds the word of its group once more than the batch before; a search sees a batch wholly or not at all."""
    index = SearchIndex(8)
    index.revision = 1
    failures: list[object] = []
    done = threading.Event()
    vectors = np.full((20, 8), 8**-0.5, np.float16)

    def search() -> None:
        query = plain_query(term_hashes=hashes("shared"), vector=np.full(8, 8**-0.5, np.float32), lexical_limit=2000, neighbours=1)
        while not done.is_set():
            try:
                answer = index.search(query, lambda keys: np.full((len(keys), 8), 8**-0.5, np.float16))
                frequency = int(answer.statistics[StatisticsGroup.MESSAGES].document_frequency[0])
                if len(answer) != frequency or len(answer) % 20:
                    failures.append((len(answer), frequency))
                messages = np.argsort(answer.seq)
                if (answer.next[messages[:-1]] != messages[1:]).any():
                    failures.append("a chain is broken")
            except Exception as error:  # noqa: BLE001  # whatever goes wrong in a thread fails the test
                failures.append(error)

    threads = [threading.Thread(target=search) for _ in range(3)]
    for thread in threads:
        thread.start()
    for batch in range(60):
        keys = np.arange(batch * 20, batch * 20 + 20) + 1
        index.add([make_message(int(key), f"shared w{key}") for key in keys])
        index.set_vectors(keys, vectors)
        if batch % 3 == 2:
            index.remove(keys)
    done.set()
    for thread in threads:
        thread.join()
    assert not failures
    assert index.memory_count == 800
