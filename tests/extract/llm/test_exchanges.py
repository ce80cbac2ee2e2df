"""Exchanges with a model, written to a file and answered from it."""

import asyncio
import json
from collections.abc import Callable
from datetime import UTC
from pathlib import Path

import pytest

from extract.endpoint import EndpointSettings
from extract.llm.answer import Checks
from extract.llm.chat import ChatAnswer, ChatRequest, ModelUsage, Turn
from extract.llm.endpoint import Endpoint
from extract.llm.exchanges import RecordingChat, ReplayedChat, load_exchanges
from extract.llm.extractor import LlmExtractor
from extract.llm.providers import PROVIDERS
from extract.llm.reading import read_answer
from extract.llm.settings import LlmSettings
from extract.metering import collect_usage
from extract.port import ExtractorUnavailable
from graph.errors import InvalidArgument
from graph.model import ExtractionMode
from tests.extract.llm.conftest import MODEL, segment
from tests.extract.llm.openai_server import OpenAiServer, Reply, answer, fact

SETTINGS = LlmSettings("custom", MODEL)


@pytest.fixture
async def recording(model: OpenAiServer, tmp_path: Path) -> Path:
    """The file of one extraction that needed a repair."""
    path = tmp_path / "exchanges.jsonl"
    model.script = [Reply(answer({"title": "Pets", "facts": [fact("Maria has a dog.", 1), fact("x", 9)]}))]
    chat = RecordingChat(Endpoint(PROVIDERS["custom"], EndpointSettings(model.url, key="sk-secret")), path)
    model.answers = lambda _: Reply(answer({"title": "Pets", "facts": [fact("Maria has a cat.", 1)]}))
    await LlmExtractor(chat, SETTINGS).extract(segment("I have a dog and a cat."))
    await chat.aclose()
    await model.stop()
    return path


async def test_a_replay_says_the_same_without_a_network(recording: Path) -> None:
    found = await LlmExtractor(ReplayedChat(recording), SETTINGS).extract(segment("I have a dog and a cat."))
    assert [one.text for event in found.events for one in event.statements] == ["Maria has a dog.", "Maria has a cat."]
    assert {entry.step: entry.prompt_tokens for entry in found.usage} == {"extract": 100, "repair": 100}


async def test_the_file_holds_no_secret_and_each_exchange_once(recording: Path) -> None:
    text = await asyncio.to_thread(recording.read_text)
    assert "sk-secret" not in text
    assert "127.0.0.1" not in text
    assert [sorted(json.loads(line)) for line in text.splitlines()] == [["answer", "key", "request"]] * 2
    assert "I have a dog and a cat." in text


async def test_what_was_not_recorded_is_named(recording: Path) -> None:
    with collect_usage() as spent, pytest.raises(ExtractorUnavailable, match=r"no recorded exchange has the key [0-9a-f]{64}"):
        await LlmExtractor(ReplayedChat(recording), SETTINGS).extract(segment("Something else."))
    assert spent[0].errors == 1


async def test_a_recording_goes_on_where_it_ended(recording: Path, extractor_of: Callable[..., LlmExtractor]) -> None:
    before = load_exchanges(recording)
    chat = RecordingChat(ReplayedChat(recording), recording)
    await LlmExtractor(chat, SETTINGS).extract(segment("I have a dog and a cat."))
    await chat.aclose()
    assert load_exchanges(recording) == before
    assert len((await asyncio.to_thread(recording.read_text)).splitlines()) == 2


def test_a_line_that_a_crash_cut_off_is_passed_over_but_a_wrong_file_is_refused(recording: Path) -> None:
    whole = recording.read_text()
    recording.write_text(whole + '{"key": "a", "requ')
    assert len(load_exchanges(recording)) == 2
    recording.write_text("not this\n" + whole)
    with pytest.raises(InvalidArgument, match="line 1"):
        load_exchanges(recording)


async def test_a_recording_goes_on_after_half_a_line_and_the_last_answer_counts(recording: Path, model: OpenAiServer) -> None:
    with recording.open("a") as file:
        file.write('{"key": "a", "requ')
    before = load_exchanges(recording)
    await model.start()
    chat = RecordingChat(Endpoint(PROVIDERS["custom"], EndpointSettings(model.url, key="sk-secret")), recording)
    model.answers = lambda _: Reply(answer({"title": "Pets", "facts": [fact("Maria has a bird.", 1)]}))
    await LlmExtractor(chat, SETTINGS).extract(segment("I have a dog and a cat."))
    await chat.aclose()
    after = load_exchanges(recording)
    assert set(after) == set(before)
    found = await LlmExtractor(ReplayedChat(recording), SETTINGS).extract(segment("I have a dog and a cat."))
    assert [one.text for event in found.events for one in event.statements] == ["Maria has a bird."]
    assert (await asyncio.to_thread(recording.stat)).st_mode & 0o777 == 0o600


class Says:
    """A model that always says the same."""

    def __init__(self, text: str) -> None:
        self._answer = ChatAnswer(text, True, ModelUsage(1, 2, 3))

    async def ask(self, request: ChatRequest) -> ChatAnswer:
        return self._answer

    async def aclose(self) -> None:
        pass


@pytest.mark.parametrize("said", ["one\u2028two", "one\u2029two", "one\x85two", "one\r\ntwo", "\U0001f600", "half \ud83d"])
async def test_whatever_is_said_is_replayed_as_it_was(tmp_path: Path, said: str) -> None:
    path = tmp_path / "exchanges.jsonl"
    request = ChatRequest("m", (Turn("user", "one\u2028two"),), {}, 10)
    chat = RecordingChat(Says(said), path)
    await chat.ask(request)
    await chat.aclose()
    assert (await ReplayedChat(path).ask(request)).text == said


async def test_a_crash_may_cut_a_character_in_two(recording: Path) -> None:
    with recording.open("ab") as file:
        file.write('{"key": "ä'.encode()[:-1])
    before = load_exchanges(recording)
    assert len(before) == 2
    await RecordingChat(Says(""), recording).aclose()
    assert load_exchanges(recording) == before


async def test_what_cannot_be_recorded_is_answered_all_the_same(
    model: OpenAiServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    model.answers = lambda _: Reply(answer({"title": "Pets", "facts": [fact("Maria has a dog.", 1)]}))
    chat = RecordingChat(Endpoint(PROVIDERS["custom"], EndpointSettings(model.url, key="sk-secret")), tmp_path / "exchanges.jsonl")

    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(chat, "_write", full)
    found = await LlmExtractor(chat, SETTINGS).extract(segment("I have a dog."))

    assert [one.text for event in found.events for one in event.statements] == ["Maria has a dog."]
    await chat.aclose()


def test_an_answer_that_no_utf8_can_hold_is_no_answer() -> None:
    checks = Checks(frozenset({1}), frozenset({1}), {}, frozenset(), UTC)
    assert read_answer('{"events": "\ud800"}', ExtractionMode.EVENT, checks).broken
    assert read_answer("\udfff", ExtractionMode.FLAT, checks).broken
