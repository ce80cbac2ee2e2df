"""LLMLingua-2 on models that are built here, tiny and random: what is asked of them and what is made of it are real.

Skipped where the extra is not installed.
"""

import asyncio
import math
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from extract.compress.llmlingua import DEFAULT_MODEL, LlmLinguaCompressor
from extract.compress.windows import Window
from extract.compress.words import core_of
from extract.sentence_models import ModelMissing
from tests.extract.compress.said import SAID, WITHOUT_CAPITALS
from tests.extract.compress.tiny_model import VOCABULARY, build

pytest.importorskip("llmlingua", reason="the extra compression is not installed (it brings torch)")
# What these packages warn of at import and while they load is theirs to mend.
pytestmark = [pytest.mark.filterwarnings("ignore"), pytest.mark.timeout(300)]

TALK = [
    "then the boat was moved to the garden and we would all of us sit in it with the hedgehog",
    "and they would tell us that the house was red and that it was bought by a lady with a dog",
    "so it was that the anniversary of the house went by with us in the boat and them in the garden",
]


# Of which several are read in one window.
SHORT = [
    "the boat was red",
    "and the house with a garden",
    "we bought it",
    "the hedgehog moved to the garden",
    "in the house",
    "it was red",
] * 2


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return build(tmp_path_factory.mktemp("models") / "tiny-lingua")


@pytest.fixture(scope="module")
def compressor(model: Path) -> Iterator[LlmLinguaCompressor]:
    made = LlmLinguaCompressor(str(model), 0.5)
    yield made
    made.close()


async def test_about_the_rate_is_left_and_words_are_only_left_out(compressor: LlmLinguaCompressor) -> None:
    left = await compressor.compress(TALK)
    share = sum(map(len, left)) / sum(map(len, TALK))
    assert 0.45 < share < 0.6
    for before, after in zip(TALK, left, strict=True):
        rest = iter(before.split())
        assert all(word in rest for word in after.split())
        assert after == " ".join(after.split())


async def test_the_words_that_the_model_would_keep_are_kept(model: Path, compressor: LlmLinguaCompressor) -> None:
    import torch
    from transformers import AutoModelForTokenClassification, AutoTokenizer

    tokenizer = AutoTokenizer.from_pretrained(model)
    judge: Any = AutoModelForTokenClassification.from_pretrained(model).eval()
    # No word twice, and none that must stay: the model alone decides.
    text = "then the boat was moved to that garden and we would sit in it with hedgehog"
    encoding = tokenizer(text, return_tensors="pt")
    with torch.no_grad():
        probabilities = torch.softmax(judge(**encoding).logits[0], dim=-1)[:, 1].tolist()
    by_word: dict[int, list[float]] = {}
    for place, probability in zip(encoding.word_ids(), probabilities, strict=True):
        if place is not None:
            by_word.setdefault(place, []).append(probability)
    means = {word: sum(by_word[place]) / len(by_word[place]) for place, word in enumerate(text.split())}
    kept = (await compressor.compress([text]))[0].split()
    assert 0 < len(kept) < len(means)
    assert min(means[word] for word in kept) >= max(mean for word, mean in means.items() if word not in kept)


async def test_names_numbers_dates_and_negations_survive(compressor: LlmLinguaCompressor) -> None:
    left = await compressor.compress([text for text, _ in SAID])
    for (_, stays), one in zip(SAID, left, strict=True):
        words = [core_of(word) for word in one.split()]
        assert all(core_of(word) in words for word in stays.split()), one


async def test_what_the_vocabulary_lacks_and_long_words_come_out_as_they_were_written(compressor: LlmLinguaCompressor) -> None:
    long = "x" * 3_000
    texts = [*WITHOUT_CAPITALS, f"the boat 🚤 was\tmoved  to Żółć {long} with ½ of the anniversaryanniversaryanniversary ", "", *TALK * 3]
    left = await compressor.compress(texts)
    assert left[: len(WITHOUT_CAPITALS)] == WITHOUT_CAPITALS
    assert not any("[UNK]" in one or "##" in one for one in left)
    assert {"🚤", "Żółć", "½"} <= set(left[len(WITHOUT_CAPITALS)].split())
    for before, after in zip(texts, left, strict=True):
        rest = iter(before.split())
        assert all(word in rest for word in after.split())


async def test_texts_of_many_windows_are_read_to_their_end(compressor: LlmLinguaCompressor) -> None:
    text = " ".join(TALK * 60)
    left = (await compressor.compress([text]))[0]
    assert 0.45 < len(left) / len(text) < 0.6
    words = left.split()
    half = len(words) // 2
    assert 0.7 < len(" ".join(words[:half])) / len(" ".join(words[half:])) < 1.4


