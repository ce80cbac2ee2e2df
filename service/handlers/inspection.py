"""What is in the memory and what the service is: GetGraphStats, GetServerInfo, GetUsage, RunCypher."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import aclosing

from structmem.v1 import cypher_pb2, inspection_service_pb2_grpc
from structmem.v1 import inspection_service_pb2 as pb

from graph.cypher import CypherQuery, CypherRunner
from graph.cypher.tokens import MAX_QUERY
from graph.errors import CypherUnavailable
from graph.model import ExtractionMode
from graph.retrieval import DEFAULT_RECIPE, RECIPES
from graph.store.port import JOB_RETENTION, REQUEST_ID_RETENTION
from service import call_context
from service.authorize import Action, authorize_everywhere
from service.convert.cypher import parameters_from_proto, parts_to_proto
from service.convert.inspection import description_to_proto, usage_to_proto
from service.convert.namespaces import embedding_to_proto
from service.convert.times import duration, timestamp
from service.handlers.resource import Context, ResourceHandlers
from service.setting_warnings import setting_warnings
from service.validate import limit_of, text
from service.version import VERSION

_NOTES = {
    "local": "Rules on the service's own machine, without a model or a network: quick and repeatable, blind to what is only implied.",
    "llm": "A language model reads what was said: it sees what is implied, costs calls, and may err; each of its items is checked.",
    "recorded": "Facts recorded in a file are replayed: for benchmarks and tests, not for new conversations.",
}


class InspectionHandlers(ResourceHandlers, inspection_service_pb2_grpc.InspectionServiceServicer):
    """The InspectionService."""

    async def GetGraphStats(self, request: pb.GetGraphStatsRequest, context: Context) -> pb.GetGraphStatsResponse:
        """Counts of a namespace's graph."""
        with self._entering(Action.READ, request.namespace) as found:
            memory = self._reading(found, request)
        return description_to_proto(await memory.describe())

    async def GetServerInfo(self, request: pb.GetServerInfoRequest, context: Context) -> pb.GetServerInfoResponse:
        """What this service is."""
        extractor = self._dependencies.extractors[ExtractionMode.EVENT].spec.name
        return pb.GetServerInfoResponse(
            version=VERSION,
            store=self._dependencies.settings.store,
            extractor=extractor,
            extractor_note=_NOTES.get(extractor, ""),
            embedder=embedding_to_proto(self._dependencies.served),
            recipes=sorted(RECIPES),
            default_recipe=DEFAULT_RECIPE,
            started_at=timestamp(self._dependencies.started_at),
            job_retention=duration(JOB_RETENTION),
            request_id_retention=duration(REQUEST_ID_RETENTION),
            warnings=[pb.SettingWarning(setting=it.setting, message=it.message) for it in setting_warnings(self._dependencies.settings)],
        )

    async def GetUsage(self, request: pb.GetUsageRequest, context: Context) -> pb.GetUsageResponse:
        """What models were called for a namespace."""
        with self._entering(Action.READ, request.namespace) as found:
            memory = self._reading(found, request)
        entries = await memory.usage()
        return pb.GetUsageResponse(entries=[usage_to_proto(entry) for entry in entries])

    async def RunCypher(self, request: pb.RunCypherRequest, context: Context) -> AsyncIterator[pb.RunCypherResponse]:
        """The answer to a query that reads."""
        settings = self._dependencies.settings
        with self._entering(Action.READ, request.namespace) as found:
            if request.scope not in cypher_pb2.CypherScope.values():
                found.add("scope", f"{request.scope} is not a value of this enum")
            query = CypherQuery(
                text(found, "query", request.query, MAX_QUERY),
                limit_of(found, "max_rows", request.max_rows, settings.cypher_max_rows, settings.cypher_max_rows),
                settings.cypher_timeout_s,
                # In a thread: other calls are answered meanwhile.
                await asyncio.to_thread(parameters_from_proto, found, "parameters", request.parameters),
                self._points(found, "at_least", request.at_least).get(request.namespace),
            )
        runner = self._runner(request.scope)
        await self._store.namespace(request.namespace, query.at_least).settings()
        async with aclosing(runner.run(request.namespace, query)) as parts:
            async for part in parts:
                for response in parts_to_proto(part, self._page_bytes):
                    yield response

    def _runner(self, scope: int) -> CypherRunner:
        """Who runs queries of this scope. A whole database is shown only to whoever may read and administer all that is in it."""
        if scope != cypher_pb2.CYPHER_SCOPE_DATABASE:
            return self._dependencies.cypher
        authorize_everywhere(call_context.current().principal, Action.READ, Action.ADMIN)
        if self._dependencies.native_cypher is None:
            raise CypherUnavailable("this service's store speaks no Cypher; run the query on the namespace instead")
        return self._dependencies.native_cypher
