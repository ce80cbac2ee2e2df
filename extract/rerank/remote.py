"""A reranker behind an HTTP API. Two forms are usual; each is a row of a table."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any

from extract.endpoint import Endpoint, EndpointFailed, EndpointSettings


@dataclass(frozen=True, slots=True)
class RerankApi:
    """One form of API: where it is, what its request calls the query and the texts, and where its answer has the scores.

    `counted`: whether a request says how many results it wants.
    """

    path: str
    query: str
    texts: str
    rows: str
    score: str
    counted: bool


RERANK_APIS: Mapping[str, RerankApi] = MappingProxyType(
    {
        # Cohere (v2), Jina, Voyage's relatives, vLLM, llama.cpp's server, Infinity, LiteLLM.
        "rerank": RerankApi("/rerank", "query", "documents", "results", "relevance_score", counted=True),
        # vLLM's, beside its OpenAI-compatible API: OpenAI itself has no reranker.
        "score": RerankApi("/score", "text_1", "text_2", "data", "score", counted=False),
    }
)


class RemoteReranker:
    """Asks once and never again: who waits for a query gets the fused order sooner than a second try."""

    def __init__(self, api: RerankApi, settings: EndpointSettings) -> None:
        """`settings.retries` should be 0."""
        self._api = api
        self._endpoint = Endpoint(settings)

    async def rerank(self, query: str, texts: Sequence[str]) -> list[float]:
        """See `Reranker.rerank`. Raises EndpointFailed."""
        body: dict[str, Any] = {self._api.query: query, self._api.texts: list(texts)}
        if self._api.counted:
            body["top_n"] = len(texts)
        return _scores(await self._endpoint.post("rerank", self._api.path, body, len(texts)), self._api, len(texts))

    async def aclose(self) -> None:
        """Closes its connections."""
        await self._endpoint.aclose()


def _scores(answer: Any, api: RerankApi, count: int) -> list[float]:
    """The scores in the order of the texts. Raises EndpointFailed when the answer does not have one for each."""
    try:
        scores = {_index(row["index"]): float(row[api.score]) for row in answer[api.rows]}
        ordered = [scores[index] for index in range(count)]
        complete = len(answer[api.rows]) == count
    except (TypeError, KeyError, ValueError):
        raise EndpointFailed("the answer does not have a score for each text") from None
    if not complete:
        raise EndpointFailed("the answer has more scores than texts")
    return ordered


def _index(value: Any) -> int:
    if not isinstance(value, int):
        raise TypeError
    return value
