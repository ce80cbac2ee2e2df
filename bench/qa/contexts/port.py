"""What the run asks of a system."""

from dataclasses import dataclass
from typing import Protocol

from bench.dataset import Conversation, Question


@dataclass(frozen=True, slots=True)
class Context:
    """The text for one question. `memories`, `summaries`: how many it holds. `seconds`: what finding them took."""

    text: str
    memories: int
    seconds: float
    summaries: int = 0


class Prepared(Protocol):
    """One conversation, ready to be asked about."""

    async def context(self, question: Question) -> Context:
        """What the model is given for a question."""
        ...


class ContextSource(Protocol):
    """One system."""

    async def prepare(self, conversation: Conversation) -> Prepared:
        """Takes the conversation in. What was taken in before, by a run that broke off, is not taken in again."""
        ...
