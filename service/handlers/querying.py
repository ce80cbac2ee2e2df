"""What the handlers share that are asked a query: its checks, what it asks of each namespace, and the context that it gets."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from typing import Protocol

from structmem.v1 import retrieval_pb2

from extract.tokens import count_tokens
from graph.retrieval import Context as BuiltContext
from graph.retrieval import RetrievalRequest, build_context
from service.authorize import Action
from service.convert.queries import MAX_K, MAX_NAMESPACES, check_namespaces, namespaces_of, requests_from_proto
from service.handlers.resource import ResourceHandlers
from service.validate import Violations, limit_of, numbers, vector


class _ContextRequest(Protocol):
    """A request for which a context is built."""

    @property
    def query(self) -> retrieval_pb2.RetrievalQuery: ...
    @property
    def token_budget(self) -> int: ...
    @property
    def profile(self) -> bool: ...


class QueryHandlers(ResourceHandlers):
    """Handlers that are asked a query."""

    async def _built(self, request: _ContextRequest) -> tuple[RetrievalRequest, BuiltContext]:
        """The context of a query within its budget, and what was asked of the first of its namespaces."""
        with self._asking(request.query) as found:
            requests = self._requests(found, request.query, told_default_k="as many as the budget has room for")
            budget = limit_of(found, "token_budget", request.token_budget, 1500, 100_000, low=16)
        requests = await self._prepared(request.query, requests)
        embedder, at_most = self._dependencies.embedder, request.query.k or MAX_K
        with self._dependencies.usage.of(requests[0].namespace):
            built = await build_context(
                self._store,
                requests,
                embedder,
                budget,
                count_tokens,
                self._dependencies.reranking,
                at_most,
                self._dependencies.indexes,
                request.profile,
            )
        return requests[0], built

    @contextmanager
    def _asking(self, query: retrieval_pb2.RetrievalQuery, at_most: int = MAX_NAMESPACES) -> Iterator[Violations]:
        """Lets a query to its namespaces pass; in the block its other fields are checked."""
        with self._entering(Action.READ, *namespaces_of(query)[: MAX_NAMESPACES + 1], field="query.namespaces") as found:
            check_namespaces(found, query, at_most)
            yield found

    def _requests(self, found: Violations, query: retrieval_pb2.RetrievalQuery, told_default_k: str = "") -> list[RetrievalRequest]:
        """What is asked of each namespace, and what it must see."""
        points = self._points(found, "query.at_least", query.at_least)
        if query.HasField("embedding"):
            numbers(found, "query.embedding.values", query.embedding.values)
        requests = requests_from_proto(found, query, self._dependencies.clock.now, told_default_k)
        return [replace(one, at_least=points.get(one.namespace)) for one in requests]

    async def _prepared(self, query: retrieval_pb2.RetrievalQuery, requests: list[RetrievalRequest]) -> list[RetrievalRequest]:
        """The requests, each with the caller's vector where its namespace takes one."""
        if not query.HasField("embedding"):
            return requests
        namespaces = [await self._store.namespace(one.namespace).settings() for one in requests]
        # The service's own model serves the others.
        served = self._dependencies.served.fingerprint
        takers = [n for n in namespaces if n.embedding.dimension and (not n.embedding.fingerprint or n.embedding.fingerprint != served)]
        with Violations() as found:
            field = "query.embedding.values"
            # Without a taker, the check against any of them says why.
            vectors = {n.name: vector(found, field, query.embedding.values, n, served) for n in takers or namespaces[:1]}
        return [replace(one, vector=vectors.get(one.namespace)) for one in requests]
