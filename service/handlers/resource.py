"""What every handler starts from: the dependencies it calls, and the door that each call comes through."""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime
from typing import TYPE_CHECKING, Any, Protocol, TypeAlias

import grpc

from extract.consolidate.port import Consolidator
from extract.embed.port import Embedder
from extract.llm.answering import Answerer
from extract.port import Extractor
from graph.cypher import CypherRunner
from graph.model import NO_EMBEDDING, EmbeddingSpec, ExtractionMode
from graph.retrieval import NamespaceIndexes, Reranking
from graph.store.port import Clock, ConsistencyPoint, Memory, Store
from service import call_context
from service.authorize import Action, authorize
from service.consistency_tokens import ConsistencyTokens
from service.deletion_receipts import ReceiptSigner
from service.page_tokens import PageTokens
from service.settings import Settings
from service.stopping import Stopping
from service.usage_notes import UsageNotes
from service.validate import Violations, namespace_name

if TYPE_CHECKING:
    Context: TypeAlias = grpc.aio.ServicerContext[Any, Any]
else:
    # Generic for type checkers only: at run time the class takes no parameters.
    Context = grpc.aio.ServicerContext


@dataclass(frozen=True, slots=True)
class Dependencies:
    """What handlers call. `embedder`, `reranking`, `consolidator` and `answerer` are None where the service runs without one.

    `cypher` runs queries on snapshots of a namespace; `native_cypher` on the whole database, None where the store speaks no Cypher.
    """

    settings: Settings
    store: Store
    embedder: Embedder | None
    reranking: Reranking | None
    extractors: Mapping[ExtractionMode, Extractor]
    consolidator: Consolidator | None
    answerer: Answerer | None
    cypher: CypherRunner
    native_cypher: CypherRunner | None
    usage: UsageNotes
    pages: PageTokens
    consistency: ConsistencyTokens
    receipts: ReceiptSigner
    stopping: Stopping
    started_at: datetime
    clock: Clock
    indexes: NamespaceIndexes = field(default_factory=NamespaceIndexes)

    @property
    def served(self) -> EmbeddingSpec:
        """The model of the service's own embedder."""
        return NO_EMBEDDING if self.embedder is None else self.embedder.spec

    @property
    def mode(self) -> ExtractionMode:
        """The extraction mode of namespaces that name none."""
        return ExtractionMode[self.settings.extraction_mode.upper()]


class _Read(Protocol):
    """A request that reads one namespace."""

    @property
    def namespace(self) -> str: ...
    @property
    def at_least(self) -> Sequence[str]: ...


class ResourceHandlers:
    """Handlers of one resource."""

    def __init__(self, dependencies: Dependencies) -> None:
        self._dependencies = dependencies
        self._store = dependencies.store
        # Bytes of the largest answer; a page is filled to a little less, which leaves room for what stands beside its elements.
        self._max_bytes = dependencies.settings.max_send_bytes
        self._page_bytes = self._max_bytes * 19 // 20

    @contextmanager
    def _entering(self, action: Action, *names: str, field: str = "namespace") -> Iterator[Violations]:
        """Lets a call to these namespaces pass, before anything else is looked at; in the block its other fields are checked.

        Raises:
            PermissionDenied: before the block.
            InvalidArgument: at its end, with all that is wrong.
        """
        with Violations() as found:
            for index, name in enumerate(names):
                namespace_name(found, f"{field}[{index}]" if field.endswith("s") else field, name)
            if not found:
                call = call_context.current()
                call.namespaces = names
                authorize(call.principal, action, *names)
            yield found

    def _consistency_token(self, namespace: str, uid: str, revision: int) -> str:
        """The token of a write that this service has just made."""
        return self._dependencies.consistency.make(namespace, ConsistencyPoint(uid, revision, self._store.namespace(namespace).position()))

    async def _token_now(self, memory: Memory, namespace: str) -> str:
        """The token of a write that tells no revision: the namespace as it is now, and where the store stands."""
        settings = await memory.settings()
        return self._consistency_token(namespace, settings.uid, settings.revision)

    def _memory(self, name: str) -> Memory:
        """The handle of a namespace."""
        return self._store.namespace(name)

    def _reading(self, found: Violations, request: _Read) -> Memory:
        """The handle of a namespace whose reads see the writes of the request's consistency tokens."""
        return self._store.namespace(request.namespace, self._points(found, "at_least", request.at_least).get(request.namespace))

    def _points(self, found: Violations, field: str, tokens: Sequence[str]) -> Mapping[str, ConsistencyPoint]:
        """What reads have to see, by the name of the namespace."""
        with found.gathering():
            return self._dependencies.consistency.points(field, tokens)
        return {}
