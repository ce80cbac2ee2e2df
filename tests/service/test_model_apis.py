"""A service whose embedder and reranker are behind an API: what comes out, what is counted, and what a dead API costs."""

import sys
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager
from pathlib import Path
from typing import Any

import pytest
from structmem.v1 import inspection_service_pb2, job_pb2, retrieval_pb2
from structmem.v1 import memory_service_pb2 as pb
from structmem.v1.error_reason_pb2 import ERROR_REASON_EMBEDDER_UNAVAILABLE

from service.app import build
from service.configuration import MASK, effective, load_settings
from service.errors import InvalidSettings
from service.models import embedding_endpoint
from service.settings import OPENAI_URL
from tests.extract.model_server import ModelServer, Reply

TALK = ["I moved to Lisbon with my sister.", "We bought a red boat there.", "The boat leaks a little.", "Sourdough needs a warm kitchen."]
EMBEDDER = {"embedder": "openai", "embedder_model": "an-embedder", "embedder_dimension": 32, "embedder_retries": 0}
RERANKER = {"reranker": "rerank", "reranker_model": "a-reranker", "reranker_weight": 100.0, "reranker_timeout_ms": 5_000}
Eventually = Callable[..., Any]


@pytest.fixture
async def server() -> AsyncIterator[ModelServer]:
    server = ModelServer()
    await server.start()
    yield server
    await server.stop()


@pytest.fixture
def asking(server: ModelServer, running: Callable[..., Any], tmp_path: Path) -> Callable[..., AbstractAsyncContextManager[Any]]:
    """A service whose models that server plays."""
    urls = {"embedder_url": server.url, "reranker_url": server.url, "embedder_api_key": "sk-embed", "reranker_api_key": "sk-rerank"}
    return lambda **changes: running(tmp_path, **(EMBEDDER | urls | changes))


async def append(service: Any) -> str:
    messages = [pb.MessageInput(speaker="Ana", text=text) for text in TALK]
    answer = await service.memory.AppendMessages(
        pb.AppendMessagesRequest(namespace="acme", session="talk", messages=messages, create_namespace=True)
    )
    return str(answer.job_id)


async def job_of(service: Any, job: str) -> job_pb2.Job:
    return (await service.memory.GetJob(pb.GetJobRequest(namespace="acme", job_id=job))).job


async def retrieve(service: Any, query: str) -> pb.RetrieveResponse:
    return await service.memory.Retrieve(
        pb.RetrieveRequest(query=retrieval_pb2.RetrievalQuery(namespaces=["acme"], text=query), explain=True)
    )


async def usage(service: Any) -> dict[str, Any]:
    found = await service.inspection.GetUsage(inspection_service_pb2.GetUsageRequest(namespace="acme"))
    return {entry.step: entry for entry in found.entries}


async def extracted(service: Any, job: str) -> None:
    await service.memory.ExpediteJob(pb.ExpediteJobRequest(namespace="acme", job_id=job))
    async for _ in service.memory.WatchJob(pb.WatchJobRequest(namespace="acme", job_id=job), timeout=30):
        pass


async def test_both_are_asked_and_counted(server: ModelServer, asking: Any, eventually: Eventually) -> None:
    async with asking(**RERANKER) as service:
        await extracted(service, await append(service))
        answer = await retrieve(service, "Sourdough in Lisbon: a red boat?")
        assert not answer.plan.degraded
        signals = {part.signal for hit in answer.hits for part in hit.explanation.contributions}
        assert {"dense", "reranker"} <= signals
        for hit in answer.hits:
            assert sum(part.points for part in hit.explanation.contributions) == pytest.approx(hit.score)

        async def counted() -> bool:
            return {"embed", "embed_query", "rerank"} <= set(await usage(service))

        await eventually(counted)
        found = await usage(service)
        assert (found["rerank"].model, found["rerank"].calls, found["rerank"].errors) == ("a-reranker", 1, 0)
        assert (found["embed"].model, found["embed"].errors) == ("an-embedder", 0)
        assert found["embed"].items >= len(TALK)
        assert found["embed"].prompt_tokens == 7 * found["embed"].items
        assert found["embed_query"].calls == 1
    keys = {path.rpartition("/")[2]: key for (path, _), key in zip(server.requests, server.keys, strict=True)}
    assert keys == {"embeddings": "bearer sk-embed", "rerank": "bearer sk-rerank"}


