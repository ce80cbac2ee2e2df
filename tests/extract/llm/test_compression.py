"""Words are left out of what the model reads, and of nothing else."""

from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pytest

from extract.compress import EntropyCompressor
from extract.endpoint import EndpointSettings
from extract.llm.endpoint import Endpoint
from extract.llm.extractor import LlmExtractor
from extract.llm.providers import PROVIDERS
from extract.llm.settings import LlmSettings
from extract.metering import collect_usage
from extract.port import ExtractorUnavailable
from graph.model import ExtractionMode
from tests.extract.llm.conftest import MODEL, segment
from tests.extract.llm.openai_server import OpenAiServer, Reply, answer, fact, messages_in

TALK = (
    "Well, it was so that we had been thinking about it for quite a while and then I moved to Lisbon with my sister Ana last Friday.",
    "And I would say that it is not at all like what we had before, because there is a garden with two hammocks in it for us.",
)


def extractor(model: OpenAiServer, rate: float | None, **settings: Any) -> LlmExtractor:
    endpoint = Endpoint(PROVIDERS["custom"], EndpointSettings(model.url, key="sk-secret", retries=0, timeout_s=10.0))
    return LlmExtractor(endpoint, LlmSettings("custom", MODEL, **settings), compressor=EntropyCompressor(rate) if rate else None)


async def test_the_model_reads_less_and_is_told_so(model: OpenAiServer) -> None:
    asked = extractor(model, 0.5)
    found = await asked.extract(segment(*TALK, context=("What has been going on with you all of this time?",)))
    await asked.aclose()
    shown = messages_in(model.requests[0])
    assert [one["n"] for one in shown] == [1, 2, 3]
    for one, whole in zip(shown[1:], TALK, strict=True):
        assert len(one["text"]) < 0.7 * len(whole)
    assert "moved" in shown[1]["text"]
    assert "Lisbon" in shown[1]["text"]
    assert "last Friday." in shown[1]["text"]
    assert "not at all" in shown[2]["text"]
    assert "two hammocks" in shown[2]["text"]
    assert "left out" in model.requests[0]["messages"][0]["content"]
    compress, extract = found.usage
    assert (compress.step, compress.model, compress.calls, compress.items) == ("compress", "entropy", 1, 3)
    assert 0 < compress.completion_tokens < 0.7 * compress.prompt_tokens
    assert (extract.step, extract.items) == ("extract", 2)


async def test_when_it_was_is_looked_up_in_what_was_really_said(model: OpenAiServer) -> None:
    model.script = [Reply(answer({"title": "The move", "facts": [fact("Maria moved to Lisbon.", 1, when="last Friday")]}))]
    asked = extractor(model, 0.4)
    one = segment(*TALK)
    found = await asked.extract(one)
    await asked.aclose()
    [statement] = found.events[0].statements
    assert statement.time is not None
    assert statement.time.start == datetime(2023, 5, 5, tzinfo=UTC)
    assert (statement.evidence, statement.speaker) == (("msg_1",), "Maria")
    assert [message.text for message in one.messages] == list(TALK)


async def test_a_long_segment_is_compressed_before_it_is_halved(model: OpenAiServer) -> None:
    talk = [TALK[0].replace("Lisbon", f"Town{number}") for number in range(40)]
    for rate, calls in ((None, 2), (0.4, 1)):
        model.requests.clear()
        asked = extractor(model, rate, input_tokens=1_000)
        found = await asked.extract(segment(*talk))
        await asked.aclose()
        assert len(model.requests) == calls
        assert len({statement.evidence for event in found.events for statement in event.statements}) == 40


async def test_what_was_compressed_for_a_model_that_cannot_be_asked_is_counted(model: OpenAiServer) -> None:
    model.script = [Reply(status=500)]
    asked = extractor(model, 0.4)
    with collect_usage() as spent, pytest.raises(ExtractorUnavailable):
        await asked.extract(segment(*TALK))
    assert [entry.step for entry in spent] == ["compress", "extract"]
    await asked.aclose()


async def test_where_nothing_is_to_be_extracted_nothing_is_compressed(model: OpenAiServer) -> None:
    asked = extractor(model, 0.4)
    assert (await asked.extract(replace(segment(*TALK), aside=frozenset({"msg_1", "msg_2"})))).usage == ()
    assert model.requests == []
    await asked.aclose()


async def test_another_compression_is_another_generation_and_none_is_what_it_was(model: OpenAiServer) -> None:
    made = [extractor(model, rate) for rate in (None, 0.4, 0.5, 0.5)]
    plain, first, second, again = (one.spec for one in made)
    endpoint = Endpoint(PROVIDERS["custom"], EndpointSettings(model.url, key="sk-secret"))
    before = LlmExtractor(endpoint, LlmSettings("custom", MODEL), ExtractionMode.EVENT)
    assert plain == before.spec
    assert second == again
    assert len({plain, first, second}) == 3
    for one in (*made, before):
        await one.aclose()
