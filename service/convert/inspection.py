"""What is in a namespace and what it took, to the contract."""

from structmem.v1 import inspection_service_pb2, node_pb2

from graph.model import NodeKind
from graph.store.port import GraphDescription, UsageEntry
from service.convert.times import timestamp


def description_to_proto(found: GraphDescription) -> inspection_service_pb2.GetGraphStatsResponse:
    """Counts of a namespace's graph; kinds of which there are none are left out."""
    kinds = sorted(kind for kind in NodeKind if found.nodes.get(kind) or found.retired.get(kind))
    return inspection_service_pb2.GetGraphStatsResponse(
        nodes=[
            inspection_service_pb2.NodeCount(
                kind=node_pb2.NodeKind.ValueType(kind), count=found.nodes.get(kind, 0), retired_count=found.retired.get(kind, 0)
            )
            for kind in kinds
        ],
        edges=[
            inspection_service_pb2.EdgeCount(kind=node_pb2.EdgeKind.ValueType(kind), count=count)
            for kind, count in sorted(found.edges.items())
            if count
        ],
        vector_count=found.vectors,
        pending_vector_count=found.vectors_pending,
        first_sent_at=timestamp(found.first_sent_at),
        last_sent_at=timestamp(found.last_sent_at),
        revision=found.revision,
        size_bytes=found.bytes,
    )


def usage_to_proto(entry: UsageEntry) -> inspection_service_pb2.UsageEntry:
    """What one model was called for."""
    return inspection_service_pb2.UsageEntry(
        step=entry.step,
        model=entry.model,
        calls=entry.calls,
        items=entry.items,
        prompt_tokens=entry.prompt_tokens,
        completion_tokens=entry.completion_tokens,
        errors=entry.errors,
    )
