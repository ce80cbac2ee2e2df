"""A language model of our own behind a real HTTP server, and extractors that ask it."""

from collections.abc import AsyncIterator, Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from extract.endpoint import EndpointSettings
from extract.llm.endpoint import Endpoint
from extract.llm.extractor import LlmExtractor
from extract.llm.providers import PROVIDERS
from extract.llm.settings import LlmSettings
from extract.port import Segment
from graph.model import NO_PROFILE, ExtractionMode, ExtractionProfile, Message, Role
from tests.extract.llm.openai_server import OpenAiServer

SAID = datetime(2023, 5, 8, 13, 56, tzinfo=UTC)
MODEL = "a-model"


@pytest.fixture
async def model() -> AsyncIterator[OpenAiServer]:
    """The server; tests tell it what to answer."""
    server = OpenAiServer()
    await server.start()
    yield server
    await server.stop()


@pytest.fixture
async def extractor_of(model: OpenAiServer) -> AsyncIterator[Callable[..., LlmExtractor]]:
    """`extractor_of(mode=..., input_tokens=..., retries=...)`: an extractor that asks the server."""
    made: list[LlmExtractor] = []

    def make(mode: ExtractionMode = ExtractionMode.EVENT, **changes: Any) -> LlmExtractor:
        calls = {name: changes.pop(name) for name in list(changes) if name in EndpointSettings.__dataclass_fields__}
        settings = EndpointSettings(model.url, key="sk-secret", **{"retries": 1, "timeout_s": 10.0} | calls)
        endpoint = Endpoint(PROVIDERS["custom"], settings, output=changes.pop("output", None))
        made.append(LlmExtractor(endpoint, LlmSettings("custom", MODEL, **changes), mode))
        return made[-1]

    yield make
    for one in made:
        await one.aclose()


def message(seq: int, text: str, speaker: str = "Maria", **more: Any) -> Message:
    sent_at = SAID + timedelta(minutes=seq - 1)
    return Message(f"msg_{seq}", "s", seq, speaker, more.pop("role", Role.USER), text, sent_at, sent_at, **more)


def segment(*texts: str, context: tuple[str, ...] = (), profile: ExtractionProfile = NO_PROFILE) -> Segment:
    """Maria's messages, after those of Tom that are the context."""
    before = tuple(message(seq, text, "Tom") for seq, text in enumerate(context, 1))
    own = tuple(message(seq, text) for seq, text in enumerate(texts, len(before) + 1))
    return Segment("alice", "s", before, own, UTC, profile)