async def test_while_the_embedder_is_down_nothing_is_lost_and_queries_are_answered(
    server: ModelServer, asking: Any, eventually: Eventually
) -> None:
    await server.stop()
    async with asking() as service:
        job = await append(service)

        async def failed_once() -> bool:
            return (await job_of(service, job)).attempts >= 1 and (await job_of(service, job)).HasField("error")

        await eventually(failed_once)
        assert (await job_of(service, job)).error.reason == ERROR_REASON_EMBEDDER_UNAVAILABLE
        answer = await retrieve(service, "sourdough")
        assert answer.hits[0].memory.message.text == TALK[3]
        assert [one.reason for one in answer.plan.degraded] == [retrieval_pb2.DEGRADATION_REASON_EMBEDDER_UNAVAILABLE]
        assert (answer.plan.degraded[0].namespace, answer.plan.degraded[0].message) == ("acme", "dense: the embedder gives no vectors now")
        assert (await usage(service))["embed"].errors >= 1
        await server.start()
        await extracted(service, job)
        assert (await job_of(service, job)).state == job_pb2.JOB_STATE_SUCCEEDED
        assert not (await retrieve(service, "sourdough")).plan.degraded


@pytest.mark.parametrize(
    ("fault", "told"),
    [
        (Reply({}, delay=30), "reranker: not within 100 ms; the order is that without it"),
        (Reply(status=500), "reranker: it failed; the order is that without it"),
        (Reply(raw="{"), "reranker: it failed; the order is that without it"),
        (Reply({"results": []}, dies=True), "reranker: it failed; the order is that without it"),
    ],
    ids=["late", "down", "broken", "dies"],
)
async def test_a_reranker_in_trouble_changes_nothing_but_the_plan(
    server: ModelServer, asking: Any, eventually: Eventually, fault: Reply, told: str
) -> None:
    async with asking(**EMBEDDER | {"embedder": "hashing"}) as service:
        await extracted(service, await append(service))
        fused = await retrieve(service, "the red boat in Lisbon")
    server.then = lambda path, body: fault
    timeout = {"reranker_timeout_ms": 100} if fault.delay else {}
    async with asking(**RERANKER | {"embedder": "hashing"} | timeout) as service:
        answer = await retrieve(service, "the red boat in Lisbon")
        assert answer.hits == fused.hits
        assert [one.message for one in answer.plan.degraded] == [told]

        async def counted() -> bool:
            return "rerank" in await usage(service)

        await eventually(counted)
        assert (await usage(service))["rerank"].errors == 1


def test_keys_are_masked_and_settings_that_do_not_fit_are_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("STRUCTMEM_RERANKER_API_KEY", "sk-secret")
    monkeypatch.setenv("STRUCTMEM_EMBEDDER_API_KEY", "sk-secret")
    shown = effective(load_settings())
    assert (shown["reranker_api_key"].value, shown["embedder_api_key"].value) == (MASK, MASK)
    for wrong, name in (
        ({"embedder": "openai", "embedder_dimension": 8}, "embedder_model"),
        ({"embedder": "openai", "embedder_model": "m"}, "embedder_dimension"),
        ({"embedder": "sentence-transformers"}, "embedder_model"),
        ({"embedder_url": "localhost"}, "embedder_url"),
        ({"reranker": "score", "reranker_url": "http://localhost"}, "reranker_model"),
        ({"reranker": "rerank", "reranker_model": "m"}, "reranker_url"),
    ):
        with pytest.raises(InvalidSettings, match=name):
            load_settings(wrong)


@pytest.mark.parametrize(
    "chosen",
    [
        {"embedder": "sentence-transformers", "embedder_model": "m"},
        {"reranker": "cross-encoder", "reranker_model": "m", "embedder": "none"},
    ],
    ids=["embedder", "reranker"],
)
def test_a_missing_extra_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, chosen: dict[str, str]) -> None:
    monkeypatch.setitem(sys.modules, "sentence_transformers", None)
    monkeypatch.setitem(sys.modules, "torch", None)
    with pytest.raises(InvalidSettings, match=r"structmem-server\[sentence-transformers\]"):
        build(load_settings({"data_dir": tmp_path, **chosen}))


@pytest.mark.parametrize(("url", "shown"), [(OPENAI_URL, "sk-of-openai"), ("http://localhost:8000/v1", "")])
def test_only_openai_sees_openais_key(monkeypatch: pytest.MonkeyPatch, url: str, shown: str) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", "sk-of-openai")
    assert embedding_endpoint(load_settings(EMBEDDER | {"embedder_url": url})).key == shown
