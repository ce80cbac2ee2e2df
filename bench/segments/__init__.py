"""`bench segments`: where segments end, against where the sessions of a conversation do.

The sessions of each conversation are joined to one, with the time left out, so that only what is said can tell where one ends.
"""

import argparse
import asyncio
from dataclasses import replace
from pathlib import Path

from bench.dataset import Conversation, read_dataset
from bench.embedding import load_embedder
from bench.extraction.speed import messages_of
from bench.report import BenchError, Report
from bench.segments.agreement import Agreement, agreement
from extract.embed import Embedder
from extract.segment import Segmentation, SegmentRecipe, segment
from graph.model import Message
from graph.store.port import Float16Vector
from graph.text import index_message

HELP = "Compares segments with the sessions of conversations whose sessions are joined, for each way of segmentation: F1 and Pk."


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The options of this subcommand."""
    parser.add_argument("--data", type=Path, required=True, help="conversations in the benchmark format")
    parser.add_argument("--tokens", type=int, default=0, help="tokens that end a segment, as sensory_buffer_tokens (default: words do)")
    parser.add_argument("--json", action="store_true", help="print one JSON object and nothing else")


def run(parsed: argparse.Namespace) -> int:
    """Embeds the messages, cuts them in each way and compares."""
    if parsed.tokens < 0:
        raise BenchError("--tokens: must not be negative")
    report = Report(parsed.json)
    dataset = read_dataset(parsed.data)
    joined = [(_joined(one), [len(session.messages) for session in one.sessions if session.messages]) for one in dataset.conversations]
    vectors = asyncio.run(_vectors(load_embedder(), [messages for messages, _ in joined], report))
    figures: dict[str, dict[str, float]] = {}
    for way in Segmentation:
        recipe = SegmentRecipe(most_tokens=parsed.tokens, by=way)
        total = Agreement()
        for (messages, sessions), known in zip(joined, vectors, strict=True):
            found = segment(messages, known, {len(messages)}, recipe)
            total += agreement([len(run) for run in found.closed], sessions)
        figures[way.value] = total.figures()
    columns = ("segmentation", "segments", "precision", "recall", "F1", "Pk")
    report.table(
        f"{dataset.name}: {sum(len(sessions) for _, sessions in joined)} sessions", columns, [_row(*one) for one in figures.items()]
    )
    report.result({"dataset": dataset.name, "sessions": sum(len(sessions) for _, sessions in joined), "segmentation": figures})
    return 0


def _row(way: str, figures: dict[str, float]) -> tuple[object, ...]:
    return way, int(figures["segments"]), *(f"{figures[name]:.1f}" for name in ("precision", "recall", "f1", "pk"))


def _joined(conversation: Conversation) -> list[Message]:
    """The messages of a conversation as of one session in which no time passes."""
    messages = [message for session in messages_of([conversation]) for message in session]
    return [replace(one, seq=seq, session="joined", sent_at=messages[0].sent_at) for seq, one in enumerate(messages, 1)]


async def _vectors(embedder: Embedder, conversations: list[list[Message]], report: Report) -> list[dict[str, Float16Vector]]:
    """The vector of each message's first passage, as the service has it, by conversation and id."""
    found = []
    with report.step("embedding", len(conversations)) as step:
        for messages in conversations:
            vectors = await embedder.embed([index_message(message).passages[0].text for message in messages])
            found.append({message.id: vector for message, vector in zip(messages, vectors, strict=True)})
            step.advance()
    return found
