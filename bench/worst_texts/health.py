"""Asks a service for its health, from a process of its own, until its input ends; then prints the seconds that each answer took."""

import asyncio
import json
import sys
import threading
import time
from collections.abc import Callable
from types import TracebackType

import grpc
from grpc_health.v1 import health_pb2, health_pb2_grpc

# Between two questions, in seconds: often enough to meet a pause of a tenth of a second several times.
_PAUSE = 0.02
_PATIENCE = 600.0


class HealthProbe:
    """Asks as long as the block lasts; `seconds` then has what each answer took."""

    def __init__(self, address: str) -> None:
        self._address = address
        self._process: asyncio.subprocess.Process | None = None
        self.seconds: list[float] = []

    async def __aenter__(self) -> "HealthProbe":
        pipe = asyncio.subprocess.PIPE
        arguments = (sys.executable, "-c", f"from {__name__} import ask; ask({self._address!r})")
        self._process = await asyncio.create_subprocess_exec(*arguments, stdin=pipe, stdout=pipe, limit=1 << 26)
        assert self._process.stdout is not None
        await self._process.stdout.readline()  # it has had its first answer
        return self

    async def __aexit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        assert self._process is not None
        out, _ = await self._process.communicate(b"")
        self.seconds = json.loads(out) if out else []


def ask(address: str) -> None:
    """What the process does."""
    ended = threading.Event()
    with grpc.insecure_channel(address) as channel:
        stub = health_pb2_grpc.HealthStub(channel)  # type: ignore[no-untyped-call]

        def answered() -> float:
            began = time.perf_counter()
            stub.Check(health_pb2.HealthCheckRequest(), timeout=_PATIENCE)
            return time.perf_counter() - began

        answered()
        print("asking", flush=True)
        threading.Thread(target=_when_input_ends, args=[ended.set], daemon=True).start()
        seconds = []
        while not ended.wait(_PAUSE):
            seconds.append(answered())
    print(json.dumps(seconds), flush=True)


def _when_input_ends(end: Callable[[], None]) -> None:
    sys.stdin.read()
    end()
