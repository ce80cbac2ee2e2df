"""The command: what is asked of whom, and the tables of what came out."""

import argparse
import asyncio
import contextlib
import hashlib
import shutil
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pydantic import SecretStr

from bench.connection import Connection
from bench.dataset import Conversation, Dataset, Question, read_dataset
from bench.embedding import load_embedder
from bench.ingest import namespace_of
from bench.qa.asking import Asked, Run
from bench.qa.contexts import SERVICE_SYSTEMS, ContextSize, ContextSource, FullContext, NaiveRag, ServiceContexts
from bench.qa.figures import system_figures
from bench.qa.models import ModelChoice, add_model_arguments, choices, opened_model, service_settings
from bench.qa.prompting import fingerprint
from bench.qa.protocol import PROTOCOLS, Protocol, protocol_of
from bench.qa.remembering import Memories, memories_of
from bench.qa.results import Results, opened_results
from bench.qa.tables import show
from bench.recording import recorded_facts
from bench.report import BenchError, Report
from bench.server import server_in
from bench.stores import add_store_arguments, chosen_store, setting
from service.settings import Settings

HELP = "answer the questions of LoCoMo or LongMemEval from what each system remembers, and judge the answers"
SYSTEMS = ("full-context", "naive-rag", *SERVICE_SYSTEMS)
# What StructMem reads; LightMem takes as many.
MEMORIES, SUMMARIES = 60, 5
_MOST_MEMORIES, _MOST_SUMMARIES = 1_000, 50
# Summaries are asked for when all of a conversation is there; as long as the service waits at most for more.
_CONSOLIDATION_IDLE_S = 600


