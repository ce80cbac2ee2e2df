"""Models of sentence-transformers: an embedder and a cross-encoder, tiny and random, built here. Skipped where the extra is "
"not installed."""

import asyncio
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from extract.embed.sentences import SentenceEmbedder
from extract.metering import collect_usage
from extract.rerank.cross_encoder import CrossEncoderReranker
from extract.sentence_models import ModelMissing, files_hash

pytest.importorskip("sentence_transformers", reason="the extra sentence-transformers is not installed (it brings torch)")
# What these packages warn of at import and while they load is theirs to mend.
pytestmark = [pytest.mark.filterwarnings("ignore"), pytest.mark.timeout(300)]

SPECIAL = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"]
WORDS = ["maria", "ben", "moved", "to", "lisbon", "bought", "a", "red", "boat", "the", "dog", "is", "old", "where", "does", "live"]
TEXTS = ["Maria moved to Lisbon", "Ben bought a red boat", "the dog is old", ""]


def _bert(directory: Path, labels: int = 0) -> None:
    """Writes a random BERT of 16 dimensions and its tokenizer."""
    import torch
    from transformers import BertConfig, BertForSequenceClassification, BertModel, BertTokenizerFast

    torch.manual_seed(7)
    directory.mkdir()
    (directory / "vocab.txt").write_text("\n".join(SPECIAL + WORDS))
    config: Any = BertConfig(
        vocab_size=len(SPECIAL + WORDS),
        hidden_size=16,
        num_hidden_layers=2,
        num_attention_heads=2,
        intermediate_size=32,
        initializer_range=0.5,
        num_labels=labels or 2,
    )
    (BertForSequenceClassification(config) if labels else BertModel(config)).save_pretrained(directory)
    BertTokenizerFast(vocab={word: i for i, word in enumerate(SPECIAL + WORDS)}).save_pretrained(directory)


@pytest.fixture(scope="module")
def encoder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A directory with a sentence encoder."""
    from sentence_transformers import SentenceTransformer

    home = tmp_path_factory.mktemp("models")
    _bert(home / "bert")
    SentenceTransformer(str(home / "bert"), device="cpu").save(str(home / "tiny-encoder"))  # mean pooling is added
    return home / "tiny-encoder"


@pytest.fixture(scope="module")
def embedder(encoder: Path) -> Iterator[SentenceEmbedder]:
    made = SentenceEmbedder(str(encoder))
    yield made
    made.close()


@pytest.fixture(scope="module")
def reranker(tmp_path_factory: pytest.TempPathFactory) -> Iterator[CrossEncoderReranker]:
    home = tmp_path_factory.mktemp("rerankers")
    _bert(home / "tiny-reranker", labels=1)
    made = CrossEncoderReranker(str(home / "tiny-reranker"))
    yield made
    made.close()


async def test_vectors_have_unit_length_and_a_text_has_the_same_alone_and_in_company(embedder: SentenceEmbedder) -> None:
    vectors = await embedder.embed(TEXTS * 40)
    assert vectors.shape == (160, 16)
    assert vectors.dtype == np.float16
    assert (embedder.spec.model, embedder.spec.dimension) == ("tiny-encoder", 16)
    for text, vector in zip(TEXTS, vectors.astype(np.float32), strict=False):
        query = await embedder.embed_query(text)
        assert query.dtype == np.float32
        assert abs(float(np.linalg.norm(query)) - 1) < 1e-5
        assert float(query @ vector) > 0.999
    assert (await embedder.embed([])).shape == (0, 16)


async def test_the_event_loop_goes_on_meanwhile(embedder: SentenceEmbedder) -> None:
    work = asyncio.create_task(embedder.embed(TEXTS * 100))
    turns = 0
    while not work.done():
        await asyncio.sleep(0)
        turns += 1
    assert turns > 10


def test_the_fingerprint_follows_the_files_that_decide(encoder: Path, embedder: SentenceEmbedder, tmp_path: Path) -> None:
    copy = tmp_path / "elsewhere"
    shutil.copytree(encoder, copy)
    (copy / "README.md").write_text("Another word about it.")
    assert files_hash(copy) == files_hash(encoder)
    again = SentenceEmbedder(str(copy))
    again.close()
    assert again.spec.fingerprint == embedder.spec.fingerprint
    with (copy / "model.safetensors").open("ab") as file:
        file.write(b" ")
    assert files_hash(copy) != files_hash(encoder)


async def test_a_cross_encoder_scores_each_text_for_the_query(reranker: CrossEncoderReranker) -> None:
    with collect_usage() as spent:
        scores = await reranker.rerank("where does Maria live", TEXTS * 5)
    assert len(scores) == 20
    assert np.allclose(scores, scores[:4] * 5, atol=1e-4)
    assert len({round(score, 4) for score in scores}) > 1
    assert [(one.step, one.model, one.items, one.errors) for one in spent] == [("rerank", "tiny-reranker", 20, 0)]


async def test_a_cross_encoder_whom_nobody_waits_for_reads_no_more(reranker: CrossEncoderReranker) -> None:
    with collect_usage() as spent, pytest.raises(TimeoutError):
        async with asyncio.timeout(0.01):
            await reranker.rerank("where does Maria live", TEXTS * 1_000)
    assert spent[0].items < 4_000
    assert spent[0].errors == 1


def test_what_is_no_model_is_refused(tmp_path: Path, encoder: Path) -> None:
    with pytest.raises(ModelMissing):
        SentenceEmbedder(str(tmp_path))
    _bert(tmp_path / "three-labels", labels=3)
    with pytest.raises(ModelMissing, match="one"):
        CrossEncoderReranker(str(tmp_path / "three-labels"))
