"""An embedder behind an API: what is asked, what is refused, and what a server that misbehaves costs."""

import asyncio
from collections.abc import AsyncIterator, Callable
from typing import Any

import numpy as np
import pytest

from extract.embed.remote import RemoteEmbedder, RemoteEmbedding
from extract.endpoint import EndpointSettings
from extract.metering import collect_usage
from graph.errors import EmbedderUnavailable
from tests.extract.model_server import EMBEDDER, ModelServer, Reply

TEXTS = [f"Maria bought {number} red boats" for number in range(10)]


@pytest.fixture
async def server() -> AsyncIterator[ModelServer]:
    server = ModelServer()
    await server.start()
    yield server
    await server.stop()


@pytest.fixture
async def embedder_of(server: ModelServer) -> AsyncIterator[Callable[..., RemoteEmbedder]]:
    made: list[RemoteEmbedder] = []

    def make(retries: int = 1, concurrency: int = 4, dimension: int = 32, **asked: Any) -> RemoteEmbedder:
        endpoint = EndpointSettings(server.url, "a-model", "sk-secret", concurrency, timeout_s=10, retries=retries)
        made.append(RemoteEmbedder(endpoint, RemoteEmbedding(dimension, **asked)))
        return made[-1]

    yield make
    for one in made:
        await one.aclose()


async def test_vectors_come_in_the_order_of_the_texts_and_have_unit_length(server: ModelServer, embedder_of: Any) -> None:
    vectors = await embedder_of(batch=3).embed([*TEXTS, "", "  "])
    assert vectors.dtype == np.float16
    assert np.allclose(vectors[:10], await EMBEDDER.embed(TEXTS), atol=2e-3)
    assert np.allclose(np.linalg.norm(vectors.astype(np.float32), axis=1), 1, atol=2e-3)
    assert [len(body["input"]) for _, body in server.requests] == [3, 3, 3, 3]
    assert all(text.strip() for _, body in server.requests for text in body["input"])  # APIs refuse texts of nothing
    assert {body["model"] for _, body in server.requests} == {"a-model"}
    assert set(server.keys) == {"bearer sk-secret"}


async def test_no_texts_ask_nothing(server: ModelServer, embedder_of: Any) -> None:
    assert (await embedder_of().embed([])).shape == (0, 32)
    assert not server.requests


async def test_long_texts_make_small_batches(server: ModelServer, embedder_of: Any) -> None:
    await embedder_of().embed(["word " * 40_000] * 3)
    assert [len(body["input"]) for _, body in server.requests] == [1, 1, 1]


async def test_only_a_model_that_can_is_asked_for_shorter_vectors(server: ModelServer, embedder_of: Any) -> None:
    await embedder_of().embed_query("a")
    await embedder_of(shortened=True).embed_query("a")
    assert [body.get("dimensions") for _, body in server.requests] == [None, 32]


def test_another_model_or_dimension_is_another_fingerprint_and_another_place_is_not() -> None:
    def fingerprint(model: str = "m", dimension: int = 8, url: str = "http://here/v1", shortened: bool = False) -> str:
        return RemoteEmbedder(EndpointSettings(url, model), RemoteEmbedding(dimension, shortened)).spec.fingerprint

    assert fingerprint() == fingerprint(url="http://there/v1")
    assert len({fingerprint(), fingerprint("other"), fingerprint(dimension=9), fingerprint(shortened=True)}) == 4


@pytest.mark.parametrize(
    "fault",
    [Reply(status=429, headers={"retry-after": "0.01"}), Reply(status=503), Reply({"data": []}, dies=True)],
    ids=["limited", "down", "dies"],
)
async def test_bulk_work_is_tried_again_and_each_try_is_counted(server: ModelServer, embedder_of: Any, fault: Reply) -> None:
    server.script = [fault]
    with collect_usage() as spent:
        vectors = await embedder_of().embed(TEXTS)
    assert np.allclose(vectors, await EMBEDDER.embed(TEXTS), atol=2e-3)
    assert [(one.step, one.model, one.calls, one.items, one.prompt_tokens, one.errors) for one in spent] == [
        ("embed", "a-model", 2, 10, 70, 1)
    ]


async def test_a_server_that_asks_for_time_gets_it(server: ModelServer, embedder_of: Any) -> None:
    server.script = [Reply(status=429, headers={"retry-after": "1"})]
    loop = asyncio.get_running_loop()
    began = loop.time()
    await embedder_of().embed(TEXTS)
    assert loop.time() - began > 0.9


ROW = {"index": 0, "embedding": [1.0] * 32}


@pytest.mark.parametrize(
    "answer",
    [
        Reply(raw="{not json"),
        Reply(raw=""),
        Reply([]),
        Reply({"data": None}),
        Reply({"data": []}),
        Reply({"data": [ROW, ROW]}),
        Reply({"data": [{**ROW, "index": 1}]}),
        Reply({"data": [{**ROW, "index": -1}]}),
        Reply({"data": [{**ROW, "embedding": [1.0] * 31}]}),
        Reply({"data": [{**ROW, "embedding": [float("nan")] * 32}]}),
        Reply({"data": [{**ROW, "embedding": [None] * 32}]}),
        Reply(raw='{"data": [{"index": 0, "embedding": [' + ",".join(["1e999"] * 32) + "]}]}"),
        Reply({"data": [{**ROW, "embedding": [0.0] * 32}]}),
        Reply({"error": {"message": "the key sk-secret is wrong"}}, status=401),
        Reply({"data": [ROW]}, delay=30),
    ],
    ids=[
        "broken",
        "nothing",
        "a list",
        "no rows",
        "too few",
        "one twice",
        "out of range",
        "negative",
        "too short",
        "NaN",
        "null",
        "infinite",
        "zero",
        "refused",
        "late",
    ],
)
async def test_what_cannot_be_used_is_refused(server: ModelServer, embedder_of: Any, answer: Reply) -> None:
    server.then = lambda path, body: answer
    embedder = embedder_of(retries=0, query_timeout_s=0.3)
    with collect_usage() as spent, pytest.raises(EmbedderUnavailable) as raised:
        await embedder.embed_query("a")
    assert "secret" not in str(raised.value)
    assert [(one.step, one.calls) for one in spent] == [("embed_query", 1)]


async def test_one_bad_batch_refuses_them_all(server: ModelServer, embedder_of: Any) -> None:
    server.script = [Reply({"data": []})]
    with pytest.raises(EmbedderUnavailable):
        await embedder_of(retries=0, batch=2).embed(TEXTS)


async def test_calls_of_all_jobs_share_one_limit_and_a_query_does_not_wait_for_them(server: ModelServer, embedder_of: Any) -> None:
    embedder = embedder_of(concurrency=2, batch=1)
    slow = asyncio.Event()

    def answer(path: str, body: Any) -> Reply:
        slow.set()
        row = {"index": 0, "embedding": [1.0] * 32}
        return Reply({"data": [row]}, delay=0 if body["input"] == ["a query"] else 0.2)

    server.then = answer
    jobs = [asyncio.create_task(embedder.embed(TEXTS[:4])) for _ in range(2)]
    await slow.wait()
    await embedder.embed_query("a query")
    assert not any(job.done() for job in jobs)
    await asyncio.gather(*jobs)
    assert server.most_at_once <= 3


async def test_nobody_listening_is_told_at_once(server: ModelServer, embedder_of: Any) -> None:
    embedder = embedder_of(retries=0)
    await server.stop()
    with pytest.raises(EmbedderUnavailable):
        await embedder.embed_query("a")
