"""The handlers of the contract's services, one resource a file. Each validates, makes one domain call and converts."""

from structmem.v1 import memory_service_pb2_grpc

from service.handlers.answers import AnswerHandlers
from service.handlers.deletions import DeletingHandlers, DeletionHandlers
from service.handlers.exchange import ExchangeHandlers
from service.handlers.graph import GraphHandlers
from service.handlers.inspection import InspectionHandlers
from service.handlers.jobs import JobHandlers
from service.handlers.messages import MessageHandlers
from service.handlers.namespaces import NamespaceHandlers
from service.handlers.resource import Dependencies
from service.handlers.retrieval import RetrievalHandlers
from service.handlers.summaries import SummaryHandlers


class MemoryHandlers(
    MessageHandlers,
    RetrievalHandlers,
    GraphHandlers,
    DeletingHandlers,
    ExchangeHandlers,
    JobHandlers,
    memory_service_pb2_grpc.MemoryServiceServicer,
):
    """The MemoryService: the resources above under one name."""


__all__ = [
    "AnswerHandlers",
    "DeletionHandlers",
    "Dependencies",
    "InspectionHandlers",
    "MemoryHandlers",
    "NamespaceHandlers",
    "SummaryHandlers",
]
