"""A reranker behind an API: both forms, and answers that are not what was asked for."""

from collections.abc import AsyncIterator, Callable
from typing import Any

import pytest

from extract.endpoint import EndpointFailed, EndpointSettings
from extract.metering import collect_usage
from extract.rerank.remote import RERANK_APIS, RemoteReranker
from tests.extract.model_server import ModelServer, Reply

TEXTS = ["a red boat", "the blue house on the hill", "a red house"]


@pytest.fixture
async def server() -> AsyncIterator[ModelServer]:
    server = ModelServer()
    await server.start()
    yield server
    await server.stop()


@pytest.fixture
async def reranker_of(server: ModelServer) -> AsyncIterator[Callable[[str], RemoteReranker]]:
    made: list[RemoteReranker] = []

    def make(form: str) -> RemoteReranker:
        made.append(RemoteReranker(RERANK_APIS[form], EndpointSettings(server.url, "a-model", "sk-secret", timeout_s=10, retries=0)))
        return made[-1]

    yield make
    for one in made:
        await one.aclose()


@pytest.mark.parametrize("form", RERANK_APIS)
async def test_scores_come_in_the_order_of_the_texts(server: ModelServer, reranker_of: Any, form: str) -> None:
    with collect_usage() as spent:
        assert await reranker_of(form).rerank("a red house", TEXTS) == [2.0, 1.0, 3.0]
    assert [(path, body["model"]) for path, body in server.requests] == [(f"/v1/{form}", "a-model")]
    assert server.keys == ["bearer sk-secret"]
    assert [(one.step, one.calls, one.items, one.errors) for one in spent] == [("rerank", 1, 3, 0)]


@pytest.mark.parametrize(
    "rows",
    [
        [],
        [(0, 1.0), (1, 1.0)],
        [(0, 1.0), (1, 1.0), (1, 1.0)],
        [(0, 1.0), (1, 1.0), (3, 1.0)],
        [(0, 1.0), (1, 1.0), (-1, 1.0)],
        [(0, 1.0), (1, 1.0), (2, 1.0), (2, 1.0)],
        [(0, 1.0), (1, 1.0), (2, None)],
        [(0, 1.0), (1, 1.0), ("2", 1.0)],
        [(0, 1.0), (1, 1.0), (2, "much")],
    ],
    ids=["none", "too few", "one twice", "out of range", "negative", "too many", "no score", "index as text", "score as text"],
)
async def test_an_answer_without_one_score_for_each_text_is_refused(server: ModelServer, reranker_of: Any, rows: list[Any]) -> None:
    server.script = [Reply({"results": [{"index": index, "relevance_score": score} for index, score in rows]})]
    with pytest.raises(EndpointFailed):
        await reranker_of("rerank").rerank("a", TEXTS)


@pytest.mark.parametrize(
    "fault", [Reply(raw="{"), Reply([1]), Reply("no"), Reply(None), Reply({"results": 3}), Reply({}, dies=True), Reply(status=429)]
)
async def test_a_server_that_misbehaves_is_asked_once(server: ModelServer, reranker_of: Any, fault: Reply) -> None:
    server.script = [fault]
    with pytest.raises(EndpointFailed):
        await reranker_of("rerank").rerank("a", TEXTS)
    assert len(server.requests) == 1
