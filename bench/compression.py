"""`bench compression`: what is left of conversations, and whether it still holds the answers to their questions.

By chance words are left out as they come: all of them ("chance"), or those that need not stay ("chance, protected").
"""

import argparse
import random
import re
import time
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from bench.dataset import Conversation, read_dataset
from bench.report import Report
from extract.compress import EntropyCompressor
from extract.compress.choosing import choose, compressed, read_texts
from extract.tokens import count_tokens
from graph.text import STOP_WORDS

HELP = (
    "Compresses conversations by self-information and by chance: tokens left, CPU, and the words of answers that survive in their evidence."
)
RATES = (0.4, 0.5, 0.6, 0.7, 0.8)
# As many messages as a segment has where a language model extracts.
_SEGMENT = 20
_WORD = re.compile(r"[^\W_]+")
Compress = Callable[[Sequence[str], Collection[str]], list[str]]


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The options of this subcommand."""
    parser.add_argument("--data", type=Path, required=True, help="conversations in the benchmark format")
    parser.add_argument("--conversations", type=int, default=0, help="only the first N conversations (default: all)")
    parser.add_argument("--json", action="store_true", help="print one JSON object and nothing else")


def run(parsed: argparse.Namespace) -> int:
    """Compresses in each way at each rate and reports."""
    report = Report(parsed.json)
    dataset = read_dataset(parsed.data)
    conversations = dataset.conversations[: parsed.conversations or None]
    figures: list[dict[str, object]] = []
    with report.step("compressing", 3 * len(RATES)) as step:
        for way in ("entropy", "chance, protected", "chance"):
            for rate in RATES:
                found = Survival()
                for conversation in conversations:
                    found += _survival(conversation, _way(way, rate))
                figures.append({"way": way, "rate": rate, **found.figures()})
                step.advance()
    columns = ("way", "rate", "tokens %", "answers %", "CPU ms")
    report.table(f"{dataset.name}: {len(conversations)} conversations", columns, [tuple(one.values()) for one in figures])
    report.result({"dataset": dataset.name, "compression": figures})
    return 0


@dataclass(frozen=True, slots=True)
class Survival:
    """Sums over conversations: tokens before and after, words of answers in their evidence before and after, CPU seconds, messages."""

    before: int = 0
    after: int = 0
    words: int = 0
    survive: int = 0
    cpu: float = 0.0
    messages: int = 0

    def __add__(self, other: "Survival") -> "Survival":
        return Survival(
            self.before + other.before,
            self.after + other.after,
            self.words + other.words,
            self.survive + other.survive,
            self.cpu + other.cpu,
            self.messages + other.messages,
        )

    def figures(self) -> dict[str, float]:
        """Shares in percent and milliseconds a message; 0 where there is nothing to divide by."""
        return {
            "tokens_left": round(100 * self.after / max(1, self.before), 1),
            "answer_words_left": round(100 * self.survive / max(1, self.words), 1),
            "cpu_ms": round(1_000 * self.cpu / max(1, self.messages), 3),
        }


def _way(way: str, rate: float) -> Compress:
    if way == "entropy":
        entropy = EntropyCompressor(rate)
        return entropy.compress_now
    chance = random.Random(1)

    def by_chance(texts: Sequence[str], names: Collection[str]) -> list[str]:
        read = read_texts(texts, names)
        if way == "chance":
            read = [replace(one, stays=(False,) * len(one.words)) for one in read]
        return compressed(read, choose(read, [[chance.random() for _ in one.words] for one in read], rate))

    return by_chance


def _survival(conversation: Conversation, compress: Compress) -> Survival:
    before = {message.id: message.text for message in conversation.messages}
    after: dict[str, str] = {}
    cpu = 0.0
    for session in conversation.sessions:
        for low in range(0, len(session.messages), _SEGMENT):
            part = session.messages[low : low + _SEGMENT]
            names = {message.speaker for message in part if message.role == "user"}
            began = time.thread_time()
            left = compress([message.text for message in part], names)
            cpu += time.thread_time() - began
            after |= {message.id: text for message, text in zip(part, left, strict=True)}
    words = survive = 0
    for question in conversation.questions:
        if question.counted:
            wanted = (_words(question.answer) - STOP_WORDS) & _words_of(before, question.evidence)
            words += len(wanted)
            survive += len(wanted & _words_of(after, question.evidence))
    return Survival(sum(map(count_tokens, before.values())), sum(map(count_tokens, after.values())), words, survive, cpu, len(before))


def _words_of(texts: dict[str, str], ids: Collection[str]) -> set[str]:
    return {word for id_ in ids for word in _words(texts[id_])}


def _words(text: str) -> set[str]:
    return set(_WORD.findall(text.casefold()))
