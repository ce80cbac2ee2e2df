"""The baselines without a memory: all that was said, and the messages that are nearest to the question."""

import asyncio
import time
from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from bench.baseline import text_of
from bench.dataset import ChatMessage, Conversation, Question
from bench.qa.contexts.port import Context
from bench.qa.protocol import Protocol
from extract.embed import Embedder


@dataclass(frozen=True, slots=True)
class FullContext:
    """Everything that was said, in order."""

    protocol: Protocol

    async def prepare(self, conversation: Conversation) -> "_Whole":
        """There is nothing to prepare."""
        return _Whole(self.protocol, conversation)


@dataclass(frozen=True, slots=True)
class _Whole:
    protocol: Protocol
    conversation: Conversation

    async def context(self, question: Question) -> Context:
        seen = seen_by(self.protocol, self.conversation, question)
        return Context(told(seen), len(seen), 0.0)


class NaiveRag:
    """The messages whose vectors are nearest to the question's, by the embedder that the service has by default; told in order of time."""

    def __init__(self, protocol: Protocol, embedder: Embedder, memories: int) -> None:
        self._protocol = protocol
        self._embedder = embedder
        self._memories = memories
        # One at a time, so that what finding takes is what it takes alone.
        self._turn = asyncio.Lock()

    async def prepare(self, conversation: Conversation) -> "_Nearest":
        """Embeds every message."""
        async with self._turn:
            vectors = await self._embedder.embed([text_of(message) for message in conversation.messages])
        return _Nearest(self._protocol, self._embedder, self._memories, self._turn, conversation, vectors.astype(np.float32))


@dataclass(frozen=True, slots=True)
class _Nearest:
    protocol: Protocol
    embedder: Embedder
    memories: int
    turn: asyncio.Lock
    conversation: Conversation
    vectors: NDArray[np.float32]

    async def context(self, question: Question) -> Context:
        async with self.turn:
            began = time.perf_counter()
            nearness = self.vectors @ await self.embedder.embed_query(question.text)
            seen = {message.id for message in seen_by(self.protocol, self.conversation, question)}
            messages = self.conversation.messages
            ranked = [row for row in np.argsort(-nearness, kind="stable") if messages[row].id in seen]
            found = [messages[row] for row in sorted(ranked[: self.memories])]
            return Context(told(found), len(found), time.perf_counter() - began)


def seen_by(protocol: Protocol, conversation: Conversation, question: Question) -> list[ChatMessage]:
    """The messages that count for a question, in their order."""
    if protocol.whole_history:
        return list(conversation.messages)
    seen = conversation.seen_by(question)
    return [message for message in conversation.messages if message.id in seen]


def told(messages: Iterable[ChatMessage]) -> str:
    """One line a message, as the service tells them: when, who, what."""
    return "\n".join(map(_line, messages))


def _line(message: ChatMessage) -> str:
    caption = f" [image: {message.image_caption}]" if message.image_caption else ""
    return f"{message.sent_at:%Y-%m-%d %a %H:%M} {message.speaker}: {' '.join((message.text + caption).split())}"
