"""`bench segments`: where segments end, against where the sessions of a conversation do.

The sessions of each conversation are joined to one, with the time left out, so that only what is said can tell where one ends.
"""

import argparse
import asyncio
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path

from bench.dataset import Conversation, read_dataset
from bench.embedding import load_embedder
from bench.extraction.speed import messages_of
from bench.report import BenchError, Report
from bench.segments.agreement import Agreement, agreement
from extract.compress import TurnReader
from extract.compress.choosing import RATES
from extract.compress.llmlingua import LlmLinguaCompressor
from extract.embed import Embedder
from extract.segment import Segmentation, SegmentRecipe, segment, segment_as_read
from extract.sentence_models import ExtraMissing, ModelMissing
from graph.model import Message
from graph.store.port import Float16Vector
from graph.text import index_message

HELP = "Compares segments with the sessions of conversations whose sessions are joined, for each way of segmentation: F1 and Pk."
_BLOCKS = (1, 2, 3)
_DEPTHS = (0.4, 0.6, 0.7, 0.8, 0.9, 1.0, 1.2)


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The options of this subcommand."""
    parser.add_argument("--data", type=Path, required=True, help="conversations in the benchmark format")
    parser.add_argument("--tokens", type=int, default=0, help="tokens that end a segment, as sensory_buffer_tokens (default: words do)")
    parser.add_argument("--model", default="", help="LLMLingua-2 model, a directory or a name on the hub: cuts by its attention as well")
    parser.add_argument(
        "--tune", action="store_true", help="also cut each conversation by the block and depth that are best for the others"
    )
    parser.add_argument("--json", action="store_true", help="print one JSON object and nothing else")


@dataclass(frozen=True, slots=True)
class Joined:
    """A conversation as of one session, the lengths of the sessions that it had, and the vectors of its messages by id."""

    messages: list[Message]
    sessions: list[int]
    vectors: dict[str, Float16Vector]

    def agreement(self, recipe: SegmentRecipe) -> Agreement:
        """Of the segments with the sessions."""
        found = segment(self.messages, self.vectors, {len(self.messages)}, recipe)
        return agreement([len(run) for run in found.closed], self.sessions)


def run(parsed: argparse.Namespace) -> int:
    """Embeds the messages, cuts them in each way and compares."""
    if parsed.tokens < 0:
        raise BenchError("--tokens: must not be negative")
    report = Report(parsed.json)
    dataset = read_dataset(parsed.data)
    if parsed.tune and len(dataset.conversations) < 2:
        raise BenchError("--tune: needs two conversations at least")
    reader = _reader(parsed.model) if parsed.model else None
    conversations = asyncio.run(_embedded(load_embedder(), dataset.conversations, report))
    recipe = SegmentRecipe(most_tokens=parsed.tokens)
    figures: dict[str, dict[str, float]] = {}
    for way in (Segmentation.SIMILARITY, Segmentation.NONE):
        figures[way.value] = _sum(one.agreement(replace(recipe, by=way)) for one in conversations).figures()
    if reader is not None:
        way = Segmentation.ATTENTION_AND_SIMILARITY
        figures[way.value] = asyncio.run(_by_attention(conversations, replace(recipe, by=way), reader, report)).figures()
        reader.close()
    if parsed.tune:
        figures["similarity, tuned on the others"] = _tuned(conversations, recipe, report).figures()
    sessions = sum(len(one.sessions) for one in conversations)
    columns = ("segmentation", "segments", "precision", "recall", "F1", "Pk")
    report.table(f"{dataset.name}: {sessions} sessions", columns, [_row(*one) for one in figures.items()])
    report.result({"dataset": dataset.name, "sessions": sessions, "segmentation": figures})
    return 0


def _reader(model: str) -> LlmLinguaCompressor:
    try:
        # The rate decides what is left of a text, which nobody asks for here.
        return LlmLinguaCompressor(model, RATES[1], attention=True)
    except (ExtraMissing, ModelMissing) as error:
        raise BenchError(f"--model: {error}") from None


async def _by_attention(conversations: list[Joined], recipe: SegmentRecipe, reader: TurnReader, report: Report) -> Agreement:
    total = Agreement()
    with report.step("reading", len(conversations)) as step:
        for one in conversations:
            found = await segment_as_read(one.messages, one.vectors, {len(one.messages)}, recipe, reader)
            total += agreement([len(run) for run in found.closed], one.sessions)
            step.advance()
    return total


def _tuned(conversations: list[Joined], recipe: SegmentRecipe, report: Report) -> Agreement:
    """Cuts each conversation by the block and depth whose F1 is best over all the others."""
    choices = [replace(recipe, block=block, depth=depth) for block in _BLOCKS for depth in _DEPTHS]
    found: dict[SegmentRecipe, list[Agreement]] = {}
    with report.step("tuning", len(choices)) as step:
        for choice in choices:
            found[choice] = [one.agreement(choice) for one in conversations]
            step.advance()

    def without(left_out: int, choice: SegmentRecipe) -> float:
        return _sum(one for place, one in enumerate(found[choice]) if place != left_out).figures()["f1"]

    best = [max(choices, key=partial(without, place)) for place in range(len(conversations))]
    return _sum(found[choice][place] for place, choice in enumerate(best))


def _sum(parts: Iterable[Agreement]) -> Agreement:
    return sum(parts, Agreement())


def _row(way: str, figures: dict[str, float]) -> tuple[object, ...]:
    return way, int(figures["segments"]), *(f"{figures[name]:.1f}" for name in ("precision", "recall", "f1", "pk"))


def _joined(conversation: Conversation) -> list[Message]:
    """The messages of a conversation as of one session in which no time passes."""
    messages = [message for session in messages_of([conversation]) for message in session]
    return [replace(one, seq=seq, session="joined", sent_at=messages[0].sent_at) for seq, one in enumerate(messages, 1)]


async def _embedded(embedder: Embedder, conversations: Sequence[Conversation], report: Report) -> list[Joined]:
    """The conversations with the vector of each message's first passage, as the service has it."""
    found = []
    with report.step("embedding", len(conversations)) as step:
        for conversation in conversations:
            messages = _joined(conversation)
            vectors = await embedder.embed([index_message(message).passages[0].text for message in messages])
            sessions = [len(session.messages) for session in conversation.sessions if session.messages]
            found.append(Joined(messages, sessions, {message.id: vector for message, vector in zip(messages, vectors, strict=True)}))
            step.advance()
    return found
