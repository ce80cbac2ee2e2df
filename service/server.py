"""The gRPC server: its options, the services it registers, the address it listens on."""

import grpc
from grpc_health.v1 import health
from structmem.v1 import (
    answer_service_pb2,
    answer_service_pb2_grpc,
    deletion_service_pb2,
    deletion_service_pb2_grpc,
    inspection_service_pb2,
    inspection_service_pb2_grpc,
    memory_service_pb2,
    memory_service_pb2_grpc,
    namespace_service_pb2,
    namespace_service_pb2_grpc,
    summary_service_pb2,
    summary_service_pb2_grpc,
)

from graph.model import UuidSource
from service.errors import InvalidSettings
from service.handlers import (
    AnswerHandlers,
    DeletionHandlers,
    Dependencies,
    InspectionHandlers,
    MemoryHandlers,
    NamespaceHandlers,
    SummaryHandlers,
)
from service.health import Health
from service.interceptors import interceptors
from service.listening import cannot_listen, ensure_free
from service.reflection import register_reflection
from service.settings import Settings, host_and_port
from service.token_file import TokenFile

_MB = 1024 * 1024
SERVICES = (
    memory_service_pb2.DESCRIPTOR.services_by_name["MemoryService"].full_name,
    namespace_service_pb2.DESCRIPTOR.services_by_name["NamespaceService"].full_name,
    inspection_service_pb2.DESCRIPTOR.services_by_name["InspectionService"].full_name,
    summary_service_pb2.DESCRIPTOR.services_by_name["SummaryService"].full_name,
    deletion_service_pb2.DESCRIPTOR.services_by_name["DeletionService"].full_name,
    answer_service_pb2.DESCRIPTOR.services_by_name["AnswerService"].full_name,
)


class Server:
    """A gRPC server over the dependencies. Health says SERVING between `start` and `stop`, for each service and for all."""

    def __init__(self, dependencies: Dependencies, tokens: TokenFile | None) -> None:
        settings = dependencies.settings
        self._settings = settings
        self._server = grpc.aio.server(
            interceptors=interceptors(UuidSource(), tokens, settings.max_send_bytes, settings.stream_stall_s),
            options=_options(settings),
            maximum_concurrent_rpcs=settings.max_concurrent_calls,
        )
        self._health = Health(SERVICES, dependencies.store.ping, settings.health_probe_s)
        self._health.register(self._server)
        memory_service_pb2_grpc.add_MemoryServiceServicer_to_server(MemoryHandlers(dependencies), self._server)
        namespace_service_pb2_grpc.add_NamespaceServiceServicer_to_server(NamespaceHandlers(dependencies), self._server)
        summary_service_pb2_grpc.add_SummaryServiceServicer_to_server(SummaryHandlers(dependencies), self._server)
        deletion_service_pb2_grpc.add_DeletionServiceServicer_to_server(DeletionHandlers(dependencies), self._server)
        answer_service_pb2_grpc.add_AnswerServiceServicer_to_server(AnswerHandlers(dependencies), self._server)
        inspection_service_pb2_grpc.add_InspectionServiceServicer_to_server(InspectionHandlers(dependencies), self._server)
        register_reflection(self._server, (*SERVICES, health.SERVICE_NAME))

    async def start(self) -> str:
        """Begins to serve and returns the address, with the port that was bound.

        Raises:
            InvalidSettings: the address cannot be listened on, or the TLS files cannot be read.
        """
        address = self._bind()
        await self._server.start()
        await self._health.begin()
        return address

    async def stop(self, grace: float) -> None:
        """Takes no new calls, gives those under way `grace` seconds, then cancels them."""
        await self._health.end()
        await self._server.stop(grace)

    def _bind(self) -> str:
        listen = self._settings.listen
        credentials = _credentials(self._settings)
        ensure_free(listen)
        try:
            port = self._server.add_secure_port(listen, credentials) if credentials else self._server.add_insecure_port(listen)
        except (RuntimeError, ValueError):
            # Somebody was faster, or gRPC does not take the certificate; its text names no reason that helps.
            raise cannot_listen(listen, "is another service there already?") from None
        if listen.startswith("unix:"):
            return listen
        host, _ = host_and_port(listen)
        return f"[{host}]:{port}" if ":" in host else f"{host}:{port}"


def _options(settings: Settings) -> list[tuple[str, int]]:
    return [
        # With it, a second service on the same port would silently take half of the calls.
        ("grpc.so_reuseport", 0),
        ("grpc.max_receive_message_length", settings.max_receive_mb * _MB),
        # Bounded by an interceptor, which can tell the reason.
        ("grpc.max_send_message_length", -1),
        ("grpc.keepalive_time_ms", int(settings.keepalive_s * 1000)),
        ("grpc.keepalive_timeout_ms", 20_000),
        ("grpc.keepalive_permit_without_calls", 1),
        # Clients may probe as often as every ten seconds before they count as abusive.
        ("grpc.http2.min_ping_interval_without_data_ms", 10_000),
        ("grpc.http2.max_ping_strikes", 4),
        # Error details travel as a header.
        ("grpc.max_metadata_size", 32 * 1024),
    ]


def _credentials(settings: Settings) -> grpc.ServerCredentials | None:
    if settings.tls_cert is None or settings.tls_key is None:
        return None
    try:
        return grpc.ssl_server_credentials([(settings.tls_key.read_bytes(), settings.tls_cert.read_bytes())])
    except OSError as error:
        raise InvalidSettings.of("tls_cert", f"the certificate or its key cannot be read ({error.strerror})") from None
