"""Embedders give unit vectors in the order asked for, the same whatever the company, and refuse a damaged model."""

import asyncio
import itertools
import shutil
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from extract.embed import Embedder, HashingEmbedder, MiniLmEmbedder, ModelDamaged
from extract.embed.batches import RUN_COST, batches_by_length
from extract.embed.minilm import MODEL_DIRECTORY

TEXTS = [
    "Maria moved to Lisbon in May.",
    "The new flat of Maria is in Portugal's capital.",
    "My dog hates the vacuum cleaner.",
    "",
    "word " * 2_000,
    "日本語のテキスト 🎉",
]


@pytest.fixture(scope="module")
def minilm() -> Iterator[MiniLmEmbedder]:
    embedder = MiniLmEmbedder(threads=2)
    yield embedder
    embedder.close()


@pytest.fixture(params=["minilm", "hashing"])
def embedder(request: pytest.FixtureRequest, minilm: MiniLmEmbedder) -> Embedder:
    return minilm if request.param == "minilm" else HashingEmbedder(64)


async def test_vectors_have_unit_length_and_the_dimension_that_the_spec_says(embedder: Embedder) -> None:
    vectors = await embedder.embed(TEXTS)
    assert vectors.shape == (len(TEXTS), embedder.spec.dimension)
    assert vectors.dtype == np.float16
    assert np.allclose(np.linalg.norm(vectors.astype(np.float32), axis=1), 1, atol=2e-3)


async def test_no_texts_give_no_vectors(embedder: Embedder) -> None:
    assert (await embedder.embed([])).shape == (0, embedder.spec.dimension)


async def test_a_text_has_the_same_vector_alone_and_in_company(embedder: Embedder) -> None:
    together = (await embedder.embed(TEXTS)).astype(np.float32)
    for text, vector in zip(TEXTS, together, strict=True):
        assert float(await embedder.embed_query(text) @ vector) > 0.95  # int8 activations are scaled by the batch


async def test_meaning_brings_texts_together(minilm: MiniLmEmbedder) -> None:
    move, flat, dog = (await minilm.embed(TEXTS[:3])).astype(np.float32)
    assert move @ flat > move @ dog + 0.2


async def test_calls_at_once_do_not_mix(minilm: MiniLmEmbedder) -> None:
    one, two, query = await asyncio.gather(minilm.embed(TEXTS), minilm.embed(TEXTS[::-1]), minilm.embed_query(TEXTS[0]))
    cosines = (one.astype(np.float32) * two[::-1].astype(np.float32)).sum(axis=1)
    assert cosines.min() > 0.95
    assert query @ one[0].astype(np.float32) > 0.95


def test_tokens_are_counted_past_the_models_limit(minilm: MiniLmEmbedder) -> None:
    assert minilm.count_tokens("word " * 2_000) == 2_000
    assert minilm.count_tokens("") == 0


def test_the_fingerprint_is_stable(minilm: MiniLmEmbedder) -> None:
    assert (minilm.spec.model, minilm.spec.dimension) == ("all-minilm-l6-v2-int8", 384)
    assert len(minilm.spec.fingerprint) == 16
    assert HashingEmbedder(32).spec != HashingEmbedder(64).spec


def test_a_damaged_model_is_refused(tmp_path: Path) -> None:
    directory = tmp_path / "model"
    shutil.copytree(MODEL_DIRECTORY, directory)
    with (directory / "tokenizer.json").open("ab") as file:
        file.write(b" ")
    with pytest.raises(ModelDamaged, match=r"tokenizer\.json"):
        MiniLmEmbedder(1, directory)
    (directory / "model.onnx").unlink()
    with pytest.raises(ModelDamaged, match=r"model\.onnx cannot be read"):
        MiniLmEmbedder(1, directory)


@given(st.lists(st.integers(1, 256), max_size=60), st.integers(1, 600))
def test_batches_hold_each_text_once_within_the_budget(lengths: list[int], budget: int) -> None:
    batches = list(batches_by_length(lengths, budget))
    assert sorted(index for batch in batches for index in batch) == list(range(len(lengths)))
    assert all(len(batch) == 1 or len(batch) * max(lengths[i] for i in batch) <= budget for batch in batches)


@given(st.lists(st.integers(1, 60), min_size=1, max_size=9), st.integers(20, 120))
def test_no_other_batches_of_neighbours_are_cheaper(lengths: list[int], budget: int) -> None:
    def cost(batches: list[list[int]]) -> int:
        return sum(RUN_COST + len(batch) * max(batch) for batch in batches)

    found = [[lengths[i] for i in batch] for batch in batches_by_length(lengths, budget)]
    ascending = sorted(lengths)
    for cuts in itertools.product([False, True], repeat=len(lengths) - 1):
        ends = [i + 1 for i, cut in enumerate(cuts) if cut] + [len(lengths)]
        other = [ascending[start:end] for start, end in itertools.pairwise([0, *ends])]
        if all(len(batch) == 1 or len(batch) * batch[-1] <= budget for batch in other):
            assert cost(found) <= cost(other)
