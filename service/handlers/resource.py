"""What every handler starts from: the dependencies it calls, and the door that each call comes through."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any, TypeAlias

import grpc

from extract.embed.port import Embedder
from extract.port import Extractor
from graph.cypher import CypherRunner
from graph.model import NO_EMBEDDING, EmbeddingSpec, ExtractionMode
from graph.retrieval import Reranking
from graph.store.port import Clock, ConsistencyPoint, Memory, Store
from service import call_context
from service.authorize import Action, authorize
from service.consistency_tokens import ConsistencyTokens
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
    """What handlers call. `embedder` and `reranking` are None where the service runs without one.

    `cypher` runs queries on snapshots of a namespace; `native_cypher` on the whole database, None where the store speaks no Cypher.
    """

    settings: Settings
    store: Store
    embedder: Embedder | None
    reranking: Reranking | None
    extractors: Mapping[ExtractionMode, Extractor]
    cypher: CypherRunner
    native_cypher: CypherRunner | None
    usage: UsageNotes
    pages: PageTokens
    consistency: ConsistencyTokens
    stopping: Stopping
    started_at: datetime
    clock: Clock

    @property
    def served(self) -> EmbeddingSpec:
        """The model of the service's own embedder."""
        return NO_EMBEDDING if self.embedder is None else self.embedder.spec

    @property
    def mode(self) -> ExtractionMode:
        """The extraction mode of namespaces that name none."""
        return ExtractionMode[self.settings.extraction_mode.upper()]


class ResourceHandlers:
    """Handlers of one resource."""

    def __init__(self, dependencies: Dependencies) -> None:
        self._dependencies = dependencies
        self._store = dependencies.store
        # Bytes of the largest answer; a page is filled to a little less, which leaves room for what stands beside its elements.
        self._max_bytes = dependencies.settings.max_send_bytes
        self._page_bytes = self._max_bytes * 19 // 20

    def _enter(self, action: Action, *names: str, field: str = "namespace") -> None:
        """Lets a call to these namespaces pass, before anything else is looked at. Raises InvalidArgument, PermissionDenied."""
        with Violations() as found:
            for index, name in enumerate(names):
                namespace_name(found, f"{field}[{index}]" if field.endswith("s") else field, name)
        call = call_context.current()
        call.namespaces = names
        authorize(call.principal, action, *names)

    def _consistency_token(self, namespace: str, uid: str, revision: int) -> str:
        """The token of a write that this service has just made."""
        return self._dependencies.consistency.make(namespace, ConsistencyPoint(uid, revision, self._store.namespace(namespace).position()))

    async def _token_now(self, memory: Memory, namespace: str) -> str:
        """The token of a write that tells no revision: the namespace as it is now, and where the store stands."""
        settings = await memory.settings()
        return self._consistency_token(namespace, settings.uid, settings.revision)

    def _memory(self, name: str, at_least: Sequence[str] = ()) -> Memory:
        """The handle of a namespace whose reads see the writes of these consistency tokens. Raises InvalidArgument."""
        return self._store.namespace(name, self._dependencies.consistency.points("at_least", at_least).get(name))
