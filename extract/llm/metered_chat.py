"""Asking a language model in steps, and what each step took."""

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any

from extract.counted_tries import counted
from extract.llm.chat import Chat, ChatAnswer, ChatRequest, ChatUnavailable, ModelUsage, RequestTooLarge, Turn
from extract.llm.settings import LlmSettings
from graph.store.port import UsageEntry


class CallMeter:
    """What the calls of one piece of work took, by step. Calls count also where they fail or are given up."""

    def __init__(self, model: str) -> None:
        self._model = model
        self._spent: dict[str, ModelUsage] = {}

    @contextmanager
    def counting(self, step: str) -> Iterator[Callable[[ChatAnswer], None]]:
        """Counts the call within as one of this step; the block says by what it is given that there is an answer."""
        answers: list[ChatAnswer] = []
        with counted() as tries:
            try:
                yield answers.append
            except (ChatUnavailable, RequestTooLarge) as error:
                self._add(step, error.spent)
                raise
            except BaseException:
                # Cancelled, above all: the call was made, and nobody says what the model had read or written by then.
                self._add(step, answers[0].spent if answers else ModelUsage(calls=tries[0], errors=tries[0]))
                raise
        for answer in answers:
            self._add(step, answer.spent)

    def usage(self, **items: int) -> tuple[UsageEntry, ...]:
        """What all calls took, by step; `items` says of a step how many things it dealt with, 0 where it does not."""
        return tuple(
            UsageEntry(step, self._model, one.calls, items.get(step, 0), one.prompt_tokens, one.completion_tokens, one.errors)
            for step, one in self._spent.items()
            if one.calls
        )

    def _add(self, step: str, spent: ModelUsage) -> None:
        self._spent[step] = self._spent.get(step, ModelUsage()) + spent


class MeteredChat(CallMeter):
    """The calls of one piece of work, whose answers have one schema."""

    def __init__(self, chat: Chat, settings: LlmSettings, schema: Mapping[str, Any]) -> None:
        super().__init__(settings.model)
        self._chat = chat
        self._settings = settings
        self._schema = schema

    async def ask(self, step: str, turns: tuple[Turn, ...]) -> ChatAnswer:
        """The model's answer. `step` is what its calls are counted as. Raises ChatUnavailable or RequestTooLarge."""
        request = ChatRequest(self._settings.model, turns, self._schema, self._settings.output_tokens)
        with self.counting(step) as answered:
            answer = await self._chat.ask(request)
            answered(answer)
        return answer
