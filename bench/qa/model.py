"""A language model of this benchmark: asked within a limit of calls at once, every call timed and its tokens counted."""

import asyncio
import time
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from bench.report import BenchError
from extract.llm.chat import Chat, ChatAnswer, ChatUnavailable, RequestTooLarge, Turn
from extract.llm.metered_chat import MeteredChat
from extract.llm.settings import LlmSettings

# The client has tried each of these calls several times already.
_MOST_FAILURES = 5


@dataclass(frozen=True, slots=True)
class Spent:
    """What asking took, failed calls included; `seconds` without the wait for others to end."""

    calls: int = 0
    prompt_tokens: int = 0
    completion_tokens: int = 0
    errors: int = 0
    seconds: float = 0.0

    def __add__(self, other: "Spent") -> "Spent":
        return Spent(
            self.calls + other.calls,
            self.prompt_tokens + other.prompt_tokens,
            self.completion_tokens + other.completion_tokens,
            self.errors + other.errors,
            round(self.seconds + other.seconds, 4),
        )


class NoAnswer(Exception):
    """The model gave nothing that can be used. `reason` says why, `raw` is what it said."""

    def __init__(self, reason: str, spent: Spent, raw: str = "") -> None:
        super().__init__(reason)
        self.reason = reason
        self.spent = spent
        self.raw = raw


class Model:
    """One model behind one endpoint."""

    def __init__(self, role: str, chat: Chat, settings: LlmSettings, at_once: int) -> None:
        """`role`: "answer" or "judge", by which messages name it."""
        self.name = settings.model
        self._role = role
        self._chat = chat
        self._settings = settings
        self._free = asyncio.Semaphore(at_once)
        self._failures = 0

    async def ask(self, turns: tuple[Turn, ...], schema: Mapping[str, Any]) -> tuple[ChatAnswer, Spent]:
        """The model's answer, never a blank one; free text with an empty schema.

        Raises:
            NoAnswer: this question got none; another may get one.
            BenchError: the model cannot be asked at all.
        """
        async with self._free:
            metered = MeteredChat(self._chat, self._settings, schema)
            began = time.perf_counter()
            try:
                answer = await metered.ask(self._role, turns)
            except RequestTooLarge:
                raise NoAnswer("the request is longer than the model can read", _spent(metered, began)) from None
            except ChatUnavailable as error:
                raise self._unavailable(error.reason, _spent(metered, began)) from None
            self._failures = 0
            spent = _spent(metered, began)
        if answer.withheld:
            raise NoAnswer("a filter kept the answer back", spent)
        if not answer.text.strip():
            raise NoAnswer("the answer is empty" if answer.complete else "the answer was cut off before it began", spent)
        return answer, spent

    async def aclose(self) -> None:
        """Lets go of connections and files."""
        await self._chat.aclose()

    def _unavailable(self, reason: str, spent: Spent) -> Exception:
        self._failures += 1
        if self._failures >= _MOST_FAILURES or reason in ("status 401", "status 403", "status 404", "connection"):
            hint = "; a server that takes no temperature or effort answers so (--temperature -1)" if reason == "status 400" else ""
            told = f"the {self._role} model {self.name} cannot be asked ({reason}{hint})"
            return BenchError(f"{told}; what is done is kept, the same command goes on from there")
        return NoAnswer(f"the model did not answer ({reason})", spent)


def _spent(metered: MeteredChat, began: float) -> Spent:
    seconds = round(time.perf_counter() - began, 4)
    found = Spent(seconds=seconds)
    for entry in metered.usage():
        found += Spent(entry.calls, entry.prompt_tokens, entry.completion_tokens, entry.errors)
    return found
