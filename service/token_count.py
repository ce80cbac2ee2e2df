"""How tokens are counted for a context's budget."""

from extract.embed import Embedder, estimated_tokens
from graph.retrieval import TokenCounter


def count_tokens(embedder: Embedder | None) -> TokenCounter:
    """The embedder's word pieces; an estimate without one."""
    return estimated_tokens if embedder is None else embedder.count_tokens
