"""What the process does: take a snapshot, lock itself in, answer queries.

Every query runs in a fork: it sees the snapshot without a copy of it, has time and memory of its own, and whatever becomes of it leaves
the snapshot as it was. Timers of the kernel end it (SIGALRM, SIGXCPU), not code that it could keep from running.
"""

import math
import os
import signal
import sys
from contextlib import suppress
from typing import Any, NoReturn

import orjson

from graph.cypher.child.sandbox import NotLockedIn, limit_cpu, limit_memory, lock_in
from graph.cypher.wire import Unpacking, decoded, decoded_rows, encoded, packets

_BATCH_ROWS = 200
_BATCH_BYTES = 256 * 1024
_TIME_IS_OVER = {signal.SIGALRM, signal.SIGXCPU}


def _read() -> Any:
    """The next message. Raises EOFError when the service is gone."""
    unpacking = Unpacking()
    while True:
        head = sys.stdin.buffer.read(Unpacking.head)
        if len(head) < Unpacking.head:
            raise EOFError
        message = unpacking.add(head, sys.stdin.buffer.read(Unpacking.size(head)))
        if message is not None:
            return message


def _write(*message: Any) -> None:
    for packet in packets(message):
        os.write(sys.stdout.fileno(), packet)


def _load() -> Any:
    """The engine with the snapshot that the service sends."""
    (memory,) = _read()
    limit_memory(memory)
    from graph.cypher.child.engine import Engine

    engine = Engine()
    while (message := _read())[0] != "loaded":
        match message:
            case ["nodes", label, rows]:
                engine.add_nodes(label, decoded_rows(rows))
            case ["edges", type_, source, target, rows]:
                engine.add_edges(type_, source, target, decoded_rows(rows))
    engine.complete()
    return engine


def _answer_in_fork(engine: Any, query: list[Any]) -> None:
    fork = os.fork()
    if fork == 0:
        _answer_and_exit(engine, *query)
    _, status = os.waitpid(fork, 0)
    if os.WIFSIGNALED(status):
        _write("failed", "timeout" if os.WTERMSIG(status) in _TIME_IS_OVER else "limit", "")


def _answer_and_exit(engine: Any, text: str, parameters: Any, rows: int, size: int, row_size: int, seconds: float) -> NoReturn:
    signal.setitimer(signal.ITIMER_REAL, seconds)
    limit_cpu(math.ceil(seconds))
    from graph.cypher.child.engine import QueryFailed, QueryTimedOut, QueryTooLarge

    try:
        _answer(engine.answer(text, decoded(parameters), rows + 1, seconds), rows, size, row_size)
    except QueryFailed as error:
        _write("failed", "invalid", str(error))
    except QueryTimedOut:
        _write("failed", "timeout", "")
    except QueryTooLarge:
        _write("failed", "limit", "the query makes more than the engine holds at once; ask for less")
    except MemoryError:
        _write("failed", "limit", "")
    except BaseException:  # noqa: BLE001 - a fault of the engine, a Rust panic included, ends here and nowhere else
        _write("failed", "invalid", "the engine cannot run this query")
    os._exit(0)


def _answer(answer: Any, most_rows: int, most_bytes: int, row_bytes: int) -> None:
    _write("columns", answer.columns)
    batch: list[orjson.Fragment] = []
    sent = size = batch_size = 0
    truncated = False
    for row in answer.rows:
        data = orjson.dumps([encoded(value) for value in row])
        if len(data) > row_bytes:
            _write("failed", "limit", "a row is longer than one may be; return less of each")
            return
        if sent == most_rows or size + len(data) > most_bytes:
            truncated = True
            break
        sent, size, batch_size = sent + 1, size + len(data), batch_size + len(data)
        batch.append(orjson.Fragment(data))
        if len(batch) == _BATCH_ROWS or batch_size > _BATCH_BYTES:
            _write("rows", batch)
            batch, batch_size = [], 0
    if batch:
        _write("rows", batch)
    _write("end", sent, truncated)


def serve() -> None:
    """Runs until the service goes away."""
    with suppress(EOFError, BrokenPipeError):
        try:
            engine = _load()
            lock_in()
        except ImportError:
            _write("failed", "missing", "")
            return
        except NotLockedIn:
            _write("failed", "open", "")
            return
        _write("ready")
        while True:
            _answer_in_fork(engine, _read())
