"""`bench economics`: each conversation goes in, is flushed and consolidated, and what the model was asked is counted by step."""

import argparse
import asyncio
import contextlib
from collections.abc import Mapping, Sequence
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

from structmem.v1 import inspection_service_pb2, memory_service_pb2, summary_service_pb2

from bench.connection import DEADLINE_S, Connection
from bench.dataset import Conversation, Dataset, read_dataset
from bench.economics.answers import AnswerLength
from bench.economics.compressing import STEP as COMPRESS
from bench.economics.compressing import compress_step, compressor_of, without_compression
from bench.economics.coverage import coverage
from bench.economics.figures import mean_of, prompt_ratio, show, sums
from bench.economics.model import CountingModel, Heard, Taken, counting_model
from bench.ingest import BULK, batches, message_input, namespace_of
from bench.report import BenchError, Report, Step
from bench.server import server
from bench.stores import StoreUnderTest, add_store_arguments, chosen_store, own_namespaces
from extract.compress import Compressor

HELP = "counts the calls and tokens that the memory of each conversation takes, by step, on a local model of declared answers"
# How much LoCoMo's own annotators wrote down: 2,541 facts of 17 tokens on 5,882 messages, in the file's `facts`.
_MESSAGES_A_FACT = 2.3
_FACT_TOKENS = 17
_MODEL_NAME = "counting"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The options of this subcommand."""
    parser.add_argument("--data", type=Path, required=True, metavar="FILE", help="conversations in the benchmark format")
    parser.add_argument("--conversations", type=int, default=0, metavar="N", help="only the first N conversations (default: all)")
    parser.add_argument(
        "--messages-a-fact", type=float, default=_MESSAGES_A_FACT, metavar="N", help=f"messages for each fact (default: {_MESSAGES_A_FACT})"
    )
    parser.add_argument("--fact-tokens", type=int, default=_FACT_TOKENS, metavar="N", help=f"tokens of its text (default: {_FACT_TOKENS})")
    parser.add_argument(
        "--memories-a-sentence", type=int, default=3, metavar="N", help="events or summaries for each sentence (default: 3)"
    )
    parser.add_argument("--sentence-tokens", type=int, default=30, metavar="N", help="tokens of a summary's sentence (default: 30)")
    parser.add_argument("--extraction-only", action="store_true", help="write no summaries")
    add_store_arguments(parser)
    parser.add_argument("--json", action="store_true", help="print one JSON object and nothing else")


def run(parsed: argparse.Namespace) -> int:
    """Measures and reports; 1 when a message was not covered exactly once."""
    if min(parsed.messages_a_fact, parsed.fact_tokens, parsed.memories_a_sentence, parsed.sentence_tokens) < 1:
        raise BenchError("lengths of answers must be at least 1")
    report = Report(parsed.json)
    dataset = read_dataset(parsed.data)
    dataset = Dataset(dataset.name, dataset.conversations[: parsed.conversations or None])
    length = AnswerLength(parsed.messages_a_fact, parsed.fact_tokens, parsed.memories_a_sentence, parsed.sentence_tokens)
    with chosen_store(parsed) as store:
        found = _measured(dataset, length, store, not parsed.extraction_only, report)
    figures = {"conversations": found, "mean": mean_of(found)}
    show(dataset.name, figures, report)
    report.result({"dataset": dataset.name, "store": store.name, "answers": asdict(length), **figures})
    return 0 if all(_all_covered(one) for one in found) else 1


def _all_covered(one: dict[str, Any]) -> bool:
    return all(covered == one["messages"] for covered in (one["messages_covered"], one.get("uncompressed", one)["messages_covered"]))


def _measured(dataset: Dataset, length: AnswerLength, store: StoreUnderTest, consolidates: bool, report: Report) -> list[dict[str, Any]]:
    """The figures of each conversation; where prompts are compressed, beside those of an extraction without that."""
    compressor = compressor_of(store.settings)
    if compressor is None:
        return asyncio.run(_measure(dataset, length, store, consolidates, report))
    found = asyncio.run(_measure(dataset, length, store, consolidates, report, compressor))
    compressor.close()
    plain_store = replace(store, settings=without_compression(store.settings))
    for one, plain in zip(found, asyncio.run(_measure(dataset, length, plain_store, False, report)), strict=True):
        one["uncompressed"] = {**plain["steps"].get("extraction", sums([])), "messages_covered": plain["messages_covered"]}
        one["prompt_ratio"] = prompt_ratio(one)
    return found


async def _measure(
    dataset: Dataset, length: AnswerLength, store: StoreUnderTest, consolidates: bool, report: Report, compressor: Compressor | None = None
) -> list[dict[str, Any]]:
    async with contextlib.AsyncExitStack() as stack:
        model = await stack.enter_async_context(counting_model(length))
        settings: dict[str, object] = {
            "extractor": "llm",
            "llm_provider": "custom",
            "llm_model": _MODEL_NAME,
            "llm_base_url": model.url,
            "consolidator": "llm" if consolidates else "none",
            # Both are asked for when all is there: what is counted must not depend on how long appending takes.
            "idle_s": 3600,
            "consolidation_idle_s": 3600,
            **store.settings,
        }
        running = await stack.enter_async_context(server(settings))
        connection = await stack.enter_async_context(Connection(running.address))
        names = list(map(namespace_of, dataset.conversations))
        # A Neo4j that is started for both ways of extraction still has them from the first.
        await connection.delete_namespaces(names)
        await stack.enter_async_context(own_namespaces(connection, store, names))
        title = "conversations" if compressor or consolidates else "extraction alone"
        with report.step(title, sum(len(one.messages) for one in dataset.conversations)) as step:
            return [await _figures_of(connection, one, model, consolidates, compressor, step) for one in dataset.conversations]


async def _figures_of(
    connection: Connection, conversation: Conversation, model: CountingModel, consolidates: bool, compressor: Compressor | None, step: Step
) -> dict[str, Any]:
    """Has one conversation remembered, and counts."""
    namespace = namespace_of(conversation)
    for session in conversation.sessions:
        for batch in batches(session.messages, BULK):
            request = memory_service_pb2.AppendMessagesRequest(
                namespace=namespace, session=session.id, messages=map(message_input, batch), create_namespace=True
            )
            await connection.memory.AppendMessages(request, timeout=DEADLINE_S)
    await connection.flush_and_wait(namespace)
    if consolidates:
        asked = summary_service_pb2.ConsolidateSummariesRequest(namespace=namespace)
        await connection.wait_for_job(namespace, (await connection.summaries.ConsolidateSummaries(asked, timeout=DEADLINE_S)).job.id)
    step.advance(len(conversation.messages))
    heard = model.heard()
    usage = await _checked_usage(connection, conversation, heard)
    shown = coverage(conversation, heard.runs, compressed=compressor is not None)
    steps: dict[str, Mapping[str, float]] = {name: sums([taken]) for name, taken in sorted(heard.steps.items())}
    if compressor is not None:
        steps = {COMPRESS: await compress_step(usage, shown.runs, compressor), **steps}
    return {
        "id": conversation.id,
        "messages": len(conversation.messages),
        **sums(list(heard.steps.values())),
        "messages_covered": shown.covered,
        "steps": steps,
    }


async def _checked_usage(connection: Connection, conversation: Conversation, heard: Heard) -> Sequence[inspection_service_pb2.UsageEntry]:
    """What the service says it used; of the model that must be what it was asked. Raises BenchError."""
    request = inspection_service_pb2.GetUsageRequest(namespace=namespace_of(conversation))
    entries = (await connection.inspection.GetUsage(request, timeout=DEADLINE_S)).entries
    told = [Taken(one.calls, one.prompt_tokens, one.completion_tokens) for one in entries if one.model == _MODEL_NAME]
    if sums(told) != sums(list(heard.steps.values())):
        raise BenchError(f"{conversation.id}: the service counts {sums(told)}, the model {sums(list(heard.steps.values()))}")
    return entries
