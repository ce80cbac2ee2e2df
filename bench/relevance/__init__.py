"""`bench relevance`: how well relevance tells questions that can be answered from others, and the constants of its model."""

import argparse
import asyncio
import tempfile
from collections.abc import Sequence
from pathlib import Path

from bench.connection import Connection
from bench.dataset import Dataset, read_dataset
from bench.ingest import ingest
from bench.relevance.asking import RankedQuestion, ask
from bench.relevance.judging import at_thresholds, reliability, separation
from bench.relevance.model import cross_validated, fitted
from bench.report import Report
from graph.clock import SystemClock
from graph.retrieval.ranking.relevance import FEATURES
from service.composition import make_embedder, make_store
from service.in_process import in_process
from service.logs import configure_logs
from service.settings import Settings

HELP = "fit the model of relevance and tell questions of other conversations from a conversation's own"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The flags of this benchmark."""
    parser.add_argument(
        "--data", type=Path, action="append", required=True, metavar="FILE", help="as for bench retrieval; may be given again"
    )
    parser.add_argument("--others", type=int, default=160, help="questions of other conversations asked of each (default: 160)")
    parser.add_argument("--json", action="store_true", help="print one JSON object and nothing else")


def run(arguments: argparse.Namespace) -> int:
    """Runs the benchmark."""
    datasets = [read_dataset(path) for path in arguments.data]
    report = Report(arguments.json)
    figures = asyncio.run(_measure(datasets, arguments.others, report))
    _show(figures, report)
    report.result(figures)
    return 0


async def _measure(datasets: Sequence[Dataset], others: int, report: Report) -> dict[str, object]:
    asked: list[RankedQuestion] = []
    with tempfile.TemporaryDirectory(prefix="structmem-bench-") as directory:
        settings = Settings.model_validate({"data_dir": directory, "log_level": "error"})
        configure_logs(settings)
        async with in_process(settings) as address, Connection(address) as connection:
            ingested = [await ingest(connection, dataset, report) for dataset in datasets]
        # The features are no part of any answer: they are taken where they are computed.
        store, embedder = make_store(settings, SystemClock()), make_embedder(settings)
        await store.open()
        try:
            for dataset, stored in zip(datasets, ingested, strict=True):
                asked += await ask(store, embedder, dataset, stored, others, report)
        finally:
            await store.close()
    judged = cross_validated(asked, report)
    names = [dataset.name for dataset in datasets]
    return {
        "separation": {name: separation([one for one in judged if one.asked.dataset == name]) for name in names},
        "thresholds": {name: at_thresholds([one for one in judged if one.asked.dataset == name]) for name in names},
        "reliability": {name: reliability([one for one in judged if one.asked.dataset == name]) for name in names},
        "model": {
            name: [round(float(number), 3) for number in numbers]
            for name, *numbers in zip(("constant", *FEATURES), fitted(asked), fitted(asked, without="cosine"), strict=True)
        },
    }


def _show(figures: dict[str, object], report: Report) -> None:
    for part in ("separation", "thresholds", "reliability"):
        by_dataset = figures[part]
        assert isinstance(by_dataset, dict)
        for name, rows in by_dataset.items():
            columns = tuple(next(iter(rows.values()), {}))
            report.table(f"{part}, {name}", ("", *columns), [(row, *values.values()) for row, values in rows.items()])
    model = figures["model"]
    assert isinstance(model, dict)
    report.table("the model, fitted to all", ("", "with_cosine", "without_cosine"), [(name, *numbers) for name, numbers in model.items()])
