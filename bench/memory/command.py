"""How much memory the service takes with very long messages: written, listed, retrieved, put into a context, exported, imported."""

import argparse
import asyncio
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import psutil
from structmem.v1 import memory_service_pb2 as pb
from structmem.v1 import retrieval_pb2

from bench.connection import DEADLINE_S, Connection
from bench.report import BenchError, Report
from bench.scale.words import Zipf, vocabulary
from bench.server import MB, ServerProcess, server

HELP = "resident memory of the service with very long messages (Linux)"
NAMESPACE, COPY = "bench/long", "bench/copy"
_BATCH_BYTES = 10_000_000
_PAUSE_S = 0.05


@dataclass(frozen=True, slots=True)
class Taken:
    """What one step took.

    Attributes:
        peak_mb: the highest resident memory of the service while it lasted; with_children_mb: of it and its child processes.
        after_mb: what was resident when it had ended.
    """

    step: str
    seconds: float
    peak_mb: float
    with_children_mb: float
    after_mb: float


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The flags."""
    parser.add_argument("--messages", type=int, default=500, metavar="N", help="how many (default: 500)")
    parser.add_argument("--characters", type=int, default=200_000, metavar="N", help="of each message (default: 200,000)")
    parser.add_argument(
        "--page", type=int, default=250, metavar="N", help="messages asked for in a page, and memories in an answer (default: 250)"
    )
    parser.add_argument("--at-once", type=int, default=4, metavar="N", help="callers that read at once (default: 4)")
    parser.add_argument(
        "--extract-s", type=float, default=60.0, metavar="S", help="seconds to let jobs work after the writing (default: 60)"
    )
    parser.add_argument("--set", action="append", default=[], metavar="NAME=VALUE", help="a setting of the service; may be given again")
    parser.add_argument("--json", action="store_true", help="print one JSON object and nothing else")


def run(arguments: argparse.Namespace) -> int:
    """Measures and reports."""
    if not Path("/proc/self/clear_refs").exists():
        raise BenchError("peaks of memory are read from /proc, which only Linux has")
    report = Report(arguments.json)
    taken = asyncio.run(_measured(arguments, report))
    columns = ("step", "s", "peak MB", "with children MB", "after MB")
    rows = [(one.step, one.seconds, one.peak_mb, one.with_children_mb, one.after_mb) for one in taken]
    report.table(f"{arguments.messages:,} messages of {arguments.characters:,} characters", columns, rows)
    peak = max(one.peak_mb for one in taken)
    report.note(f"peak resident memory of the service: {peak:,.0f} MB")
    report.result(
        {
            "messages": arguments.messages,
            "characters": arguments.characters,
            "peak_mb": peak,
            "steps": {one.step: one.peak_mb for one in taken},
        }
    )
    return 0


async def _measured(arguments: argparse.Namespace, report: Report) -> list[Taken]:
    settings = dict(pair.split("=", 1) for pair in arguments.set)
    taken: list[Taken] = []
    async with server(settings) as process, Connection(process.address) as connection:
        exported: list[pb.ExportNamespaceResponse] = []

        async def step(name: str, work: Callable[[], Awaitable[None]]) -> None:
            taken.append(await _peak(process, name, work))
            report.note(f"{name}: {taken[-1].seconds:.1f} s, peak {taken[-1].peak_mb:,.0f} MB, then {taken[-1].after_mb:,.0f} MB")

        async def many(work: Callable[[], Awaitable[None]]) -> None:
            await asyncio.gather(*(work() for _ in range(arguments.at_once)))

        async def export() -> None:
            exported[:] = await _exported(connection)

        await step("start", lambda: asyncio.sleep(1.0))
        await step("write", lambda: _write(connection, arguments.messages, arguments.characters))
        await step("work", lambda: asyncio.sleep(arguments.extract_s))
        await step("list", lambda: many(lambda: _list(connection, arguments.page)))
        await step("retrieve", lambda: many(lambda: _retrieve(connection, arguments.page)))
        await step("context", lambda: many(lambda: _context(connection)))
        await step("export", export)
        await step("import", lambda: _import(connection, exported))
        exported.clear()
        await step("rest", lambda: asyncio.sleep(5.0))
    return taken


async def _peak(process: ServerProcess, name: str, work: Callable[[], Awaitable[None]]) -> Taken:
    """What the service takes while the work is done."""
    main = psutil.Process(process.pid)
    _begin_anew(main)
    began = time.perf_counter()
    task = asyncio.ensure_future(work())
    highest = 0.0
    while not task.done():
        highest = max(highest, _resident(main) + sum(map(_resident, main.children(recursive=True))))
        await asyncio.wait({task}, timeout=_PAUSE_S)
    await task
    peak = _highest(main)
    return Taken(name, time.perf_counter() - began, peak, max(peak, highest), _resident(main))


def _begin_anew(process: psutil.Process) -> None:
    """Lets the highest resident memory count from now on: proc(5)."""
    Path(f"/proc/{process.pid}/clear_refs").write_text("5")


def _highest(process: psutil.Process) -> float:
    lines = Path(f"/proc/{process.pid}/status").read_text().splitlines()
    [peak] = [int(line.split()[1]) * 1024 / MB for line in lines if line.startswith("VmHWM")]
    return peak


def _resident(process: psutil.Process) -> float:
    try:
        return float(process.memory_info().rss) / MB
    except psutil.NoSuchProcess:
        return 0.0


async def _write(connection: Connection, messages: int, characters: int) -> None:
    words = Zipf(vocabulary(5_000), np.random.default_rng(7))
    batch = max(1, min(1_000, _BATCH_BYTES // characters))
    for start in range(0, messages, batch):
        inputs = [
            pb.MessageInput(speaker=f"Speaker {n % 7}", text=_text(words, characters, n))
            for n in range(start, min(messages, start + batch))
        ]
        request = pb.AppendMessagesRequest(namespace=NAMESPACE, session=f"session {start}", messages=inputs, create_namespace=True)
        await connection.memory.AppendMessages(request, timeout=DEADLINE_S)


def _text(words: Zipf, characters: int, number: int) -> str:
    drawn = words.draw(characters // 4)
    sentences = (" ".join(drawn[start : start + 12]) for start in range(0, len(drawn), 12))
    return f"Number {number}. {'. '.join(sentences)}."[:characters]


async def _list(connection: Connection, page: int) -> None:
    request = pb.ListMessagesRequest(namespace=NAMESPACE, page_size=page)
    while True:
        answer = await connection.memory.ListMessages(request, timeout=DEADLINE_S)
        if not answer.next_page_token:
            return
        request.page_token = answer.next_page_token


def _query(k: int) -> retrieval_pb2.RetrievalQuery:
    return retrieval_pb2.RetrievalQuery(namespaces=[NAMESPACE], text="What does Speaker 3 say of number 17?", k=k)


async def _retrieve(connection: Connection, k: int) -> None:
    await connection.memory.Retrieve(pb.RetrieveRequest(query=_query(k)), timeout=DEADLINE_S)


async def _context(connection: Connection) -> None:
    await connection.memory.BuildContext(pb.BuildContextRequest(query=_query(0), token_budget=50_000), timeout=DEADLINE_S)


async def _exported(connection: Connection) -> list[pb.ExportNamespaceResponse]:
    stream = connection.memory.ExportNamespace(pb.ExportNamespaceRequest(namespace=NAMESPACE), timeout=DEADLINE_S)
    return [part async for part in stream]


async def _import(connection: Connection, exported: list[pb.ExportNamespaceResponse]) -> None:
    async def requests() -> AsyncIterator[pb.ImportNamespaceRequest]:
        yield pb.ImportNamespaceRequest(header=pb.ImportNamespaceHeader(namespace=COPY, export_header=exported[0].header))
        for part in exported[1:-1]:
            yield pb.ImportNamespaceRequest(batch=part.batch)
        yield pb.ImportNamespaceRequest(trailer=exported[-1].trailer)

    await connection.memory.ImportNamespace(requests(), timeout=DEADLINE_S)
