"""`bench retrieval`: the real pipeline and the real Retrieve on questions whose evidence is known, beside a naive baseline."""

import argparse
import asyncio
import contextlib
from pathlib import Path

from bench.baseline import NAME as BASELINE
from bench.baseline import ask_baseline
from bench.connection import Connection
from bench.counting import summary
from bench.dataset import Dataset, read_dataset
from bench.embedding import EmbeddingSpeed, load_embedder, measure_embedding, texts_of
from bench.ingest import Ingested, consolidate, ingest, namespace_of, usage
from bench.percentiles import percentiles
from bench.questions import Answers, ContextAsked, ask
from bench.recording import recorded_facts
from bench.report import BenchError, Report
from bench.server import server
from bench.stores import StoreUnderTest, add_store_arguments, chosen_store, own_namespaces

HELP = "ask the questions of a data set and count the evidence found"
# What BuildContext takes.
MIN_TOKENS, MAX_TOKENS = 16, 100_000
RECIPES = ("hybrid", "lexical", "dense", "graph")


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The flags of this benchmark."""
    parser.add_argument("--data", type=Path, required=True, metavar="FILE", help="conversations and questions in the neutral format")
    parser.add_argument("--recipe", action="append", choices=RECIPES, help="a recipe to measure; may be given again; default: all")
    parser.add_argument("--extractor", choices=("local", "recorded"), default="local", help="who extracts facts (default: local)")
    parser.add_argument(
        "--context", type=int, default=0, metavar="N", help="count the evidence inside a context of N tokens, too (16 to 100,000)"
    )
    parser.add_argument("--summaries", type=int, default=0, metavar="N", help="put N summaries into that context, too (default: none)")
    parser.add_argument("--profile", action="store_true", help="let that context begin with the profile")
    add_store_arguments(parser)
    parser.add_argument("--json", action="store_true", help="print one JSON object and nothing else")


def run(arguments: argparse.Namespace) -> int:
    """Runs the benchmark."""
    dataset = read_dataset(arguments.data)
    if arguments.extractor == "recorded" and not any(conversation.facts for conversation in dataset.conversations):
        raise BenchError(f"{arguments.data} holds no facts to replay")
    if arguments.context and not MIN_TOKENS <= arguments.context <= MAX_TOKENS:
        raise BenchError(f"--context must be from {MIN_TOKENS} to {MAX_TOKENS:,}")
    if (arguments.summaries or arguments.profile) and not arguments.context:
        raise BenchError("--summaries and --profile are for a context: give --context N, too")
    recipes = tuple(dict.fromkeys(arguments.recipe or RECIPES))
    report = Report(arguments.json)
    with chosen_store(arguments) as store:
        figures = asyncio.run(_measure(dataset, recipes, arguments, store, report))
    _show(figures, report)
    report.result(figures)
    return 0


async def _measure(
    dataset: Dataset, recipes: tuple[str, ...], arguments: argparse.Namespace, store: StoreUnderTest, report: Report
) -> dict[str, object]:
    extractor: str = arguments.extractor
    answers: dict[str, Answers] = {}
    async with contextlib.AsyncExitStack() as stack:
        settings: dict[str, object] = {"extractor": extractor, **store.settings}
        if extractor == "recorded":
            settings["recorded_file"] = stack.enter_context(recorded_facts(dataset))
        running = await stack.enter_async_context(server(settings))
        connection = await stack.enter_async_context(Connection(running.address))
        await stack.enter_async_context(own_namespaces(connection, store, list(map(namespace_of, dataset.conversations))))
        ingested = await ingest(connection, dataset, report)
        context = ContextAsked(arguments.context, arguments.summaries, arguments.profile)
        if context.summaries or context.profile:
            await consolidate(connection, dataset, report)
        for recipe in recipes:
            answers[recipe] = await ask(connection, dataset, ingested, recipe, report, context)
        served = {"ready_s": round(running.ready_s, 2), "rss_mb": running.rss_mb(), "neo4j_rss_mb": store.rss_mb()}
        spent = await usage(connection, dataset)
        texts = await texts_of(connection, dataset)
    # The server has ended: what runs from here on has the machine to itself.
    embedder = load_embedder()
    alone = await measure_embedding(embedder, texts)
    answers[BASELINE] = await ask_baseline(dataset, embedder, report)
    llm = [entry for entry in spent if entry.step not in ("embed", "compress") and entry.prompt_tokens]
    return {
        "dataset": dataset.name,
        "store": store.name,
        "extractor": extractor,
        "questions": sum(question.counted for conversation in dataset.conversations for question in conversation.questions),
        "recipes": {name: {**summary(found.judgements), "latency_ms": percentiles(found.seconds)} for name, found in answers.items()},
        "ingest": _ingest_figures(ingested, alone),
        "append_ack_ms": percentiles(ingested.ack_seconds, (50, 99)),
        "server": served,
        "llm": {
            "calls": sum(entry.calls for entry in llm),
            "prompt_tokens": sum(entry.prompt_tokens for entry in llm),
            "completion_tokens": sum(entry.completion_tokens for entry in llm),
        },
    }


def _ingest_figures(ingested: Ingested, alone: EmbeddingSpeed) -> dict[str, object]:
    rate = ingested.texts_embedded / ingested.seconds
    return {
        "messages": ingested.messages,
        "seconds": round(ingested.seconds, 2),
        "messages_per_s": round(ingested.messages / ingested.seconds, 1),
        "embedder_texts": ingested.texts_embedded,
        "embedder_texts_per_s": round(rate, 1),
        "embedder_alone_texts": alone.texts,
        "embedder_alone_texts_per_s": round(alone.texts_per_s, 1),
        "embedder_ratio": round(rate / alone.texts_per_s, 3),
    }


def _show(figures: dict[str, object], report: Report) -> None:
    recipes = figures["recipes"]
    assert isinstance(recipes, dict)
    measures = list(next(iter(recipes.values()))["overall"])
    title = f"{figures['dataset']}: {figures['questions']} questions, extractor {figures['extractor']}"
    report.table(
        title,
        ("recipe", *measures),
        [(name, *(found["overall"].get(measure, "") for measure in measures)) for name, found in recipes.items()],
    )
    categories = sorted({category for found in recipes.values() for category in found["by_category"]})
    rows = [
        (name, *(found["by_category"].get(category, {}).get("recall@10") for category in categories)) for name, found in recipes.items()
    ]
    report.table("recall@10 by category", ("recipe", *categories), rows)
    rows = [(name, *found["latency_ms"].values()) for name, found in recipes.items()]
    report.table("Retrieve", ("recipe", "p50 ms", "p95 ms", "p99 ms"), rows)
    for part in ("ingest", "append_ack_ms", "server", "llm"):
        values = figures[part]
        assert isinstance(values, dict)
        report.table(part, ("figure", "value"), list(values.items()))
