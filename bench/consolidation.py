"""Consolidation by rules: what it takes, and whether threads hold together what belongs together."""

import argparse
import asyncio
import time
from collections import Counter
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from itertools import combinations
from pathlib import Path

from bench.consolidation_job import job_cpu
from bench.dataset import Conversation, Dataset, read_dataset
from bench.embedding import load_embedder
from bench.report import Report
from extract.consolidate.composing import background_of, source_of_event, source_of_summary, summary_of_draft, thread_item
from extract.consolidate.local.consolidator import profile_summary, thread_summary, window_summary
from extract.consolidate.port import SourceGroup, SummaryDraft
from extract.consolidate.threads import ThreadItem, ThreadMembers, changed_threads
from extract.consolidate.windows import windows_of
from extract.embed import Embedder
from extract.local.extractor import extract_segment
from extract.port import Segment
from extract.resolve import ResolvedExtraction, resolve
from graph.model import ExtractionMode, Message, Role, Summary, SummaryLevel, UuidSource
from graph.text import index_message

HELP = "consolidates conversations by rules: CPU beside that of embedding, and how threads agree with the evidence of questions"
# New windows come so many at once.
_BATCH = 5


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The options of the subcommand."""
    parser.add_argument("--data", type=Path, required=True, action="append", help="a file in the benchmark format; may be given again")
    parser.add_argument("--conversations", type=int, default=0, help="only the first N conversations of each file (default: all)")
    parser.add_argument("--json", action="store_true", help="print one JSON object and nothing else")


def run(arguments: argparse.Namespace) -> int:
    """Measures each file and reports."""
    report = Report(arguments.json)
    figures = {}
    for path in arguments.data:
        dataset = read_dataset(path)
        figures[dataset.name] = asyncio.run(_measure(dataset, arguments.conversations or len(dataset.conversations), report))
    for name, found in figures.items():
        report.table(name, ("figure", "value"), list(found.items()))
    report.result(figures)
    return 0


@dataclass(slots=True)
class Totals:
    """Sums over conversations. `cpu` is in seconds, by step."""

    counts: Counter[str] = field(default_factory=Counter)
    cpu: dict[str, float] = field(default_factory=dict)

    def figures(self) -> dict[str, float]:
        """What is reported: counts, CPU a message in ms, and shares of pairs in percent.

        `cpu_ms_job` is all of it as the service does it, with the search for seeds, the summaries' own vectors and the writes; the steps
        before it are of pure code alone.
        """
        counts, messages = self.counts, max(1, self.counts["messages"])
        shown: dict[str, float] = {
            name: counts[name] for name in ("messages", "events", "windows", "sentences", "threads", "evidence_pairs", "any_pairs")
        }
        shown |= {f"cpu_ms_{step}": 1_000 * spent / messages for step, spent in self.cpu.items()}
        shown["evidence_together"] = 100 * counts["evidence_together"] / max(1, counts["evidence_pairs"])
        shown["any_together"] = 100 * counts["any_together"] / max(1, counts["any_pairs"])
        return shown

    async def timed(self, step: str, work: Callable[[], Awaitable[None]]) -> None:
        """Adds the CPU time of the work, of all threads, to the step."""
        began = time.process_time()
        await work()
        self.cpu[step] = self.cpu.get(step, 0.0) + time.process_time() - began


async def _measure(dataset: Dataset, limit: int, report: Report) -> dict[str, float]:
    totals, embedder = Totals(), load_embedder()
    await embedder.embed(["the first call pays for what is set up lazily"])
    with report.step(dataset.name, limit) as step:
        for conversation in dataset.conversations[:limit]:
            await _consolidate(conversation, embedder, totals)
            step.advance()
    return totals.figures()


async def _consolidate(conversation: Conversation, embedder: Embedder, totals: Totals) -> None:
    passages = []
    extracted = []
    for session in conversation.sessions:
        messages = tuple(
            Message(one.id, session.id, seq, one.speaker, Role[one.role.upper()], one.text, one.sent_at, one.sent_at)
            for seq, one in enumerate(session.messages, 1)
        )
        passages += [passage.text for message in messages for passage in index_message(message).passages]
        totals.counts["messages"] += len(messages)
        segment = Segment("bench", session.id, (), messages, UTC)
        extracted.append(resolve(extract_segment(segment, ExtractionMode.EVENT), segment, 1, UuidSource(), datetime.now(UTC)))

    async def embed() -> None:
        await embedder.embed(passages)

    await totals.timed("embed_messages", embed)
    groups = await _groups(extracted, embedder)
    summaries: dict[str, Summary] = {}

    async def windows() -> None:
        for id_, (session, group) in groups.items():
            summaries[id_] = _summary(id_, SummaryLevel.WINDOW, window_summary(group), group, [session])

    await totals.timed("windows", windows)
    threads: dict[str, tuple[str, ...]] = {}

    rows = await embedder.embed([summary.text for summary in summaries.values()])

    async def assign() -> None:
        parts = zip(summaries.values(), rows, strict=True)
        threads.update(_threads([thread_item(summary, row) for summary, row in parts]))

    await totals.timed("threads", assign)

    async def above() -> None:
        background = background_of(summaries.values())
        sources = {id_: source_of_summary(summary) for id_, summary in summaries.items()}
        made = []
        for id_, members in threads.items():
            group = SourceGroup(tuple(sorted((sources[one] for one in members), key=lambda one: one.said_from)), background=background)
            made.append(source_of_summary(_summary(id_, SummaryLevel.THREAD, thread_summary(group), group)))
        if made:
            profile_summary(SourceGroup(tuple(sorted(made, key=lambda one: one.said_to))))

    await totals.timed("summaries_above", above)
    totals.cpu["job"] = totals.cpu.get("job", 0.0) + await job_cpu(conversation, embedder)
    totals.counts.update(windows=len(groups), threads=len(threads), sentences=sum(len(one.sentences) for one in summaries.values()))
    totals.counts["events"] += sum(len(one.events) for one in extracted)
    totals.counts.update(pairs_together(conversation, {one: groups[one][0] for one in groups}, threads))


def _summary(id_: str, level: SummaryLevel, draft: SummaryDraft, group: SourceGroup, sessions: Sequence[str] = ()) -> Summary:
    return summary_of_draft(id_, level, draft, group.sources, sessions, (datetime.now(UTC), "bench", 1))


async def _groups(extracted: list[ResolvedExtraction], embedder: Embedder) -> dict[str, tuple[str, SourceGroup]]:
    """The windows by an id, each with its session."""
    statements = {statement.id: statement for one in extracted for statement in one.statements}
    rows = await embedder.embed([statement.text for statement in statements.values()])
    vectors = dict(zip(statements, rows, strict=True))
    found = windows_of([event for one in extracted for event in one.events])
    return {
        f"window {number:06d}": (
            window.session,
            SourceGroup(
                tuple(source_of_event(event, [statements[one] for one in event.statement_ids], vectors) for event in window.events)
            ),
        )
        for number, window in enumerate(found)
    }


def _threads(items: list[ThreadItem]) -> dict[str, tuple[str, ...]]:
    """The threads after all windows came, some at once, in the order of time."""
    by_id = {item.id: item for item in items}
    threads: dict[str, tuple[str, ...]] = {}
    count = 0
    for start in range(0, len(items), _BATCH):
        known = [ThreadMembers(id_, tuple(by_id[one] for one in members)) for id_, members in sorted(threads.items())]
        for change in changed_threads(known, items[start : start + _BATCH]):
            for gone in change.absorbed:
                del threads[gone]
            count += not change.id
            threads[change.id or f"thread {count:06d}"] = change.item_ids
    return threads


def pairs_together(conversation: Conversation, session_of: dict[str, str], threads: dict[str, tuple[str, ...]]) -> dict[str, int]:
    """Pairs of sessions that share a thread: of a question's own session and one that holds evidence for it, and of any two.

    No label of a project is needed, and none is looked at. Sessions of which nothing was extracted are in no thread.
    """
    of_session: dict[str, set[str]] = {session.id: set() for session in conversation.sessions}
    for thread, members in threads.items():
        for window in members:
            of_session[session_of[window]].add(thread)
    home = {message.id: session.id for session in conversation.sessions for message in session.messages}
    linked = {
        frozenset((question.session, home[evidence]))
        for question in conversation.questions
        if question.counted and question.session in of_session
        for evidence in question.evidence
        if home[evidence] != question.session
    }
    every = list(combinations(of_session, 2))
    return {
        "evidence_pairs": len(linked),
        "evidence_together": sum(bool(set.intersection(*(of_session[one] for one in pair))) for pair in linked),
        "any_pairs": len(every),
        "any_together": sum(bool(of_session[first] & of_session[second]) for first, second in every),
    }
