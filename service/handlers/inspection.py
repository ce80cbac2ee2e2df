"""What is in the memory and what the service is: DescribeGraph, GetServerInfo, GetUsage."""

from datetime import timedelta

from structmem.v1 import inspection_service_pb2 as pb
from structmem.v1 import inspection_service_pb2_grpc

from graph.model import ExtractionMode
from graph.retrieval import DEFAULT_RECIPE, RECIPES
from graph.store.retention import JOB_RETENTION, REQUEST_ID_RETENTION
from service.authorize import Action
from service.convert.inspection import description_to_proto, usage_to_proto
from service.convert.namespaces import embedding_to_proto
from service.convert.times import timestamp
from service.handlers.resource import Context, Resource
from service.missing_keys import missing_keys
from service.version import VERSION

_NOTES = {
    "local": "Rules on the service's own machine, without a model or a network: quick and repeatable, blind to what is only implied.",
    "llm": "A language model reads what was said: it sees what is implied, costs calls, and may err; each of its items is checked.",
    "recorded": "Facts recorded in a file are replayed: for benchmarks and tests, not for new conversations.",
}


class InspectionHandlers(Resource, inspection_service_pb2_grpc.InspectionServiceServicer):
    """The InspectionService."""

    async def DescribeGraph(self, request: pb.DescribeGraphRequest, context: Context) -> pb.DescribeGraphResponse:
        """Counts of a namespace's graph."""
        self._enter(Action.READ, request.namespace)
        return description_to_proto(await self._store.describe(request.namespace))

    async def GetServerInfo(self, request: pb.GetServerInfoRequest, context: Context) -> pb.GetServerInfoResponse:
        """What this service is."""
        extractor = self._parts.extractors[ExtractionMode.EVENT].spec.name
        return pb.GetServerInfoResponse(
            version=VERSION,
            store=self._parts.settings.store,
            extractor=extractor,
            extractor_note=_NOTES.get(extractor, ""),
            embedder=embedding_to_proto(self._parts.served),
            recipes=sorted(RECIPES),
            default_recipe=DEFAULT_RECIPE,
            started_at=timestamp(self._parts.started_at),
            job_retention_days=JOB_RETENTION.days,
            request_id_retention_hours=REQUEST_ID_RETENTION // timedelta(hours=1),
            warnings=missing_keys(self._parts.settings),
        )

    async def GetUsage(self, request: pb.GetUsageRequest, context: Context) -> pb.GetUsageResponse:
        """What models were called for a namespace."""
        self._enter(Action.READ, request.namespace)
        return pb.GetUsageResponse(entries=[usage_to_proto(entry) for entry in await self._store.usage(request.namespace)])
