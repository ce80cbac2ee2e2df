"""Writes long messages, reads them in every way, and states for each step what the service takes."""

import argparse
import asyncio
from collections.abc import Awaitable, Callable

from structmem.v1 import memory_service_pb2 as pb

from bench.connection import Connection
from bench.memory import calls
from bench.memory.resident import Taken, can_be_read, taken
from bench.memory.texts import KINDS, Texts
from bench.report import BenchError, Report
from bench.server import server

HELP = "resident memory of the service with very long messages (Linux)"
_REST_S = 12.0


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The flags."""
    parser.add_argument("--messages", type=int, default=500, metavar="N", help="how many (default: 500)")
    parser.add_argument("--characters", type=int, default=200_000, metavar="N", help="of each message (default: 200,000)")
    parser.add_argument("--text", choices=KINDS, default=KINDS[0], help=f"what they are made of (default: {KINDS[0]})")
    parser.add_argument("--page", type=int, default=250, metavar="N", help="messages of a page, and memories of an answer (default: 250)")
    parser.add_argument("--at-once", type=int, default=4, metavar="N", help="callers that read at once (default: 4)")
    parser.add_argument("--exports", type=int, default=8, metavar="N", help="exports that are read at once (default: 8)")
    parser.add_argument("--given-up", type=int, default=500, metavar="N", help="calls that are given up after 1 to 30 ms (default: 500)")
    parser.add_argument("--passes", type=int, default=2, metavar="N", help="how often all is read (default: 2)")
    parser.add_argument("--extract-s", type=float, default=60.0, metavar="S", help="seconds of work after the writing (default: 60)")
    parser.add_argument("--set", action="append", default=[], metavar="NAME=VALUE", help="a setting of the service; may be given again")
    parser.add_argument("--at-most", type=float, metavar="MB", help="fail when the service took more at any time")
    parser.add_argument("--json", action="store_true", help="print one JSON object and nothing else")


def run(arguments: argparse.Namespace) -> int:
    """Measures and reports."""
    if not can_be_read():
        raise BenchError("peaks of memory are read from /proc, which only Linux has")
    report = Report(arguments.json)
    steps = asyncio.run(_measured(arguments, report))
    title = f"{arguments.messages:,} messages of {arguments.characters:,} characters ({arguments.text})"
    columns = ("step", "s", "peak MB", "with children MB", "after MB")
    report.table(title, columns, [(one.step, one.seconds, one.peak_mb, one.with_children_mb, one.after_mb) for one in steps])
    peak, rest = max(one.peak_mb for one in steps), steps[-1].after_mb
    report.note(f"the service took {peak:,.0f} MB at most, and holds {rest:,.0f} MB at rest")
    report.result(
        {
            "messages": arguments.messages,
            "characters": arguments.characters,
            "text": arguments.text,
            "peak_mb": peak,
            "rest_mb": rest,
            "steps": {one.step: one.peak_mb for one in steps},
            "after": {one.step: one.after_mb for one in steps},
        }
    )
    if arguments.at_most and peak > arguments.at_most:
        raise BenchError(f"the service took {peak:,.0f} MB, more than {arguments.at_most:,.0f}")
    return 0


async def _measured(arguments: argparse.Namespace, report: Report) -> list[Taken]:
    settings = dict(pair.split("=", 1) for pair in arguments.set)
    texts = Texts(arguments.text, arguments.characters)
    steps: list[Taken] = []
    async with server(settings) as process, Connection(process.address) as connection:
        parts: list[pb.ExportNamespaceResponse] = []

        async def step(name: str, work: Callable[[], Awaitable[None]]) -> None:
            steps.append(one := await taken(process, name, work))
            report.note(f"{name}: {one.seconds:.1f} s, peak {one.peak_mb:,.0f} MB, then {one.after_mb:,.0f} MB")

        async def many(work: Callable[[], Awaitable[None]], count: int = arguments.at_once) -> None:
            await asyncio.gather(*(work() for _ in range(count)))

        async def export() -> None:
            parts[:] = await calls.exported(connection)

        async def import_beside_exports(name: str) -> None:
            exports = many(lambda: calls.read_export(connection, slowly=False), arguments.exports)
            await asyncio.gather(exports, calls.import_copy(connection, parts, name))

        await step("start", lambda: asyncio.sleep(1.0))
        await step("write", lambda: calls.write(connection, texts, arguments.messages, arguments.characters))
        await step("work", lambda: asyncio.sleep(arguments.extract_s))
        for number in range(1, arguments.passes + 1):
            mark, name = f" {number}", f"{calls.COPY}/{number}"
            await step(f"list{mark}", lambda: many(lambda: calls.list_messages(connection, arguments.page)))
            await step(f"retrieve{mark}", lambda: many(lambda: calls.retrieve(connection, arguments.page)))
            await step(f"context{mark}", lambda: many(lambda: calls.context(connection)))
            await step(f"given up{mark}", lambda: calls.give_up(connection, arguments.given_up, arguments.page))
            await step(f"export{mark}", export)
            await step(f"import{mark}", lambda name=name: calls.import_copy(connection, parts, name))  # type: ignore[misc]
            await step(f"slow exports{mark}", lambda: many(lambda: calls.read_export(connection, slowly=True), arguments.exports))
            await step(f"import beside exports{mark}", lambda name=name: import_beside_exports(f"{name}/beside"))  # type: ignore[misc]
            parts.clear()
            await connection.delete_namespaces([name, f"{name}/beside"])
        await step("rest", lambda: asyncio.sleep(_REST_S))
    return steps
