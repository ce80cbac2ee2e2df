"""What the service's own rules decide of a pair."""

import asyncio
from argparse import Namespace
from collections.abc import Iterable

import numpy as np
from numpy.typing import NDArray

from bench.reconcile.command import measure
from bench.reconcile.pairs import DEV, HELD_OUT, Outcome, Said, read_pairs
from extract.embed.minilm import MiniLmEmbedder
from extract.reconcile.deciding import Pair
from extract.reconcile.likelihood import judge
from extract.reconcile.reading import read
from graph.model import EdgeKind


class ByRules:
    """Decides as the service does of two messages, with the vectors of its own embedder, but without a namespace that tells which words
    are common."""

    def __init__(self, texts: Iterable[str]) -> None:
        distinct = list(dict.fromkeys(texts))
        self._vectors: dict[str, NDArray[np.float32]] = dict(zip(distinct, asyncio.run(_embedded(distinct)), strict=True))

    def __call__(self, earlier: Said, later: Said) -> Outcome:
        """See `Decide`."""
        readings = [read(one.text, one.speaker, one.said_at) for one in (earlier, later)]
        if readings[0] is None or readings[1] is None:
            return "keep"
        similarity = float(self._vectors[earlier.text] @ self._vectors[later.text])
        decision = judge(Pair(readings[0], readings[1], similarity))
        if decision is None or decision.kind is EdgeKind.MAY_SUPERSEDE:
            return "keep"
        return "supersede" if decision.kind is EdgeKind.SUPERSEDES else "merge"


async def _embedded(texts: list[str]) -> NDArray[np.float32]:
    embedder = MiniLmEmbedder()
    try:
        return (await embedder.embed(texts)).astype(np.float32)
    finally:
        embedder.close()


def by_rules(held_out: bool) -> ByRules:
    """What decides of one half of the pairs."""
    return ByRules(text for pair in read_pairs(HELD_OUT if held_out else DEV) for text in (pair.earlier.text, pair.later.text))


def run(arguments: Namespace) -> int:
    """Runs the benchmark."""
    return measure(arguments, by_rules(arguments.held_out))
