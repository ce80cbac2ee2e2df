"""What each row of the provider table puts into a request, as a server sees it."""

from typing import Any

import pytest

from extract.endpoint import EndpointSettings
from extract.llm.endpoint import Endpoint
from extract.llm.extractor import LlmExtractor
from extract.llm.providers import PROVIDERS, Output
from extract.llm.settings import LlmSettings
from graph.model import ExtractionMode
from service.settings import Settings
from tests.extract.llm.conftest import MODEL, segment
from tests.extract.llm.openai_server import Body, OpenAiServer


async def request(model: OpenAiServer, name: str, **settings: Any) -> Body:
    """What the server is sent."""
    endpoint = Endpoint(PROVIDERS[name], EndpointSettings(model.url, key="sk-secret"), **settings)
    await LlmExtractor(endpoint, LlmSettings(name, MODEL, output_tokens=321)).extract(segment("I have a dog."))
    await endpoint.aclose()
    return model.requests[-1]


@pytest.mark.parametrize(
    ("name", "form", "expected"),
    [
        ("openai", "json_schema", {"max_completion_tokens": 321}),
        ("deepseek", "json_object", {"max_tokens": 321, "temperature": 0, "thinking": {"type": "disabled"}}),
        ("ollama", "json_schema", {"max_tokens": 321, "temperature": 0}),
        ("vllm", "json_schema", {"max_tokens": 321, "temperature": 0}),
        ("custom", "json_schema", {"max_tokens": 321}),
    ],
)
async def test_each_provider_is_asked_in_its_own_words(name: str, form: str, expected: Body, model: OpenAiServer) -> None:
    sent = await request(model, name)
    assert sent.pop("response_format")["type"] == form
    assert sorted(turn["role"] for turn in sent.pop("messages")) == ["system", "user"]
    assert sent == {"model": MODEL} | expected


async def test_reasoning_is_asked_for_where_it_is_named(model: OpenAiServer) -> None:
    assert (await request(model, "openai", reasoning="low"))["reasoning_effort"] == "low"
    thinking = await request(model, "deepseek", reasoning="high")
    assert (thinking["thinking"], thinking["reasoning_effort"]) == ({"type": "enabled"}, "high")
    assert (await request(model, "vllm", reasoning="none"))["chat_template_kwargs"] == {"enable_thinking": False}


async def test_the_form_of_answers_can_be_set(model: OpenAiServer) -> None:
    assert "response_format" not in await request(model, "openai", output=Output.TEXT)


def test_the_settings_know_every_provider() -> None:
    assert {*Settings.model_fields["llm_provider"].annotation.__args__} == set(PROVIDERS)  # type: ignore[union-attr]  # a Literal


def test_another_model_or_provider_is_another_extractor() -> None:
    endpoint = Endpoint(PROVIDERS["openai"], EndpointSettings("", key="sk-secret"))
    settings = [
        LlmSettings("openai", "a"),
        LlmSettings("openai", "b"),
        LlmSettings("vllm", "a"),
        LlmSettings("openai", "a", reasoning="low"),
    ]
    specs = {LlmExtractor(endpoint, one, mode).spec for one in settings for mode in (ExtractionMode.EVENT, ExtractionMode.FLAT)}
    assert len({spec.fingerprint for spec in specs}) == 8
    assert LlmExtractor(endpoint, LlmSettings("openai", "a", input_tokens=9_000)).spec in specs