async def test_what_is_beyond_the_most_that_is_read_stays_whole(compressor: LlmLinguaCompressor, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("extract.compress.llmlingua._MOST_CHARACTERS", 2_000)
    left = await compressor.compress([" ".join(TALK * 6), *TALK * 8])
    assert left[-3:] == TALK
    assert len(left[0]) < len(" ".join(TALK * 6))


async def test_what_was_read_to_part_turns_is_not_read_again_to_compress_them(model: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    made = LlmLinguaCompressor(str(model), 0.5, attention=True)
    passes: list[Window] = []
    judge = made._judge
    monkeypatch.setattr(made, "_judge", lambda window: (passes.append(window), judge(window))[1])
    turns = await made.read(SHORT)
    read = len(passes)
    assert 0 < read == len(windows_read(passes, SHORT))
    importance = [turn.importance for turn in turns]
    left = await made.compress(SHORT, importance=importance)
    assert await made.read(SHORT) == turns
    assert len(passes) == read
    assert left == await made.compress(SHORT)
    assert len(passes) == 2 * read
    # What stands before was not read with them, and is all that is read now.
    before = await made.compress([TALK[0], *SHORT], importance=[None, *importance])
    assert {written for window in passes[2 * read :] for written in words_of(window, [TALK[0]])} == set(TALK[0].split())
    assert sum(map(len, before[1:])) < sum(map(len, SHORT))
    made.close()


async def test_attention_is_a_share_and_the_same_whatever_was_read_before(model: Path) -> None:
    one, other = (LlmLinguaCompressor(str(model), 0.5, attention=True) for _ in range(2))
    await other.read(TALK)
    turns = await one.read(SHORT)
    assert turns == await other.read(SHORT)
    told = [turn.attention_to_previous for turn in turns]
    assert told[:2] == [None, None]
    shares = [share for share in told if share is not None]
    assert len(shares) > 3
    assert all(0 < share < 1 for share in shares)
    assert len({round(share, 3) for share in shares}) > 2
    # Twenty words each: of no three turns are words in one window.
    assert [turn.attention_to_previous for turn in await one.read(TALK * 2)] == [None] * 6
    for made in (one, other):
        made.close()


async def test_words_that_nobody_read_stay(model: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("extract.compress.llmlingua._MOST_CHARACTERS", 100)
    made = LlmLinguaCompressor(str(model), 0.5, attention=True)
    turns = await made.read(TALK)
    assert set(turns[2].importance) == {math.inf}
    assert (await made.compress(TALK, importance=[turn.importance for turn in turns]))[2] == TALK[2]
    made.close()


async def test_attention_that_was_not_asked_for_is_not_read(compressor: LlmLinguaCompressor) -> None:
    with pytest.raises(ValueError, match="attention"):
        await compressor.read(TALK)


def words_of(window: Window, texts: list[str]) -> list[str]:
    return [texts[number].split()[place] for number, place in window.words]


def windows_read(passes: list[Window], texts: list[str]) -> list[Window]:
    """The same, which together hold every word once."""
    assert [word for window in passes for word in words_of(window, texts)] == " ".join(texts).split()
    return passes


async def test_the_event_loop_goes_on_meanwhile_and_nobody_is_waited_for(compressor: LlmLinguaCompressor) -> None:
    work = asyncio.create_task(compressor.compress(TALK * 40))
    turns = 0
    while not work.done():
        await asyncio.sleep(0)
        turns += 1
    assert turns > 10
    with pytest.raises(TimeoutError):
        async with asyncio.timeout(0.01):
            await compressor.compress(TALK * 400)
    assert len(await compressor.compress(TALK)) == 3


def test_the_fingerprint_is_of_the_model_and_the_rate(model: Path, compressor: LlmLinguaCompressor, tmp_path: Path) -> None:
    others = [LlmLinguaCompressor(str(model), 0.6), LlmLinguaCompressor(str(build(tmp_path / "other", positions=48)), 0.5)]
    again = LlmLinguaCompressor(str(model), 0.5)
    for one in (*others, again):
        one.close()
    assert compressor.fingerprint == again.fingerprint
    assert len({compressor.fingerprint, *(one.fingerprint for one in others)}) == 3
    assert compressor.name == "tiny-lingua"


def test_what_is_no_such_model_is_refused_and_says_which_one_is_wanted(tmp_path: Path) -> None:
    with pytest.raises(ModelMissing, match=f"cannot be loaded.*{DEFAULT_MODEL}.*compressor_model"):
        LlmLinguaCompressor(str(tmp_path), 0.5)
    with pytest.raises(ModelMissing, match="whether it stays"):
        LlmLinguaCompressor(str(build(tmp_path / "three", labels=3)), 0.5)
    with pytest.raises(ValueError, match="rate"):
        LlmLinguaCompressor(str(tmp_path), 1.0)


async def test_a_roberta_whose_positions_begin_later_reads_as_long_windows_as_it_can(tmp_path: Path) -> None:
    import torch
    from transformers import XLMRobertaConfig, XLMRobertaForTokenClassification

    build(tmp_path)
    torch.manual_seed(7)
    # Positions count from behind the padding's: of 66 there are 64 for pieces.
    config: Any = XLMRobertaConfig(
        vocab_size=len(VOCABULARY),
        hidden_size=16,
        num_hidden_layers=2,
        num_attention_heads=2,
        intermediate_size=32,
        max_position_embeddings=66,
        type_vocab_size=1,
        num_labels=2,
    )
    XLMRobertaForTokenClassification(config).save_pretrained(tmp_path)
    made = LlmLinguaCompressor(str(tmp_path), 0.5)
    left = await made.compress(TALK * 5)
    made.close()
    assert 0.45 < sum(map(len, left)) / sum(map(len, TALK * 5)) < 0.6
