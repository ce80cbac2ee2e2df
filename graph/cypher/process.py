"""The process of the engine, from outside: started, fed a snapshot, asked, and killed."""

import asyncio
import os
import signal
import sys
from contextlib import suppress
from typing import Any

from graph.cypher.wire import Unpacking, packets
from graph.errors import CypherInvalid, CypherLimit, CypherTimeout, CypherUnavailable, StructMemError

_SERVE = "from graph.cypher.child.serving import serve; serve()"
# The engine's allocator takes a gigabyte of addresses at once unless it is told otherwise (KiB), and then no limit of memory would bite;
# its threads are one, so that a query has one CPU.
_ENVIRONMENT = {"MIMALLOC_ARENA_RESERVE": "32768", "RAYON_NUM_THREADS": "1", "RUST_BACKTRACE": "0"}
_FAILURES: dict[str, tuple[type[StructMemError], str]] = {
    "invalid": (CypherInvalid, "the query cannot be run"),
    "timeout": (CypherTimeout, "the query took longer than it may; it was stopped"),
    "limit": (CypherLimit, "the query needs more memory than it may take; ask for less"),
    "missing": (CypherUnavailable, "Cypher needs an engine that is not installed: pip install 'structmem-server[cypher]'"),
    "open": (CypherUnavailable, "this system cannot lock the engine in as it must be, so no Cypher is run"),
}
# Beyond the time of a query: for the kernel's timers to act first and tell what happened.
_GRACE = 2.0


class EngineProcess:
    """One process with one snapshot. It answers one query at a time."""

    def __init__(self, process: asyncio.subprocess.Process) -> None:
        self._process = process
        self._unpacking = Unpacking()
        self._killed = False

    @classmethod
    async def started(cls, memory: int) -> "EngineProcess":
        """A process that may have so many bytes of memory and waits for its snapshot."""
        process = await asyncio.create_subprocess_exec(
            # Without environment, user's packages and working directory on its path (-I), and out of reach of a terminal's Ctrl-C.
            *(sys.executable, "-I", "-c", _SERVE),
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.DEVNULL,
            env=_ENVIRONMENT,
            start_new_session=True,
        )
        started = cls(process)
        try:
            await started.send([memory])
        except BaseException:
            started.kill()
            raise
        return started

    async def send(self, message: Any) -> None:
        """Hands over a message. That the process is gone shows when its answer is read."""
        assert self._process.stdin is not None
        with suppress(BrokenPipeError, ConnectionResetError):
            for packet in packets(message):
                self._process.stdin.write(packet)
            await self._process.stdin.drain()

    async def ready(self) -> None:
        """Waits until the snapshot is loaded and the process is locked in. Raises CypherUnavailable, CypherLimit."""
        await self.send(["loaded"])
        try:
            await self._receive()
        except asyncio.IncompleteReadError:
            raise CypherLimit("the namespace needs more memory than a snapshot may take") from None

    async def answer(self, query: list[Any], seconds: float) -> list[list[Any]]:
        """The messages of an answer: "columns", "rows", and "end" as the last one. Where it is not waited for, the process is killed.

        All of it is taken at once, so that the engine never waits for whoever reads on; the limit of bytes bounds it.

        Raises:
            CypherInvalid, CypherTimeout, CypherLimit.
        """
        whole = False
        try:
            async with asyncio.timeout(seconds + _GRACE):
                await self.send(query)
                messages = [await self._receive()]
                while messages[-1][0] != "end":
                    messages.append(await self._receive())
            whole = True
        except StructMemError:
            whole = True
            raise
        except asyncio.IncompleteReadError:
            raise CypherLimit("the engine ended under this query; ask for less") from None
        except TimeoutError:
            raise CypherTimeout(_FAILURES["timeout"][1]) from None
        finally:
            if not whole:
                self.kill()
        return messages

    @property
    def alive(self) -> bool:
        """Whether it can be asked."""
        return not self._killed and self._process.returncode is None

    def kill(self) -> None:
        """Ends the process and the query that it runs. The system tells of the end a moment later; it is not to be asked meanwhile."""
        self._killed = True
        if self._process.returncode is None:
            with suppress(ProcessLookupError):
                os.killpg(self._process.pid, signal.SIGKILL)

    async def end(self) -> None:
        """Kills the process and waits for its end."""
        self.kill()
        await self._process.wait()

    async def _receive(self) -> list[Any]:
        assert self._process.stdout is not None
        while True:
            head = await self._process.stdout.readexactly(Unpacking.head)
            message = self._unpacking.add(head, await self._process.stdout.readexactly(Unpacking.size(head)))
            if message is None:
                continue
            if message[0] == "failed":
                kind, text = _FAILURES[message[1]]
                raise kind(message[2] or text)
            return message  # type: ignore[no-any-return]  # a JSON list
