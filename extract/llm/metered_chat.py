"""Asking a language model in steps, and what each step took."""

from collections.abc import Mapping
from typing import Any

from extract.counted_client import counted
from extract.llm.chat import Chat, ChatAnswer, ChatRequest, ChatUnavailable, ModelUsage, RequestTooLarge, Turn
from extract.llm.settings import LlmSettings
from graph.store.port import UsageEntry


class MeteredChat:
    """The calls of one piece of work, whose answers have one schema. What they took is counted, also where they fail or are given up."""

    def __init__(self, chat: Chat, settings: LlmSettings, schema: Mapping[str, Any]) -> None:
        self._chat = chat
        self._settings = settings
        self._schema = schema
        self._spent: dict[str, ModelUsage] = {}

    async def ask(self, step: str, turns: tuple[Turn, ...]) -> ChatAnswer:
        """The model's answer. `step` is what its calls are counted as. Raises ChatUnavailable or RequestTooLarge."""
        request = ChatRequest(self._settings.model, turns, self._schema, self._settings.output_tokens)
        with counted() as tries:
            try:
                answer = await self._chat.ask(request)
            except (ChatUnavailable, RequestTooLarge) as error:
                self._add(step, error.spent)
                raise
            except BaseException:
                # Cancelled, above all: the call was made, and nobody says what the model had read or written by then.
                self._add(step, ModelUsage(calls=tries[0], errors=tries[0]))
                raise
        self._add(step, answer.spent)
        return answer

    def usage(self, **items: int) -> tuple[UsageEntry, ...]:
        """What all calls took, by step; `items` says of a step how many things it dealt with, 0 where it does not."""
        return tuple(
            UsageEntry(step, self._settings.model, one.calls, items.get(step, 0), one.prompt_tokens, one.completion_tokens, one.errors)
            for step, one in self._spent.items()
            if one.calls
        )

    def _add(self, step: str, spent: ModelUsage) -> None:
        self._spent[step] = self._spent.get(step, ModelUsage()) + spent
