"""Text analysis in a process of its own, so that a large import uses a second core.

The process reads batches from its standard input and answers on its standard output, each a length and its pickled content. It ends
when its input does, and so with the process that started it, however that ends. Both are the same program and speak to nobody else.
"""

import pickle
import struct
import subprocess
import sys
import threading
from collections.abc import Sequence
from contextlib import suppress
from typing import IO, Any

from graph.store.memory_rows import MemoryRow, MemorySource, memory_rows

_LENGTH = struct.Struct("<Q")
# At most one such process at a time: the second core of a small machine. Imports that find it taken analyse in their own process.
_SLOT = threading.BoundedSemaphore(1)


class AnalysisProcess:
    """A child process that analyses one batch at a time. Its methods raise OSError or EOFError when it has ended."""

    def __init__(self) -> None:
        # Without the working directory on its path (-P), and out of reach of a terminal's Ctrl-C.
        self._process = subprocess.Popen(
            [sys.executable, "-P", "-c", f"from {__name__} import serve; serve()"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            start_new_session=True,
        )

    @classmethod
    def start_if_free(cls) -> "AnalysisProcess | None":
        """Starts one; None while another import has one, or where it cannot be started."""
        if not _SLOT.acquire(blocking=False):
            return None
        try:
            return cls()
        except OSError:
            _SLOT.release()
            return None

    def send(self, batch: Sequence[MemorySource]) -> None:
        """Sends a batch. Its rows must be received before the next is sent: a full pipe each way would stop both for ever."""
        assert self._process.stdin is not None
        _write(self._process.stdin, batch)

    def receive(self) -> list[MemoryRow]:
        """The rows of the batch; waits for them."""
        assert self._process.stdout is not None
        rows: list[MemoryRow] = _read(self._process.stdout)
        return rows

    def kill(self) -> None:
        """Ends the process; whoever waits for its answer gets EOFError. It still is to be closed."""
        self._process.kill()

    def close(self) -> None:
        """Ends the process and lets go of it."""
        self._process.kill()
        self._process.wait()
        for pipe in (self._process.stdin, self._process.stdout):
            assert pipe is not None
            with suppress(OSError):  # what was not written yet is of no use any more
                pipe.close()
        _SLOT.release()


def _write(pipe: IO[bytes], content: object) -> None:
    data = pickle.dumps(content, protocol=pickle.HIGHEST_PROTOCOL)
    pipe.write(_LENGTH.pack(len(data)))
    pipe.write(data)
    pipe.flush()


def _read(pipe: IO[bytes]) -> Any:
    head = pipe.read(_LENGTH.size)
    if len(head) < _LENGTH.size:
        raise EOFError
    (size,) = _LENGTH.unpack(head)
    data = pipe.read(size)
    if len(data) < size:
        raise EOFError
    return pickle.loads(data)  # written by the process at the other end of the pipe, which is ours


def serve() -> None:
    """The program of the child process: analyses batches until its input ends."""
    with suppress(EOFError, BrokenPipeError):
        while True:
            _write(sys.stdout.buffer, memory_rows(_read(sys.stdin.buffer)))
