"""The benchmark itself: generate, load, ask."""

import argparse
import asyncio
import random
import tempfile
from dataclasses import dataclass
from pathlib import Path

from bench.connection import Connection
from bench.percentiles import percentiles
from bench.report import BenchError, Report
from bench.scale.conversations import Probe
from bench.scale.generating import generate, namespace_names
from bench.scale.loading import load, server_generation
from bench.scale.measuring import Latencies, append, ask, delete_while_asking, say_as
from bench.server import ServerProcess, server
from bench.stores import StoreUnderTest, add_store_arguments, chosen_store, own_namespaces

HELP = "load many messages with vectors given, and ask"
RECIPES = ("hybrid", "lexical", "dense", "graph")
# Asked before anything is measured, so that what is set up lazily is.
WARM_UP = 20


@dataclass(frozen=True, slots=True)
class Size:
    """What to load and how to ask."""

    messages: int
    namespaces: int
    clients: int
    queries: int
    settle: float
    delete: int


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The flags of this benchmark."""
    parser.add_argument("--messages", type=int, required=True, metavar="N", help="messages to load, in all")
    parser.add_argument("--namespaces", type=int, default=1, metavar="M", help="namespaces to spread them over (default: 1)")
    parser.add_argument("--clients", type=int, default=1, metavar="C", help="clients that ask at the same time (default: 1)")
    parser.add_argument("--queries", type=int, default=500, metavar="Q", help="queries for each recipe, and appends (default: 500)")
    parser.add_argument(
        "--settle",
        type=float,
        default=0.0,
        metavar="S",
        help="seconds to wait after the first questions, for what they set off (default: 0)",
    )
    parser.add_argument(
        "--delete", type=int, default=0, metavar="D", help="also append D messages of one speaker, and delete them while somebody asks"
    )
    parser.add_argument("--directory", type=Path, metavar="DIR", help="where to keep the data while it runs (default: a temporary place)")
    add_store_arguments(parser)
    parser.add_argument("--json", action="store_true", help="print one JSON object and nothing else")


def run(arguments: argparse.Namespace) -> int:
    """Runs the benchmark."""
    size = Size(arguments.messages, arguments.namespaces, arguments.clients, arguments.queries, arguments.settle, arguments.delete)
    for name in ("messages", "namespaces", "clients", "queries"):
        if getattr(size, name) < 1:
            raise BenchError(f"--{name}: must be at least 1")
    if size.delete < 0:
        raise BenchError("--delete: must be at least 0")
    if size.settle < 0:
        raise BenchError("--settle: must be at least 0")
    if size.messages < size.namespaces:
        raise BenchError("--messages: must be at least one for each namespace")
    report = Report(arguments.json)
    with chosen_store(arguments, arguments.directory) as store:
        figures = asyncio.run(_measure(size, store, arguments.directory, report))
    _show(figures, report)
    report.result(figures)
    return 0


async def _measure(size: Size, store: StoreUnderTest, directory: Path | None, report: Report) -> dict[str, object]:
    with tempfile.TemporaryDirectory(prefix="structmem-bench-", dir=directory) as spool:
        async with (
            server(store.settings, keep_in=directory) as running,
            Connection(running.address) as connection,
            own_namespaces(connection, store, namespace_names(size.namespaces)),
        ):
            generation = await server_generation(connection)
            made = generate(size.messages, size.namespaces, size.queries, generation, Path(spool), report)
            with report.step("loading", made.records) as step:
                loaded = await load(connection, running.address, made.directories, step)
            return {
                "store": store.name,
                "messages": size.messages,
                "namespaces": size.namespaces,
                "clients": size.clients,
                "settle_s": size.settle,
                "nodes": loaded.nodes,
                "edges": loaded.edges,
                "load_nodes_per_s": round(loaded.nodes / loaded.seconds, 1),
                "load_edges_per_s": round(loaded.edges / loaded.seconds, 1),
                "generate_s": round(made.seconds, 1),
                **await _ask_all(size, store, running, connection, made.probes, report),
            }


async def _ask_all(
    size: Size, store: StoreUnderTest, running: ServerProcess, connection: Connection, probes: list[Probe], report: Report
) -> dict[str, object]:
    latencies: dict[str, object] = {}
    queries_per_s: dict[str, float] = {}
    cpu_ms: dict[str, object] = {}
    alone: Latencies | None = None
    if size.settle:
        with report.step("settling", WARM_UP) as step:
            await ask(running.address, probes[:WARM_UP], RECIPES[0], 1, step)
        await asyncio.sleep(size.settle)
    for recipe in RECIPES:
        asked_for = random.Random(recipe).sample(probes, min(size.queries, len(probes)))
        with report.step(f"asking, {recipe}", len(asked_for) + WARM_UP) as step:
            await ask(running.address, asked_for[:WARM_UP], recipe, 1, step)
            used = _Cpu.used(running, store)
            asked = await ask(running.address, asked_for, recipe, size.clients, step)
            cpu = _Cpu.used(running, store).since(used, len(asked_for))
        latencies[recipe] = percentiles(asked.seconds)
        queries_per_s[recipe] = round(asked.per_second, 1)
        if recipe == RECIPES[0]:
            cpu_ms = cpu
            alone = asked if size.clients == 1 else await _ask_alone(running, asked_for, recipe, report)
    assert alone is not None
    rss_mb, neo4j_rss_mb = running.rss_mb(), store.rss_mb()
    with report.step("appending", size.queries) as step:
        acknowledged = await append(connection, random.Random("append").sample(probes, len(probes)), size.queries, step)
    deletion = await _delete(size, running, connection, probes, report) if size.delete else {}
    return {
        "retrieve_ms": latencies,
        **deletion,
        "append_ack_ms": percentiles(acknowledged),
        "cpu_ms_per_answer": cpu_ms,
        "qps": queries_per_s["hybrid"],
        "qps_by_recipe": queries_per_s,
        "qps_one_client": round(alone.per_second, 1),
        "qps_ratio": round(queries_per_s["hybrid"] / alone.per_second, 2),
        "retrieve_one_client_ms": percentiles(alone.seconds),
        "rss_mb": max(rss_mb, running.rss_mb()),
        "disk_mb": running.disk_mb(),
        "neo4j_rss_mb": None if neo4j_rss_mb is None else max(neo4j_rss_mb, store.rss_mb() or 0),
        "neo4j_disk_mb": store.disk_mb(),
    }


async def _delete(size: Size, running: ServerProcess, connection: Connection, probes: list[Probe], report: Report) -> dict[str, object]:
    """What asking takes before a deletion and while it is under way, one client each, one after the other."""
    with report.step("saying what is deleted", size.delete) as step:
        await say_as(connection, "Somebody who leaves", probes, size.delete, step)
    here = [probe for probe in probes if probe.namespace == probes[0].namespace]
    idle = await _ask_alone(running, here, RECIPES[0], report)
    with report.step("deleting", 1) as step:
        deletion = await delete_while_asking(running.address, connection, "Somebody who leaves", probes, RECIPES[0])
        step.advance()
    before, meanwhile = percentiles(idle.seconds), percentiles(deletion.asked.seconds)
    at_most = [found["p99"] or 0.0 for found in (before, meanwhile)]
    return {
        "deleted_messages": size.delete,
        "delete_s": round(deletion.seconds, 2),
        "retrieve_before_deletion_ms": before,
        "retrieve_while_deleting_ms": meanwhile,
        "answers_while_deleting": len(deletion.asked.seconds),
        "p99_ratio": round(at_most[1] / at_most[0], 2) if at_most[0] else None,
    }


@dataclass(frozen=True, slots=True)
class _Cpu:
    """Seconds of CPU used so far by the service, and by the database where that is a process of its own."""

    service: float
    neo4j: float | None

    @classmethod
    def used(cls, running: ServerProcess, store: StoreUnderTest) -> "_Cpu":
        return cls(running.cpu_s(), store.cpu_s())

    def since(self, before: "_Cpu", answers: int) -> dict[str, object]:
        """Milliseconds an answer."""
        neo4j = None if self.neo4j is None or before.neo4j is None else round(1000 * (self.neo4j - before.neo4j) / answers, 1)
        return {"service": round(1000 * (self.service - before.service) / answers, 1), "neo4j": neo4j}


async def _ask_alone(running: ServerProcess, probes: list[Probe], recipe: str, report: Report) -> Latencies:
    with report.step(f"asking, {recipe}, one client", len(probes)) as step:
        return await ask(running.address, probes, recipe, 1, step)


def _show(figures: dict[str, object], report: Report) -> None:
    latencies = figures["retrieve_ms"]
    assert isinstance(latencies, dict)
    rows = [(recipe, *found.values()) for recipe, found in latencies.items()]
    report.table("Retrieve", ("recipe", "p50 ms", "p95 ms", "p99 ms"), rows)
    report.table("scale", ("figure", "value"), [(name, value) for name, value in figures.items() if name != "retrieve_ms"])
