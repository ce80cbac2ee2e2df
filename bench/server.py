"""The server under test: the real command in a process of its own, on any free port, with a data directory of its own."""

import asyncio
import os
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from pathlib import Path

import grpc
import psutil

from bench.report import BenchError

# A server that recovers a large index may take long; one that hangs must not hold up a benchmark for ever.
START_TIMEOUT_S = 120.0
STOP_TIMEOUT_S = 60.0
MB = 1_000_000


def cpu_seconds(pid: int) -> float:
    """Seconds of CPU that a process has used so far, in its own code and in the system's."""
    times = psutil.Process(pid).cpu_times()
    return float(times.user + times.system)


class ServerProcess:
    """A server that can be started, stopped, killed and started again on the same data.

    Attributes:
        address: where it listens, once started.
        ready_s: seconds from the start of the process until it said that it can serve.
    """

    def __init__(self, directory: Path, settings: Mapping[str, object]) -> None:
        self.data_dir = directory / "data"
        self.address = ""
        self.ready_s = 0.0
        self._directory = directory
        self._ready_file = directory / "ready"
        self._log = directory / "server.log"
        self._settings = settings
        self._process: subprocess.Popen[bytes] | None = None

    def launch(self) -> None:
        """Starts the process and does not wait for it."""
        self._ready_file.unlink(missing_ok=True)
        with self._log.open("ab") as log:
            self._process = subprocess.Popen(
                [str(_command()), "serve"], cwd=self._directory, env=self._environment(), stdout=log, stderr=log, start_new_session=True
            )

    async def start(self) -> None:
        """Starts the process and waits until it can serve. Raises BenchError with the end of its log when it does not."""
        began = time.perf_counter()
        self.launch()
        while not (address := self._bound_address()):
            if self._process is None or self._process.poll() is not None:
                raise BenchError(f"the server ended before it could serve:\n{self.log_tail()}")
            if time.perf_counter() - began > START_TIMEOUT_S:
                self.kill()
                raise BenchError(f"the server was not ready after {START_TIMEOUT_S:.0f} s:\n{self.log_tail()}")
            await asyncio.sleep(0.005)
        self.ready_s = time.perf_counter() - began
        self.address = address

    async def stop(self) -> None:
        """Asks the process to end, and waits."""
        process = self._process
        if process is None or process.poll() is not None:
            return
        process.send_signal(signal.SIGTERM)
        try:
            await asyncio.to_thread(process.wait, STOP_TIMEOUT_S)
        except subprocess.TimeoutExpired:
            self.kill()
            raise BenchError(f"the server did not end within {STOP_TIMEOUT_S:.0f} s of SIGTERM:\n{self.log_tail()}") from None

    def kill(self) -> None:
        """Ends the process at once, with SIGKILL; nothing of it gets to run any more."""
        if self._process is not None and self._process.poll() is None:
            self._process.kill()
            self._process.wait()

    @property
    def pid(self) -> int | None:
        """The process's id while it runs."""
        return self._process.pid if self._process is not None and self._process.poll() is None else None

    def rss_mb(self) -> float:
        """The process's resident memory."""
        assert self._process is not None
        return round(float(psutil.Process(self._process.pid).memory_info().rss) / MB, 1)

    def cpu_s(self) -> float:
        """Seconds of CPU that the process has used so far."""
        assert self._process is not None
        return cpu_seconds(self._process.pid)

    def disk_mb(self) -> float:
        """What the data directory takes on disk."""
        return round(sum(path.stat().st_size for path in self.data_dir.rglob("*") if path.is_file()) / MB, 1)

    def log_tail(self, lines: int = 20) -> str:
        """The end of what the process wrote."""
        return "\n".join(self._log.read_text(errors="replace").splitlines()[-lines:])

    def _bound_address(self) -> str:
        try:
            return self._ready_file.read_text().strip()
        except FileNotFoundError:
            return ""

    def _environment(self) -> dict[str, str]:
        # Settings of the person who runs the benchmark must not leak into it.
        inherited = {name: value for name, value in os.environ.items() if not name.startswith("STRUCTMEM_")}
        settings = {
            "listen": "127.0.0.1:0",
            "data_dir": self.data_dir,
            "ready_file": self._ready_file,
            "log_level": "warning",
            **self._settings,
        }
        inherited["XDG_CONFIG_HOME"] = str(self._directory)
        return inherited | {f"STRUCTMEM_{name.upper()}": str(value) for name, value in settings.items()}


@asynccontextmanager
async def server(settings: Mapping[str, object], *, keep_in: Path | None = None) -> AsyncIterator[ServerProcess]:
    """A started server on a fresh data directory, in `keep_in` or in a temporary place; ended with the block, whatever happens in it."""
    with tempfile.TemporaryDirectory(prefix="structmem-bench-", dir=keep_in) as directory:
        async with server_in(Path(directory), settings) as process:
            yield process


@asynccontextmanager
async def server_in(directory: Path, settings: Mapping[str, object]) -> AsyncIterator[ServerProcess]:
    """A started server whose data is in a directory (absolute) and stays there; ended with the block, whatever happens in it."""
    process = ServerProcess(directory, settings)
    try:
        await process.start()
        yield process
        await process.stop()
    except grpc.RpcError as error:
        raise BenchError(f"the server answered {_told(error)}. The end of its log:\n{process.log_tail()}") from error
    finally:
        process.kill()


def _told(error: grpc.RpcError) -> str:
    if isinstance(error, (grpc.aio.AioRpcError, grpc.Call)):
        return f"{error.code().name}: {error.details()}"
    return str(error)


def _command() -> Path:
    command = Path(sys.executable).parent / "structmem"
    if not command.exists():
        raise BenchError(f"there is no `structmem` beside {sys.executable}: install the project first (make setup)")
    return command
