"""Writes texts of each kind, asks with them, and measures how long a health check takes meanwhile.

The workers have other namespaces' texts to extract and to embed all the time. A service that does nothing is asked for its health, too:
what that takes is the machine's doing.
"""

import argparse
import asyncio
import time
from collections.abc import Awaitable

from structmem.v1 import memory_service_pb2 as pb
from structmem.v1.retrieval_pb2 import RetrievalQuery

from bench.connection import DEADLINE_S, Connection
from bench.percentiles import percentiles
from bench.report import BenchError, Report
from bench.server import server
from bench.worst_texts.health import HealthProbe
from bench.worst_texts.texts import KINDS, worst_text

HELP = "how long a health check takes beside appends and queries of the worst texts"
_QUERY = 100_000
_PROSE = "I moved to Lisbon on Monday with my sister Ruth because the flat was cheap, and Tom bought a boat. "


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The flags of this benchmark."""
    parser.add_argument("--messages", type=int, default=8, help="messages of each kind, appended at once (default: 8)")
    parser.add_argument("--characters", type=int, default=200_000, help="of each message (default: 200,000)")
    parser.add_argument("--seconds", type=float, default=5.0, help="of work behind the appends that are watched (default: 5)")
    parser.add_argument(
        "--backlog",
        type=int,
        default=4,
        help="messages of so many characters of prose, one a namespace, that workers have to do (default: 4)",
    )
    parser.add_argument("--kind", action="append", choices=KINDS, help="a kind to measure; may be given again; default: all")
    parser.add_argument(
        "--at-most", type=float, metavar="MS", help="fail when a health check of any kind took longer at its 99th percentile"
    )
    parser.add_argument("--json", action="store_true", help="print one JSON object and nothing else")


def run(arguments: argparse.Namespace) -> int:
    """Runs the benchmark."""
    report = Report(arguments.json)
    figures = asyncio.run(_measure(arguments, report))
    columns = ("kind", "append ms", "retrieve ms", "health p50 ms", "p99 ms", "max ms", "idle p99 ms", "max ms")
    report.table(
        f"{arguments.messages} messages of {arguments.characters:,} characters", columns, [(k, *f.values()) for k, f in figures.items()]
    )
    report.result(figures)
    slow = [kind for kind, figure in figures.items() if arguments.at_most and figure["p99"] > arguments.at_most]
    if slow:
        raise BenchError(f"a health check took longer than {arguments.at_most:g} ms beside {', '.join(slow)}")
    return 0


async def _measure(arguments: argparse.Namespace, report: Report) -> dict[str, dict[str, float]]:
    figures: dict[str, dict[str, float]] = {}
    kinds = arguments.kind or KINDS
    with report.step("kinds", len(kinds)) as step:
        async with server({"workers": 0}) as idle:
            for kind in kinds:
                # One service a kind: what one leaves to do must not be told of the next.
                async with server({"idle_s": 0, "extraction_mode": "event"}) as running, Connection(running.address) as connection:
                    async with HealthProbe(running.address) as health, HealthProbe(idle.address) as beside:
                        asked = await _of_kind(connection, kind, arguments)
                    figures[kind] = asked | _told(health, "") | _told(beside, "idle ", (99, 100))
                    running.kill()
                step.advance()
            idle.kill()
    return figures


async def _of_kind(connection: Connection, kind: str, arguments: argparse.Namespace) -> dict[str, float]:
    prose = (_PROSE * (arguments.characters // len(_PROSE) + 1))[: arguments.characters]
    await asyncio.gather(*(_append(connection, prose, f"backlog-{number}") for number in range(arguments.backlog)))
    text = worst_text(kind, arguments.characters)
    await _append(connection, "The namespace is here.")
    appended = await asyncio.gather(*(_append(connection, text) for _ in range(arguments.messages)))
    query = pb.RetrieveRequest(query=RetrievalQuery(namespaces=["worst"], text=worst_text(kind, _QUERY)))
    context = pb.BuildContextRequest(query=RetrievalQuery(namespaces=["worst"], text=text[:200]))
    asked = await asyncio.gather(
        _timed(connection.memory.Retrieve(query, timeout=DEADLINE_S)),
        _timed(connection.memory.BuildContext(context, timeout=DEADLINE_S)),
    )
    await asyncio.sleep(arguments.seconds)
    return {"append": round(max(appended) * 1000, 1), "retrieve": round(asked[0] * 1000, 1)}


def _told(health: HealthProbe, of: str, which: tuple[int, ...] = (50, 99, 100)) -> dict[str, float]:
    told = percentiles(health.seconds, which)
    return {of + name.replace("p100", "max"): value or 0.0 for name, value in told.items()}


async def _append(connection: Connection, text: str, namespace: str = "worst") -> float:
    message = pb.MessageInput(speaker="Tom", text=text)
    request = pb.AppendMessagesRequest(namespace=namespace, session="worst", messages=[message], create_namespace=True)
    return await _timed(connection.memory.AppendMessages(request, timeout=DEADLINE_S))


async def _timed(call: Awaitable[object]) -> float:
    began = time.perf_counter()
    await call
    return time.perf_counter() - began
