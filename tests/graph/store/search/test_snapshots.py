"""Snapshots: whole or refused, and without what was removed."""

import random

import numpy as np
import pytest

from graph.store.search import IndexSnapshotDamaged, SearchIndex, snapshot_file, term_hash


@pytest.fixture
def path(tmp_path):
    return tmp_path / "namespace.index"


@pytest.fixture
def saved(make_world, path):
    world = make_world()
    world.add(random.Random(1), 60)
    world.give_vectors(random.Random(2), 50)
    world.index.save(path)
    return world


def test_every_damaged_byte_is_noticed(saved, path):
    whole = path.read_bytes()
    rng = random.Random(3)
    padding = 0
    for place in [*range(30), *rng.sample(range(len(whole)), 300)]:
        path.write_bytes(whole[:place] + bytes([whole[place] ^ 1 << rng.randrange(8)]) + whole[place + 1 :])
        try:
            SearchIndex.load(path)
        except IndexSnapshotDamaged:
            continue
        assert whole[place] == 0  # between arrays, where nothing is read
        padding += 1
    assert padding < 200


@pytest.mark.parametrize("share", [0, 0.001, 0.01, 0.3, 0.999])
def test_a_file_that_was_cut_short_is_refused(saved, path, share):
    whole = path.read_bytes()
    path.write_bytes(whole[: int(len(whole) * share)])
    with pytest.raises(IndexSnapshotDamaged):
        SearchIndex.load(path)


def test_another_format_is_refused(saved, path, monkeypatch):
    monkeypatch.setattr(snapshot_file, "FORMAT_VERSION", 3)
    with pytest.raises(IndexSnapshotDamaged, match="format 2"):
        SearchIndex.load(path)


def test_a_write_that_fails_leaves_the_old_file(saved, path, monkeypatch):
    whole = path.read_bytes()

    def fail(descriptor: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(snapshot_file.os, "fsync", fail)
    with pytest.raises(OSError, match="No space"):
        saved.index.save(path)
    assert path.read_bytes() == whole
    assert [file.name for file in path.parent.iterdir()] == [path.name]


def test_nothing_of_a_removed_memory_is_in_the_file(make_message, path):
    index = SearchIndex(0)
    index.add([make_message(1, "garden tea"), make_message(2, "salary secret", uuid=b"a secret's uuid!")])
    index.remove(np.array([2]))
    index.save(path)
    content = path.read_bytes()
    assert term_hash("garden").to_bytes(8, "little") in content
    assert term_hash("secret").to_bytes(8, "little") not in content
    assert b"a secret's uuid!" not in content


def test_a_loaded_index_goes_on_growing(saved, path):
    saved.index = SearchIndex.load(path, saved.budget)
    for seed in range(5):
        saved.add(random.Random(seed), 20)
        saved.give_vectors(random.Random(seed), 20)
        saved.remove(random.Random(seed), 5)
        saved.check(random.Random(seed))
