"""The benchmark itself: quality on a data set, speed on synthetic messages, or both."""

import argparse
import asyncio
import importlib.util
from pathlib import Path
from typing import Any

from bench.dataset import Dataset, read_dataset
from bench.embedding import load_embedder
from bench.report import BenchError, Report
from bench.stores import StoreUnderTest, add_store_arguments, chosen_store

HELP = "ask Graphiti and ours the same questions on the same Neo4j"
_NEEDED = ("graphiti_core", "httpx")


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The flags of this benchmark."""
    parser.add_argument("--data", type=Path, metavar="FILE", help="compare what is found: a data set in the neutral format, with facts")
    parser.add_argument("--messages", type=int, metavar="N", help="compare the speed on so many synthetic messages, and as many facts")
    parser.add_argument(
        "--groups", type=int, action="append", metavar="M", help="groups to spread them over; may be given again (default: 1)"
    )
    parser.add_argument("--queries", type=int, default=100, metavar="Q", help="queries of the comparison of speed (default: 100)")
    parser.add_argument(
        "--settle", type=float, default=0.0, metavar="S", help="seconds that each has after its first questions (default: 0)"
    )
    add_store_arguments(parser, stores=("neo4j",))
    parser.add_argument("--json", action="store_true", help="print one JSON object and nothing else")


def run(arguments: argparse.Namespace) -> int:
    """Runs the benchmark."""
    if arguments.data is None and arguments.messages is None:
        raise BenchError("--data, --messages or both: there is nothing to compare")
    groups: list[int] = arguments.groups or [1]
    if (arguments.messages is not None and not 1 <= max(groups) <= arguments.messages) or min(groups) < 1 or arguments.queries < 1:
        raise BenchError("--messages: must be at least one for each of --groups; --groups, --queries: must be at least 1")
    if arguments.settle < 0:
        raise BenchError("--settle: must be at least 0")
    dataset = None if arguments.data is None else read_dataset(arguments.data)
    if dataset is not None and not all(conversation.facts for conversation in dataset.conversations):
        raise BenchError(f"{arguments.data}: every conversation needs facts, which are Graphiti's edges")
    missing = [name for name in _NEEDED if importlib.util.find_spec(name) is None]
    if missing:
        raise BenchError(
            f"{', '.join(missing)}: not installed, since only this benchmark needs it: "
            "python -m pip install --constraint .constraints.txt --group peers"
        )
    report = Report(arguments.json)
    with chosen_store(arguments) as store:
        figures = asyncio.run(_measure(dataset, arguments, groups, store, report))
    _show(figures, report)
    report.result(figures)
    return 0


async def _measure(
    dataset: Dataset | None, arguments: argparse.Namespace, groups: list[int], store: StoreUnderTest, report: Report
) -> dict[str, Any]:
    # Here, because they import graphiti-core.
    from bench.peers.graphiti import NAME, RECIPE, VERSION, Graphiti
    from bench.peers.quality import our_quality, peer_quality
    from bench.peers.speed import speed

    embedder = load_embedder()
    figures: dict[str, Any] = {"peer": {"name": NAME, "version": VERSION, "recipe": RECIPE}, "store": store.name}
    if dataset is not None:
        async with Graphiti.connected(store.settings, embedder) as peer:
            theirs = await peer_quality(peer, dataset, embedder, report)
        ours = await our_quality(store, dataset, report)
        figures["quality"] = {"dataset": dataset.name, "structmem": ours, NAME: theirs}
    if arguments.messages is not None:
        messages, queries, settle = arguments.messages, arguments.queries, arguments.settle
        figures["speed"] = [await speed(messages, count, queries, settle, store, embedder, report) for count in groups]
    return figures


def _show(figures: dict[str, Any], report: Report) -> None:
    systems = ("structmem", "graphiti")
    if quality := figures.get("quality"):
        measures = list(quality["structmem"]["overall"])
        rows = [(name, *quality[name]["overall"].values(), quality[name]["latency_ms"]["p50"], quality[name]["load_s"]) for name in systems]
        report.table(quality["dataset"], ("system", *measures, "p50 ms", "load s"), rows)
    for measured in figures.get("speed", ()):
        rows = [(name, measured[name]["load_s"], *measured[name]["retrieve_ms"].values()) for name in systems]
        title = f"{measured['messages']:,} messages, {measured['groups']:,} groups: {measured['times_faster_p50']} times as fast"
        report.table(title, ("system", "load s", "p50 ms", "p95 ms", "p99 ms"), rows)
