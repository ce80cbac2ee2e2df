"""The standard health service: SERVING only while the service can serve."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

import grpc
import structlog
from grpc_health.v1 import health, health_pb2, health_pb2_grpc

from graph.errors import StructMemError

_PROBE_TIMEOUT_S = 5.0
_log = structlog.get_logger(__name__)


class Health:
    """Says of each service, and of all by "", whether it can serve: from `begin` to `end`, and only while the store answers."""

    def __init__(self, services: tuple[str, ...], probe: Callable[[], Awaitable[object]], interval: float) -> None:
        """`probe` reads and writes something small that is of no namespace, so that a damaged one ends no other's service; called every
        `interval` seconds."""
        self._services = ("", *services)
        self._probe = probe
        self._interval = interval
        self._servicer = health.aio.HealthServicer()  # type: ignore[attr-defined]  # re-exported on purpose, says its source
        self._watch: asyncio.Task[None] | None = None

    def register(self, server: grpc.aio.Server) -> None:
        """Adds the service to a server."""
        health_pb2_grpc.add_HealthServicer_to_server(self._servicer, server)  # type: ignore[no-untyped-call]

    async def begin(self) -> None:
        """The service can serve, and is asked again from now on."""
        await self._say(health_pb2.HealthCheckResponse.SERVING)
        self._watch = asyncio.create_task(self._watching(), name="health")

    async def end(self) -> None:
        """The service no longer takes calls."""
        if self._watch is not None:
            self._watch.cancel()
        await self._say(health_pb2.HealthCheckResponse.NOT_SERVING)

    async def _watching(self) -> None:
        well = True
        while True:
            await asyncio.sleep(self._interval)
            before, well = well, await self._answers()
            if well != before:
                _log.warning("health", serving=well)
                status = health_pb2.HealthCheckResponse
                await self._say(status.SERVING if well else status.NOT_SERVING)

    async def _answers(self) -> bool:
        try:
            async with asyncio.timeout(_PROBE_TIMEOUT_S):
                await self._probe()
        except (StructMemError, TimeoutError):
            return False
        return True

    async def _say(self, status: Any) -> None:
        for name in self._services:
            await self._servicer.set(name, status)
