"""`bench economics`: each conversation goes in, is flushed and consolidated, and what the model was asked is counted by step."""

import argparse
import asyncio
import contextlib
from dataclasses import asdict
from pathlib import Path
from typing import Any

from structmem.v1 import inspection_service_pb2, memory_service_pb2, summary_service_pb2

from bench.connection import DEADLINE_S, Connection
from bench.dataset import Conversation, Dataset, read_dataset
from bench.economics.answers import AnswerLength
from bench.economics.coverage import covered_once
from bench.economics.model import CountingModel, Heard, Taken, counting_model
from bench.ingest import BULK, batches, message_input, namespace_of
from bench.report import BenchError, Report, Step
from bench.server import server
from bench.stores import StoreUnderTest, add_store_arguments, chosen_store, own_namespaces

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
    conversations = dataset.conversations[: parsed.conversations or None]
    length = AnswerLength(parsed.messages_a_fact, parsed.fact_tokens, parsed.memories_a_sentence, parsed.sentence_tokens)
    with chosen_store(parsed) as store:
        figures = asyncio.run(_measure(Dataset(dataset.name, conversations), length, store, not parsed.extraction_only, report))
    _show(dataset.name, figures, report)
    report.result({"dataset": dataset.name, "store": store.name, "answers": asdict(length), **figures})
    return 0 if all(one["messages_covered"] == one["messages"] for one in figures["conversations"]) else 1


async def _measure(dataset: Dataset, length: AnswerLength, store: StoreUnderTest, consolidates: bool, report: Report) -> dict[str, Any]:
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
        await stack.enter_async_context(own_namespaces(connection, store, names))
        with report.step("conversations", sum(len(one.messages) for one in dataset.conversations)) as step:
            found = [await _figures_of(connection, one, model, consolidates, step) for one in dataset.conversations]
    return {"conversations": found, "mean": _mean(found)}


async def _figures_of(
    connection: Connection, conversation: Conversation, model: CountingModel, consolidates: bool, step: Step
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
    await _check_usage(connection, conversation, heard)
    said = [(message.speaker, message.text) for message in conversation.messages]
    return {
        "id": conversation.id,
        "messages": len(conversation.messages),
        **_sum(list(heard.steps.values())),
        "messages_covered": covered_once(said, heard.messages),
        "steps": {name: _sum([taken]) for name, taken in sorted(heard.steps.items())},
    }


async def _check_usage(connection: Connection, conversation: Conversation, heard: Heard) -> None:
    """What the service says it used must be what the model was asked. Raises BenchError."""
    request = inspection_service_pb2.GetUsageRequest(namespace=namespace_of(conversation))
    entries = (await connection.inspection.GetUsage(request, timeout=DEADLINE_S)).entries
    told = [Taken(one.calls, one.prompt_tokens, one.completion_tokens) for one in entries if one.model == _MODEL_NAME]
    if _sum(told) != _sum(list(heard.steps.values())):
        raise BenchError(f"{conversation.id}: the service counts {_sum(told)}, the model {_sum(list(heard.steps.values()))}")


def _sum(taken: list[Taken]) -> dict[str, int]:
    calls, prompt = sum(one.calls for one in taken), sum(one.prompt_tokens for one in taken)
    completion = sum(one.completion_tokens for one in taken)
    return {"calls": calls, "prompt_tokens": prompt, "completion_tokens": completion, "total_tokens": prompt + completion}


def _mean(found: list[dict[str, Any]]) -> dict[str, Any]:
    names = ("messages", "calls", "prompt_tokens", "completion_tokens", "total_tokens", "messages_covered")
    mean: dict[str, Any] = {name: _mean_of([one[name] for one in found]) for name in names}
    steps = sorted({step for one in found for step in one["steps"]})
    none = _sum([])
    mean["steps"] = {step: {name: _mean_of([one["steps"].get(step, none)[name] for one in found]) for name in none} for step in steps}
    return mean


def _mean_of(values: list[int]) -> float:
    return round(sum(values) / max(1, len(values)), 1)


def _show(name: str, figures: dict[str, Any], report: Report) -> None:
    columns = ("calls", "prompt_tokens", "completion_tokens", "total_tokens")
    rows = [(one["id"], *(one[column] for column in columns), one["messages_covered"], one["messages"]) for one in figures["conversations"]]
    mean = figures["mean"]
    rows += [("mean", *(mean[column] for column in columns), mean["messages_covered"], mean["messages"])]
    report.table(name, ("conversation", "calls", "prompt", "completion", "total", "covered", "messages"), rows)
    steps = [(step, *(taken[column] for column in columns)) for step, taken in mean["steps"].items()]
    report.table("mean by step", ("step", "calls", "prompt", "completion", "total"), steps)
