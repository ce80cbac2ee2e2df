"""A gRPC server in this process whose services are scripted by each test."""

from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import Any

import grpc
import pytest
from structmem import Client
from structmem.v1.answer_service_pb2_grpc import add_AnswerServiceServicer_to_server
from structmem.v1.inspection_service_pb2_grpc import add_InspectionServiceServicer_to_server
from structmem.v1.memory_service_pb2_grpc import add_MemoryServiceServicer_to_server
from structmem.v1.namespace_service_pb2_grpc import add_NamespaceServiceServicer_to_server
from structmem.v1.summary_service_pb2_grpc import add_SummaryServiceServicer_to_server

ADDERS: list[Any] = [
    add_MemoryServiceServicer_to_server,
    add_NamespaceServiceServicer_to_server,
    add_InspectionServiceServicer_to_server,
    add_SummaryServiceServicer_to_server,
    add_AnswerServiceServicer_to_server,
]
Answer = Callable[[Any, grpc.ServicerContext], Any]


@dataclass
class Script:
    """What the services do: one function a method. Every request and its metadata are kept."""

    target: str = ""
    answers: dict[str, Answer] = field(default_factory=dict)
    requests: list[Any] = field(default_factory=list)
    metadata: list[dict[str, Any]] = field(default_factory=list)

    def __getattr__(self, method: str) -> Answer:
        if method.startswith("_"):
            raise AttributeError(method)

        def answer(request: Any, context: grpc.ServicerContext) -> Any:
            self.requests.append(request)
            self.metadata.append(dict(context.invocation_metadata()))
            if method not in self.answers:
                context.abort(grpc.StatusCode.UNIMPLEMENTED, f"{method} is not scripted")
            return self.answers[method](request, context)

        return answer


@pytest.fixture
def script() -> Iterator[Script]:
    """A running server; tests fill in its answers."""
    script = Script()
    with ThreadPoolExecutor(8) as pool:
        server = grpc.server(pool, options=(("grpc.so_reuseport", 0),))
        for add in ADDERS:
            add(script, server)
        script.target = f"127.0.0.1:{server.add_insecure_port('127.0.0.1:0')}"
        server.start()
        yield script
        server.stop(0).wait()


@pytest.fixture
def client(script: Script) -> Iterator[Client]:
    """A client of that server."""
    with Client(script.target, timeout=10) as client:
        yield client
