"""A language model behind a real HTTP server that is asked for summaries, and consolidators that ask it."""

import json
import re
from collections.abc import AsyncIterator, Callable
from typing import Any

import pytest

from extract.consolidate.llm.consolidator import LlmConsolidator
from extract.endpoint import EndpointSettings
from extract.llm.endpoint import Endpoint
from extract.llm.providers import PROVIDERS
from extract.llm.settings import LlmSettings
from tests.extract.llm.openai_server import Body, OpenAiServer, Reply

Consolidators = Callable[..., LlmConsolidator]
_LINES = re.compile(r"<memories>\n(.*?)\n</memories>", re.DOTALL)


def shown(body: Body) -> list[Body]:
    """The sources that a request shows, as a model that reads JSON sees them."""
    found = _LINES.search(body["messages"][-1]["content"])
    assert found is not None
    return [json.loads(line) for line in found[1].split("\n")]


def asked(body: Body) -> dict[int, list[Body]]:
    """Those of them that can be cited, by the summary that they are for."""
    groups: dict[int, list[Body]] = {}
    for one in shown(body):
        if "n" in one:
            groups.setdefault(one["summary"], []).append(one)
    return groups


def sentence(text: str, *sources: Any, date: str = "") -> Body:
    return {"text": text, "sources": list(sources), "date": date}


def summaries(*all_of_them: tuple[int, list[Body]]) -> Reply:
    return Reply(
        json.dumps({"summaries": [{"summary": number, "title": f"summary {number}", "sentences": one} for number, one in all_of_them]})
    )


def honest(body: Body) -> Reply:
    """Does what the prompt asks: one sentence a source with what it says, and nothing that it asks for."""
    return summaries(
        *((number, [sentence(f"It is said: {one['says'][0]}", one["n"]) for one in sources]) for number, sources in asked(body).items())
    )


@pytest.fixture
async def model() -> AsyncIterator[OpenAiServer]:
    server = OpenAiServer()
    server.answers = honest
    await server.start()
    yield server
    await server.stop()


@pytest.fixture
async def consolidator_of(model: OpenAiServer) -> AsyncIterator[Consolidators]:
    """`consolidator_of(input_tokens=..., retries=...)`: one that asks the server."""
    made: list[LlmConsolidator] = []

    def make(**changes: Any) -> LlmConsolidator:
        calls = {name: changes.pop(name) for name in list(changes) if name in EndpointSettings.__dataclass_fields__}
        endpoint = Endpoint(PROVIDERS["custom"], EndpointSettings(model.url, key="sk-secret", **{"retries": 0, "timeout_s": 10.0} | calls))
        made.append(LlmConsolidator(endpoint, LlmSettings("custom", "a-model", **changes)))
        return made[-1]

    yield make
    for one in made:
        await one.aclose()
