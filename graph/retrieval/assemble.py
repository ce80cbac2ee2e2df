"""Assembling a context: the best memories that fit a token budget, in order of time, nothing twice."""

from collections.abc import Sequence

from graph.retrieval.answer import Context, QueryEmbedder, RetrievalRequest, TokenCounter
from graph.store.port import Store


async def build_context(
    store: Store, requests: Sequence[RetrievalRequest], embedder: QueryEmbedder | None, token_budget: int, count_tokens: TokenCounter
) -> Context:
    """The best memories for a query as a text of at most `token_budget` tokens. The requests' own `k` is not used."""
    raise NotImplementedError
