"""The generated stubs of the contract's services, by name."""

from typing import Any

from structmem.v1.answer_service_pb2_grpc import AnswerServiceStub
from structmem.v1.deletion_service_pb2_grpc import DeletionServiceStub
from structmem.v1.inspection_service_pb2_grpc import InspectionServiceStub
from structmem.v1.memory_service_pb2_grpc import MemoryServiceStub
from structmem.v1.namespace_service_pb2_grpc import NamespaceServiceStub
from structmem.v1.summary_service_pb2_grpc import SummaryServiceStub


def stubs(channel: Any) -> dict[str, Any]:
    """Stubs on a channel, sync or aio: the generated code serves both, its types only the latter."""
    return {
        "memory": MemoryServiceStub(channel),
        "namespace": NamespaceServiceStub(channel),
        "inspection": InspectionServiceStub(channel),
        "summary": SummaryServiceStub(channel),
        "deletion": DeletionServiceStub(channel),
        "answer": AnswerServiceStub(channel),
    }
