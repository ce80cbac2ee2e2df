"""How tokens are counted for a context's budget."""

import re

from extract.embed.port import Embedder
from graph.retrieval import TokenCounter

_PIECE = re.compile(r"\w{1,4}|[^\w\s]")


def count_tokens(embedder: Embedder | None) -> TokenCounter:
    """The embedder's word pieces; without one, runs of at most four letters or digits and single signs, which overestimates for English."""
    return _pieces if embedder is None else embedder.count_tokens


def _pieces(text: str) -> int:
    return sum(1 for _ in _PIECE.finditer(text))
