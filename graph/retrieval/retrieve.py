"""The read path: plan, embed, find candidates, score, expand, pick, explain."""

from collections.abc import Sequence

from graph.retrieval.answer import QueryEmbedder, RetrievalAnswer, RetrievalRequest
from graph.store.port import Store


async def retrieve(store: Store, request: RetrievalRequest, embedder: QueryEmbedder | None) -> RetrievalAnswer:
    """The memories of one namespace that fit a query best, each explained.

    Raises:
        InvalidArgument: an unknown recipe, k below 1, an empty query, or a vector of another dimension than the namespace's.
        NotFound: there is no such namespace.
    """
    return await retrieve_many(store, (request,), embedder)


async def retrieve_many(store: Store, requests: Sequence[RetrievalRequest], embedder: QueryEmbedder | None) -> RetrievalAnswer:
    """One ranking over several namespaces: one request for each, with the same query, k and recipe; the first one's k counts."""
    raise NotImplementedError
