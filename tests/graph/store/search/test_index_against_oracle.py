"""Whatever is added, removed, merged, compacted, saved and loaded: searches answer as brute force does."""

import random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from graph.store.search import SearchIndex, index, lexical, postings, query_postings, runs

STEPS = ["add", "add", "add many", "add again", "vectors", "vectors", "remove", "remove many", "save and load", "check", "check"]
SEQUENCES = st.lists(st.tuples(st.sampled_from(STEPS), st.integers(0, 2**32)), min_size=4, max_size=16)


@pytest.fixture(scope="module", params=["as shipped", "tiny thresholds"])
def thresholds(request):
    """With tiny thresholds a few memories take the paths of a million."""
    with pytest.MonkeyPatch.context() as patch:
        if request.param == "tiny thresholds":
            patch.setattr(runs, "SMALL_RUN", 2)
            patch.setattr(postings, "SMALL_SEGMENT", 3)
            patch.setattr(postings, "MOST_POSTINGS", 20)
            patch.setattr(index, "_DEAD_PASSAGES", 3)
            patch.setattr(index, "MEAN_SAMPLE", 5)
            patch.setattr(lexical, "FREQUENT", 3)
            patch.setattr(lexical, "_BLOCK", 2)
            patch.setattr(query_postings, "_TABLE", 8)
        yield request.param


@pytest.fixture(scope="module")
def snapshot_path(tmp_path_factory):
    return tmp_path_factory.mktemp("search") / "namespace.index"


def take(world, step: str, rng: random.Random, path) -> None:
    match step:
        case "add":
            world.add(rng, rng.randint(1, 4))
        case "add many":
            world.add(rng, 40)
        case "add again":
            world.add_again(rng)
        case "vectors":
            world.give_vectors(rng, rng.randint(1, 40))
        case "remove":
            world.remove(rng, 1)
        case "remove many":
            world.remove(rng, 15)
        case "save and load":
            world.index.revision = rng.randint(1, 99)
            world.index.save(path)
            loaded = SearchIndex.load(path, world.budget)
            assert loaded.revision == world.index.revision
            world.index = loaded
        case "check":
            world.check(rng)


@settings(max_examples=25, deadline=None)
@given(steps=SEQUENCES)
def test_every_sequence_of_writes_is_searched_as_brute_force_would(thresholds, make_world, snapshot_path, steps):
    world = make_world()
    for step, seed in [*steps, ("check", 1), ("check", 2), ("check", 3)]:
        take(world, step, random.Random(seed), snapshot_path)
    assert world.index.memory_count == len(world.known)
    assert world.index.passage_count == sum(len(known.words) for known in world.known.values())


def test_a_long_history_is_searched_as_brute_force_would(thresholds, make_world, snapshot_path):
    world, rng = make_world(), random.Random(7)
    for _ in range(60):
        take(world, rng.choice(STEPS), random.Random(rng.random()), snapshot_path)
    for _ in range(20):
        world.check(rng)
