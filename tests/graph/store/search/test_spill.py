"""Vectors spilled into a file without a name: what is read back, and that an index with them answers as one without."""

import os

import numpy as np
import pytest

from graph.store.search import SearchIndex, spill
from graph.store.search.cache_budget import CacheBudget
from graph.store.search.spill import SpilledVectors


@pytest.fixture
def vectors():
    drawn = np.random.default_rng(5).standard_normal((900, 64))
    return (drawn / np.linalg.norm(drawn, axis=1, keepdims=True)).astype(np.float16)


def test_what_was_put_is_read_back_bit_for_bit(tmp_path, vectors):
    spilled = SpilledVectors(64, tmp_path)
    given = np.array([7, 3, 4, 5, 800])
    spilled.put(given, vectors[given], 801)
    asked = np.array([0, 3, 4, 7, 800, 899])
    held, rows = spilled.read(asked)
    assert held.tolist() == [False, True, True, True, True, False]
    np.testing.assert_array_equal(rows, vectors[[3, 4, 7, 800]])
    spilled.put(np.arange(850, 900), vectors[850:], 900)
    assert spilled.read(np.array([860]))[1].tolist() == vectors[860:861].tolist()
    assert os.listdir(tmp_path) == []


def test_an_index_reads_nothing_that_was_spilled(tmp_path, vectors, make_message, plain_query):
    keys = np.arange(1, 901)
    answers, reads = [], []

    def read(wanted):
        reads.append(len(wanted))
        return vectors[wanted - 1]

    for directory in (None, tmp_path):
        index = SearchIndex(64, CacheBudget(0), directory)
        index.add([make_message(int(key), "", session=int(key) // 50) for key in keys])
        index.set_vectors(keys, vectors)
        if directory:
            reads.clear()
        answers.append([index.search(plain_query(vector=vectors[place].astype(np.float32)), read) for place in (3, 300, 899)])
    assert not reads
    for plain, with_file in zip(*answers, strict=True):
        assert plain.ids == with_file.ids
        np.testing.assert_array_equal(plain.similarity, with_file.similarity)


def test_an_index_from_a_snapshot_is_given_its_vectors_again(tmp_path, vectors, make_message, plain_query):
    keys = np.arange(1, 901)
    index = SearchIndex(64)
    index.add([make_message(int(key), "", session=int(key) // 50) for key in keys])
    index.set_vectors(keys, vectors)
    index.save(tmp_path / "saved")
    loaded = SearchIndex.load(tmp_path / "saved", CacheBudget(0), tmp_path)
    loaded.keep_vectors(np.append(keys, 5_000), np.concatenate([vectors, vectors[:1]]))

    def read(wanted):
        raise AssertionError(f"{len(wanted)} vectors are read")

    found = loaded.search(plain_query(vector=vectors[4].astype(np.float32)), read)
    assert np.nanmax(found.similarity) == pytest.approx(1, abs=1e-2)


def test_of_a_removed_memory_nothing_stays_in_the_file(tmp_path, vectors, make_message):
    index = SearchIndex(64, CacheBudget(0), tmp_path)
    keys = np.arange(1, 901)
    index.add([make_message(int(key), "", session=1) for key in keys])
    index.set_vectors(keys, vectors)
    spilled = index._state.cache._spill
    assert vectors[41].tobytes() in os.pread(spilled._file, 2**20, 0)
    index.remove(np.array([42, 43, 700]))
    content = os.pread(spilled._file, 2**20, 0)
    assert [vectors[place].tobytes() in content for place in (40, 41, 42, 43, 699)] == [True, False, False, True, False]
    assert spilled.read(np.array([40, 41, 43]))[0].tolist() == [True, False, True]


@pytest.mark.parametrize("call", ["pread", "pwrite"])
def test_a_file_that_fails_is_no_longer_asked(tmp_path, vectors, monkeypatch, call):
    spilled = SpilledVectors(64, tmp_path)
    spilled.put(np.arange(10), vectors[:10], 10)

    def failing(*_):
        raise OSError("no space left, or a bad block")

    monkeypatch.setattr(spill.os, call, failing)
    spilled.put(np.arange(10, 20), vectors[10:20], 20)
    assert not spilled.read(np.arange(20))[0].any()
    monkeypatch.undo()
    assert not spilled.read(np.arange(20))[0].any()
