"""Vectors for what the pipeline stores, where the namespace takes this embedder's."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import tzinfo
from functools import partial

from extract.embed.port import Embedder
from extract.metering import collect_usage, record_usage
from extract.usage import store_usage, write_with_usage
from graph.model import Namespace, Statement
from graph.store.port import PassageText, PassageVector, Store, UsageEntry
from graph.text import index_statement

# Passages that are read at once: of a long message, all must be made anew for it. What is embedded and stored in one step has so many
# characters: a few seconds of work, so that vectors appear while a long import is still under way, and a job's turn ends in time. MiniLM
# takes 45 ms for a passage of 1,000 characters.
_AT_ONCE = 256
_CHARACTERS_AT_ONCE = 100_000


class VectorWriter:
    """Embeds passages with one model, for namespaces that hold this model's vectors and for no others."""

    def __init__(self, store: Store, embedder: Embedder | None) -> None:
        self._store = store
        self._embedder = embedder

    def matches(self, namespace: Namespace) -> bool:
        """Whether the namespace holds this model's vectors."""
        return self._embedder is not None and namespace.embedding == self._embedder.spec

    async def embed_session(self, namespace: Namespace, session: str, enough: Callable[[], bool] = lambda: False) -> bool:
        """Embeds what the session still lacks, step by step; `enough`, asked between two, ends it early. Whether nothing is left to embed.

        What is embedded is stored after each step: the next call goes on from there.
        """
        if self._embedder is None or not self.matches(namespace):
            return True
        memory = self._store.namespace(namespace.name)
        seen: set[tuple[str, int]] = set()
        while missing := await memory.missing_vectors(session, _AT_ONCE):
            keys = {(passage.owner_id, passage.ordinal) for passage in missing}
            if keys <= seen:
                return True  # deleted, or stored by someone else, between the two calls
            for step in _steps(missing):
                if seen and enough():
                    return False
                seen |= {(passage.owner_id, passage.ordinal) for passage in step}
                async with store_usage(memory) as unstored:
                    vectors = await _embedded(self._embedder, step)
                    await write_with_usage(unstored, partial(memory.put_vectors, self._embedder.spec.fingerprint, vectors))
        return True

    async def statement_vectors(self, namespace: Namespace, statements: Sequence[Statement], zone: tzinfo) -> tuple[PassageVector, ...]:
        """The vectors of new statements. What they took goes to `record_usage`."""
        if self._embedder is None or not self.matches(namespace) or not statements:
            return ()
        passages = [
            PassageText(one.id, passage.ordinal, passage.text) for one in statements for passage in index_statement(one, zone).passages
        ]
        return tuple(await _embedded(self._embedder, passages))


async def text_vectors(embedder: Embedder, texts: Mapping[str, str]) -> tuple[PassageVector, ...]:
    """One vector of each text, by the id that it has here. What they took goes to `record_usage`."""
    return tuple(await _embedded(embedder, [PassageText(id_, 0, text) for id_, text in texts.items()])) if texts else ()


def _steps(missing: Sequence[PassageText]) -> Iterator[Sequence[PassageText]]:
    """The passages in runs of no more characters than are embedded at once; a longer one goes alone."""
    step: list[PassageText] = []
    size = 0
    for passage in missing:
        if step and size + len(passage.text) > _CHARACTERS_AT_ONCE:
            yield step
            step, size = [], 0
        step.append(passage)
        size += len(passage.text)
    if step:
        yield step


async def _embedded(embedder: Embedder, passages: Sequence[PassageText]) -> list[PassageVector]:
    """The vectors of the passages. An embedder that tells nothing of what it took is counted as one call."""
    texts = [passage.text for passage in passages]
    with collect_usage() as spent:
        rows = await embedder.embed(texts)
    if not spent:
        record_usage(UsageEntry("embed", embedder.spec.model, calls=1, items=len(texts)))
    return [PassageVector(one.owner_id, one.ordinal, row, one.version) for one, row in zip(passages, rows, strict=True)]
