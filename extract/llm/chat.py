"""What the extractor asks of a language model, and what comes back."""

import hashlib
import json
from collections.abc import AsyncGenerator, Mapping
from dataclasses import dataclass
from typing import Any, Protocol


@dataclass(frozen=True, slots=True)
class Turn:
    """One turn of a conversation with the model: "system", "user" or "assistant"."""

    role: str
    content: str


@dataclass(frozen=True, slots=True)
class ChatRequest:
    """One question. `schema` is the JSON schema of the answer, empty for free text; `most_tokens` limits the answer."""

    model: str
    turns: tuple[Turn, ...]
    schema: Mapping[str, Any]
    most_tokens: int

    @property
    def key(self) -> str:
        """A hash of all that the answer depends on: equal requests have equal keys, on every machine."""
        said = {
            "model": self.model,
            "turns": [[turn.role, turn.content] for turn in self.turns],
            "schema": self.schema,
            "most_tokens": self.most_tokens,
        }
        text = json.dumps(said, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
        return hashlib.sha256(text.encode()).hexdigest()


@dataclass(frozen=True, slots=True)
class ModelUsage:
    """What answers took. `calls` counts every try, `errors` those of them that failed."""

    calls: int = 0
    prompt_tokens: int = 0
    completion_tokens: int = 0
    errors: int = 0

    def __add__(self, other: "ModelUsage") -> "ModelUsage":
        return ModelUsage(
            self.calls + other.calls,
            self.prompt_tokens + other.prompt_tokens,
            self.completion_tokens + other.completion_tokens,
            self.errors + other.errors,
        )


@dataclass(frozen=True, slots=True)
class ChatAnswer:
    """The model's text. `complete` is False where it ran into the limit of tokens; `withheld` where a filter kept it back."""

    text: str
    complete: bool
    spent: ModelUsage
    withheld: bool = False


class ChatUnavailable(Exception):
    """The model cannot be asked now: no connection, too many requests, no right. `reason` is a stable word."""

    def __init__(self, reason: str, spent: ModelUsage) -> None:
        super().__init__(reason)
        self.reason = reason
        self.spent = spent


class RequestTooLarge(Exception):
    """The request is longer than the model can read."""

    def __init__(self, spent: ModelUsage) -> None:
        super().__init__("the request is longer than the model can read")
        self.spent = spent


class Chat(Protocol):
    """A language model that answers in JSON, or in free text where a request has no schema."""

    async def ask(self, request: ChatRequest) -> ChatAnswer:
        """The model's answer. Raises ChatUnavailable or RequestTooLarge."""
        ...

    async def aclose(self) -> None:
        """Lets go of connections and files."""
        ...


class StreamingChat(Chat, Protocol):
    """A language model whose answers can be read while they are written."""

    def stream(self, request: ChatRequest) -> AsyncGenerator[str | ChatAnswer, None]:
        """The text of the answer piece by piece, and at the end the whole of it. Closing it ends the call of the model.

        Raises ChatUnavailable, also after some of the text, or RequestTooLarge.
        """
        ...
