"""Words by their self-information: the frequent and the repeated go first."""

import asyncio

import pytest

from extract.compress import EntropyCompressor
from extract.compress.choosing import read_texts
from extract.compress.entropy import information
from tests.extract.compress.said import SAID

TALK = [
    "so we have been thinking about it for a while and it seems that the garden would be the place where the hammock could hang",
    "and what would you say to the hedgehog that has been living under the old greenhouse with all of these leaves",
    "well it would be such a shame if the workmen were to come and take the greenhouse away from under the poor hedgehog",
] * 2


def bits(text: str) -> dict[str, float]:
    read = read_texts([text], ())
    return dict(zip((word.core for word in read[0].words), information(read)[0], strict=True))


def test_a_word_says_more_the_rarer_it_is() -> None:
    said = bits("the garden squirrels quixotically")
    assert said["the"] < said["garden"] < said["squirrels"] < said["quixotically"]


def test_a_word_says_less_each_time_that_it_is_said() -> None:
    read = read_texts(["hedgehog and hedgehog", "and a hedgehog"], ())
    first, second = information(read)
    assert first[0] > first[2] > second[2]


@pytest.mark.parametrize("rate", [0.4, 0.6, 0.8])
async def test_about_the_rate_is_left(rate: float) -> None:
    left = await EntropyCompressor(rate).compress(TALK)
    share = sum(map(len, left)) / sum(map(len, TALK))
    assert rate - 0.03 < share < rate + 0.05


async def test_what_says_something_is_what_is_left() -> None:
    left = " ".join(await EntropyCompressor(0.4).compress(TALK))
    assert all(word in left for word in ("hammock", "hedgehog", "greenhouse", "workmen", "leaves"))
    assert " the " not in left


async def test_in_another_language_what_is_said_again_and_again_goes_first() -> None:
    said = ["och så tog jag med det till oss och sedan var det så att det blev över och det fick hon och han och vi alla"] * 4
    left = await EntropyCompressor(0.5).compress(said)
    assert left[-1].count("och") < said[-1].count("och")


async def test_the_same_texts_come_out_the_same() -> None:
    texts = [text for text, _ in SAID]
    one, other = EntropyCompressor(0.5), EntropyCompressor(0.5)
    await other.compress(TALK)
    assert await one.compress(texts) == await other.compress(texts)
    assert one.fingerprint == other.fingerprint != EntropyCompressor(0.6).fingerprint


async def test_the_event_loop_goes_on_meanwhile() -> None:
    work = asyncio.create_task(EntropyCompressor(0.5).compress(TALK * 300))
    turns = 0
    while not work.done():
        await asyncio.sleep(0)
        turns += 1
    assert turns > 10
    assert len(work.result()) == 300 * len(TALK)


@pytest.mark.parametrize("rate", [0.0, 0.39, 0.81, 1.0])
def test_another_rate_is_refused(rate: float) -> None:
    with pytest.raises(ValueError, match=r"from 0\.4 to 0\.8"):
        EntropyCompressor(rate)
