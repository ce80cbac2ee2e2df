"""Embedders give unit vectors in the order asked for, the same whatever the company, and refuse a damaged model."""

import asyncio
import json
import random
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from extract.embed import Embedder, HashingEmbedder, MiniLmEmbedder, ModelDamaged
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


async def test_a_text_has_the_same_vector_alone_in_company_and_as_a_query(embedder: Embedder) -> None:
    together = await embedder.embed(TEXTS)
    for text, vector in zip(TEXTS, together, strict=True):
        assert np.array_equal((await embedder.embed([text]))[0], vector)
        assert np.array_equal((await embedder.embed_query(text)).astype(np.float16), vector)


# Lengths about the model's limit of 256 word pieces, of which two are special, and about the steps in which a processor takes numbers.
LENGTHS = [1, 2, 13, 14, 15, 30, 31, 62, 63, 126, 127, 253, 254, 255, 256, 400]
MANY_TEXTS = [*TEXTS, " ", "\n", ".", "x" * 20_000, *(" ".join(["boat"] * length) for length in LENGTHS)]
EMBEDDING = """
import asyncio, json, sys
from extract.embed import MiniLmEmbedder
embedder = MiniLmEmbedder(threads=int(sys.argv[1]))
async def embed(calls):
    return await asyncio.gather(*(embedder.embed(texts) for texts in calls))
calls = json.loads(sys.stdin.readline())
print("".join(vectors.tobytes().hex() for vectors in asyncio.run(embed(calls))), flush=True)
sys.stdin.read()
"""


def _embedded_by_a_process_that_is_killed(calls: list[list[str]], threads: int) -> dict[str, bytes]:
    with subprocess.Popen(
        [sys.executable, "-c", EMBEDDING, str(threads)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as process:
        assert process.stdin is not None
        assert process.stdout is not None
        process.stdin.write(json.dumps(calls) + "\n")
        process.stdin.flush()
        vectors = np.frombuffer(bytes.fromhex(process.stdout.readline()), np.float16).reshape(-1, 384)
        process.kill()
    return {text: vector.tobytes() for text, vector in zip((text for texts in calls for text in texts), vectors, strict=True)}


def test_vectors_are_the_same_bit_for_bit_in_another_process_another_order_and_other_company() -> None:
    first = _embedded_by_a_process_that_is_killed([MANY_TEXTS], threads=1)
    shuffled = random.Random(1).sample(MANY_TEXTS, len(MANY_TEXTS))
    again = _embedded_by_a_process_that_is_killed([shuffled[:1], shuffled[1:7], shuffled[7:]], threads=3)
    assert len(first) == len(MANY_TEXTS)
    assert again == first


async def test_a_text_past_the_limit_has_the_vector_of_its_beginning(minilm: MiniLmEmbedder) -> None:
    beginning, longer = await minilm.embed([" ".join(["boat"] * 254), " ".join(["boat"] * 254 + ["dog"] * 50)])
    assert np.array_equal(beginning, longer)


async def test_meaning_brings_texts_together(minilm: MiniLmEmbedder) -> None:
    move, flat, dog = (await minilm.embed(TEXTS[:3])).astype(np.float32)
    assert move @ flat > move @ dog + 0.2


async def test_calls_at_once_do_not_mix(minilm: MiniLmEmbedder) -> None:
    one, two, query = await asyncio.gather(minilm.embed(TEXTS), minilm.embed(TEXTS[::-1]), minilm.embed_query(TEXTS[0]))
    assert np.array_equal(one, two[::-1])
    assert np.array_equal(query.astype(np.float16), one[0])


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