@dataclass(frozen=True, slots=True)
class Options:
    """What a run depends on besides its files."""

    arguments: argparse.Namespace
    dataset: Dataset
    protocol: Protocol
    asked: Asked
    models: tuple[ModelChoice, ModelChoice]
    systems: tuple[str, ...]
    settings: dict[str, object]


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The flags of this benchmark."""
    parser.add_argument("--data", type=Path, required=True, metavar="FILE", help="conversations and questions in the neutral format")
    parser.add_argument(
        "--out", type=Path, required=True, metavar="DIR", help="where answers and verdicts go; a run that broke off goes on"
    )
    parser.add_argument("--system", action="append", choices=SYSTEMS, help="a system to measure; may be given again; default: all")
    parser.add_argument("--protocol", choices=PROTOCOLS, help="how to ask and judge (default: that of the questions' categories)")
    parser.add_argument("--memories", type=int, default=MEMORIES, metavar="N", help=f"memories in a context (default: {MEMORIES})")
    parser.add_argument(
        "--summaries", type=int, default=SUMMARIES, metavar="N", help=f"summaries beside them; 0: none are made (default: {SUMMARIES})"
    )
    parser.add_argument("--questions", type=int, default=0, metavar="N", help="only the first N questions of each category (default: all)")
    parser.add_argument("--save-contexts", action="store_true", help="keep what each answer was made from, too")
    parser.add_argument("--extractor", choices=("local", "recorded", "llm"), default="local", help="who extracts (default: local)")
    parser.add_argument("--consolidator", choices=("local", "llm"), default="local", help="who writes summaries (default: local)")
    add_store_arguments(parser)
    add_model_arguments(parser)
    parser.add_argument("--json", action="store_true", help="print one JSON object and nothing else")


def run(arguments: argparse.Namespace) -> int:
    """Runs the benchmark; 1 when a question has no answer or no verdict in the end."""
    options = _options(arguments)
    report = Report(arguments.json)
    with opened_results(arguments.out, _described(options)) as results:
        asyncio.run(_ask(options, results, report))
        systems = {name: system_figures(results, options.protocol, name, options.asked) for name in options.systems}
    figures = {
        "dataset": options.dataset.name,
        "protocol": options.protocol.name,
        "questions": sum(len(questions) for _, questions in options.asked),
        "models": {choice.role: choice.model for choice in options.models},
        "systems": systems,
    }
    show(figures, report)
    report.result(figures)
    undone = sum(found["unanswered"] + found["unjudged"] for found in systems.values())
    if undone:
        report.note(
            f"{undone} without an answer or a verdict: {arguments.out / 'failures.jsonl'} says why; the same command asks them again"
        )
    return int(undone > 0)


def _options(arguments: argparse.Namespace) -> Options:
    if not 1 <= arguments.memories <= _MOST_MEMORIES:
        raise BenchError(f"--memories: must be from 1 to {_MOST_MEMORIES:,}")
    if not 0 <= arguments.summaries <= _MOST_SUMMARIES:
        raise BenchError(f"--summaries: must be from 0 to {_MOST_SUMMARIES}")
    if arguments.questions < 0:
        raise BenchError("--questions: must be at least 1")
    settings = dict(map(setting, arguments.set))
    dataset = read_dataset(arguments.data)
    if arguments.extractor == "recorded" and not any(conversation.facts for conversation in dataset.conversations):
        raise BenchError(f"{arguments.data} holds no facts to replay")
    twice = [name for name, count in Counter(map(namespace_of, dataset.conversations)).items() if count > 1]
    if twice:
        raise BenchError(f"{arguments.data}: the ids of two conversations are alike as a namespace's name: {twice[0]}")
    protocol = protocol_of(dataset, arguments.protocol or "")
    asked = _asked(dataset, protocol, arguments.questions)
    if not asked:
        raise BenchError(f"{arguments.data} holds no question with an answer that could be judged")
    systems = tuple(dict.fromkeys(arguments.system or SYSTEMS))
    return Options(arguments, dataset, protocol, asked, choices(arguments), systems, settings)


def _asked(dataset: Dataset, protocol: Protocol, most: int) -> Asked:
    """The questions by conversation; of each category the first `most`, or all."""
    counts: Counter[str] = Counter()
    found: list[tuple[Conversation, Sequence[Question]]] = []
    for conversation in dataset.conversations:
        chosen: list[Question] = []
        for question in protocol.asked(conversation.questions):
            counts[question.category] += 1
            if not most or counts[question.category] <= most:
                chosen.append(question)
        if chosen and conversation.messages:
            found.append((conversation, chosen))
    return found


def _described(options: Options) -> dict[str, Any]:
    """What answers and verdicts depend on."""
    given = options.arguments
    answer, judge = options.models
    return {
        "data": hashlib.sha256(given.data.read_bytes()).hexdigest(),
        "protocol": options.protocol.name,
        "prompts": fingerprint(),
        "memories": given.memories,
        "summaries": given.summaries,
        "answer_model": [answer.provider, answer.base_url, answer.model],
        "judge_model": [judge.provider, judge.base_url, judge.model],
        "temperature": given.temperature,
        "reasoning": given.reasoning,
        "most_tokens": given.most_tokens,
        "extractor": given.extractor,
        "consolidator": given.consolidator,
        "store": given.store,
        "settings": {name: value for name, value in options.settings.items() if not _is_secret(name)},
    }


def _is_secret(name: str) -> bool:
    field = Settings.model_fields.get(name)
    return field is not None and field.annotation is SecretStr


async def _ask(options: Options, results: Results, report: Report) -> None:
    given = options.arguments
    async with contextlib.AsyncExitStack() as stack:
        answers, judge = [await stack.enter_async_context(opened_model(choice, given)) for choice in options.models]
        run = Run(options.protocol, answers, judge, results, given.save_contexts)
        unanswered = [name for name in options.systems if run.is_unanswered(name, options.asked)]
        sources: dict[str, ContextSource] = {}
        if "full-context" in unanswered:
            sources["full-context"] = FullContext(options.protocol)
        if "naive-rag" in unanswered:
            sources["naive-rag"] = NaiveRag(options.protocol, load_embedder(), given.memories)
        memories = None
        served = [name for name in unanswered if name in SERVICE_SYSTEMS]
        if served:
            connection = await _service(options, results, stack)
            memories, turn = Memories(connection, results.ingests, results.consolidations), asyncio.Lock()
            size = ContextSize(given.memories, given.summaries)
            for name in served:
                sources[name] = ServiceContexts(name, options.protocol, connection, memories, size, turn)
        total = len(options.systems) * sum(len(questions) for _, questions in options.asked)
        with report.step("asking", total) as step:
            await run.ask(options.systems, sources, options.asked, memories, given.concurrency, step)
    if not any(run.is_unanswered(name, options.asked) for name in served):
        shutil.rmtree(results.service, ignore_errors=True)


async def _service(options: Options, results: Results, stack: contextlib.AsyncExitStack) -> Connection:
    """A connection to the service, which runs as long as the stack is open."""
    given = options.arguments
    settings: dict[str, object] = {
        "extractor": given.extractor,
        "consolidator": given.consolidator if given.summaries else "none",
        "consolidation_idle_s": _CONSOLIDATION_IDLE_S,
    }
    if "llm" in settings.values():
        settings |= service_settings(options.models[0], given)
    if given.extractor == "recorded":
        settings["recorded_file"] = stack.enter_context(recorded_facts(options.dataset, memories_of))
    # A store that was there before keeps what a run that breaks off has put there, for the next one to go on.
    settings |= stack.enter_context(chosen_store(given)).settings
    running = await stack.enter_async_context(server_in(results.service, settings))
    return await stack.enter_async_context(Connection(running.address))
