"""Vectors in memory and in a file: whatever is put, erased and let go, what is read is what was put last, and within the budget."""

import tempfile
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from graph.store.search import spill, vectors
from graph.store.search.cache_budget import CacheBudget
from graph.store.search.vectors import VectorCache

SIZE, DIMENSION = 60, 8
PASSAGES = st.sets(st.integers(0, SIZE - 1), max_size=20)
STEPS = st.lists(st.tuples(st.sampled_from(["put", "put", "read", "read", "erase", "clear"]), st.integers(0, 1), PASSAGES), max_size=25)


@pytest.fixture(autouse=True, scope="module")
def tiny_thresholds():
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(vectors, "_SPILLED_FROM", 10)
        patch.setattr(vectors, "SMALL", 30)
        patch.setattr(spill, "_GAP_BYTES", 3 * 2 * DIMENSION)
        yield


@pytest.mark.parametrize("filed", [True, False])
@settings(max_examples=60, deadline=None)
@given(steps=STEPS, size=st.sampled_from([5, 25, 60]), room=st.sampled_from([0, 60, 100, 200]))
def test_what_is_read_is_what_was_put(filed, steps, size, room):
    budget = CacheBudget(room * (2 * DIMENSION + 1))
    with tempfile.TemporaryDirectory() as directory:
        caches = [VectorCache(DIMENSION, budget, Path(directory) if filed else None) for _ in range(2)]
        known: list[dict[int, np.ndarray]] = [{}, {}]
        for number, (step, which, chosen) in enumerate(steps):
            passages = np.array(sorted(passage for passage in chosen if passage < size), np.intp)
            cache, expected = caches[which], known[which]
            if step == "put":
                given_ = np.random.default_rng(number).standard_normal((len(passages), DIMENSION)).astype(np.float16)
                cache.put(passages, given_, size)
                expected.update(zip(passages.tolist(), given_, strict=True))
            elif step == "erase":
                cache.erase(passages)
                for passage in passages.tolist():
                    expected.pop(passage, None)
            elif step == "clear":
                cache.clear()
            held, rows = cache.read(passages, size)
            assert set(passages[held].tolist()) <= set(expected)
            for passage, row in zip(passages[held].tolist(), rows, strict=True):
                assert row.tobytes() == expected[passage].tobytes()
            if filed and size >= 10:
                assert set(passages[held].tolist()) == set(expected) & set(passages.tolist())
            assert sum(each.nbytes for each in caches) <= room * (2 * DIMENSION + 1)
            assert not (cache.holds(len(expected)) and expected) or len(cache._resident.read(np.array(sorted(expected)))[1]) == len(
                expected
            )
