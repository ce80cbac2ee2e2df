"""The command: conversations go through the real service, and answers are judged by what holds."""

import argparse
import asyncio
import contextlib
from collections.abc import Mapping, Sequence
from pathlib import Path

from bench.changes.asking import AS_OF_BY, ask
from bench.changes.counting import Verdict, summary
from bench.changes.questions import KINDS, ChangeQuestion, read_changes
from bench.connection import Connection
from bench.dataset import Dataset
from bench.ingest import ingest, namespace_of
from bench.report import Report
from bench.server import server
from bench.stores import StoreUnderTest, add_store_arguments, chosen_store, own_namespaces

HELP = "ask what holds now, what still holds and what held at a date, in chats in which things change"
CHATS = Path(__file__).parent / "chats.json"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The flags of this benchmark."""
    parser.add_argument("--data", type=Path, default=CHATS, metavar="FILE", help="conversations and questions (default: the project's own)")
    parser.add_argument("--misses", action="store_true", help="also print the questions that were answered wrongly")
    add_store_arguments(parser)
    parser.add_argument("--json", action="store_true", help="print one JSON object and nothing else")


def run(arguments: argparse.Namespace) -> int:
    """Runs the benchmark."""
    dataset, questions = read_changes(arguments.data)
    report = Report(arguments.json)
    with chosen_store(arguments) as store:
        verdicts = asyncio.run(_verdicts(dataset, questions, store, report))
    by_kind = {kind: summary(verdict for verdict in verdicts if verdict.question.kind == kind) for kind in KINDS}
    for kind, figures in by_kind.items():
        _show(kind, figures, report)
    if arguments.misses:
        _show_misses(verdicts, report)
    messages = sum(len(conversation.messages) for conversation in dataset.conversations)
    report.result({"dataset": dataset.name, "store": store.name, "messages": messages, **by_kind, "as_of_by": AS_OF_BY})
    return 0


async def _verdicts(
    dataset: Dataset, questions: Mapping[str, tuple[ChangeQuestion, ...]], store: StoreUnderTest, report: Report
) -> list[Verdict]:
    async with contextlib.AsyncExitStack() as stack:
        running = await stack.enter_async_context(server(store.settings))
        connection = await stack.enter_async_context(Connection(running.address))
        await stack.enter_async_context(own_namespaces(connection, store, list(map(namespace_of, dataset.conversations))))
        ingested = await ingest(connection, dataset, report)
        return await ask(connection, dataset, questions, ingested, report)


def _show(kind: str, figures: Mapping[str, object], report: Report) -> None:
    by_category = figures["by_category"]
    assert isinstance(by_category, dict)
    parts = {"all": figures, **by_category}
    rows = [(name, part["questions"], part["right"], part["found"]) for name, part in parts.items()]
    title = f"{kind} ({AS_OF_BY})" if kind == "as_of" else kind
    report.table(title, ("category", "questions", "right %", "found %"), rows)


def _show_misses(verdicts: Sequence[Verdict], report: Report) -> None:
    for verdict in verdicts:
        if not verdict.right:
            question = verdict.question
            why = "not found" if not verdict.found else "another state came first"
            report.note(f"{question.id}, {question.kind}, {question.category}: {question.text} ({why})")
