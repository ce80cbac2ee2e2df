"""Answering a question from memories: one call of a language model, whose citations are checked while its answer comes."""

from collections.abc import AsyncGenerator, Iterator, Sequence
from contextlib import aclosing, contextmanager
from dataclasses import dataclass
from datetime import datetime, tzinfo
from enum import Enum

from extract.llm.chat import ChatAnswer, ChatRequest, ChatUnavailable, RequestTooLarge, StreamingChat, Turn
from extract.llm.citations import Citation, CitationReader, RejectedCitation
from extract.llm.metered_chat import CallMeter
from extract.llm.prompting import prompt
from extract.llm.settings import LlmSettings
from extract.llm.transcript import data_line
from extract.metering import record_usage
from graph.errors import InvalidArgument, LanguageModelUnavailable
from graph.retrieval import ContextEntry
from graph.store.port import UsageEntry

# What calls are counted as.
STEP = "answer"


class Ending(Enum):
    """How the text of an answer ended."""

    COMPLETE = 1
    CUT_OFF = 2
    WITHHELD = 3


@dataclass(frozen=True, slots=True)
class Question:
    """What is asked, and the memories to answer from.

    Attributes:
        at: when it is asked, aware.     zone: of its times as the model reads them.
        as_of: the moment that it is to be answered for; None: now.
        before: the last turns of the conversation that the question is a turn of, oldest first.
    """

    text: str
    memories: Sequence[ContextEntry]
    at: datetime
    zone: tzinfo
    as_of: datetime | None = None
    before: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Answer:
    """A text in which "[1]" stands for the first of the citations. `usage` is None where no model was asked."""

    text: str
    citations: tuple[Citation, ...]
    rejected: tuple[RejectedCitation, ...]
    not_in_memory: bool
    ending: Ending
    usage: UsageEntry | None


NOTHING_TO_READ = Answer("", (), (), not_in_memory=True, ending=Ending.COMPLETE, usage=None)


class Answerer:
    """Answers with a language model. What was said reaches it as data; what it cites is held to what it read.

    No exchange is recorded: one rests on any memories, and nothing would find it again when these are deleted.
    """

    def __init__(self, chat: StreamingChat, settings: LlmSettings) -> None:
        self._chat = chat
        self._settings = settings

    async def aclose(self) -> None:
        """Lets go of the model's connections."""
        await self._chat.aclose()

    async def answer(self, question: Question) -> Answer:
        """The answer. Without memories no model is asked. What the call took goes to `record_usage`, also where it fails or is cancelled.

        Raises:
            LanguageModelUnavailable: the model cannot be asked now.
            InvalidArgument: it cannot read so much.
        """
        if not question.memories:
            return NOTHING_TO_READ
        reader, meter = CitationReader(question.memories), CallMeter(self._settings.model)
        with _told(meter), meter.counting(STEP) as answered:
            told = await self._chat.ask(self._request(question))
            answered(told)
        text = reader.read(told.text)
        return _answer(text + reader.end(), reader, told, meter)

    async def stream(self, question: Question) -> AsyncGenerator[str | Answer, None]:
        """The text of the answer as it comes, and then the answer; raises as `answer` does. Closing it ends the call of the model."""
        if not question.memories:
            yield NOTHING_TO_READ
            return
        reader, meter = CitationReader(question.memories), CallMeter(self._settings.model)
        texts: list[str] = []
        told: ChatAnswer | None = None
        with _told(meter), meter.counting(STEP) as answered:
            async with aclosing(self._chat.stream(self._request(question))) as parts:
                async for part in parts:
                    if isinstance(part, ChatAnswer):
                        told = part
                        answered(part)
                    elif text := reader.read(part):
                        texts.append(text)
                        yield text
        assert told is not None
        if text := reader.end():
            texts.append(text)
            yield text
        yield _answer("".join(texts), reader, told, meter)

    def _request(self, question: Question) -> ChatRequest:
        turns = (Turn("system", prompt("answering")), Turn("user", _shown(question)))
        return ChatRequest(self._settings.model, turns, {}, self._settings.output_tokens)


@contextmanager
def _told(meter: CallMeter) -> Iterator[None]:
    """Tells callers of failures in their words, and whoever counts what the call took."""
    answered = 0
    try:
        yield
        answered = 1
    except ChatUnavailable as error:
        raise LanguageModelUnavailable(error.reason) from None
    except RequestTooLarge:
        raise InvalidArgument.of("token_budget", "is more than the language model can read beside the question") from None
    finally:
        for entry in meter.usage(**{STEP: answered}):
            record_usage(entry)


def _answer(text: str, reader: CitationReader, told: ChatAnswer, meter: CallMeter) -> Answer:
    ending = Ending.WITHHELD if told.withheld else Ending.COMPLETE if told.complete else Ending.CUT_OFF
    [usage] = meter.usage(**{STEP: 1})
    return Answer(text, reader.citations, tuple(reader.rejected), reader.not_in_memory, ending, usage)


def _shown(question: Question) -> str:
    """The memories and the question, each on lines that nothing in them can end or forge."""
    lines = [data_line({"n": number, "says": memory.text}) for number, memory in enumerate(question.memories, 1)]
    asked: dict[str, object] = {"asks": question.text, "at": _stamp(question.at, question.zone)}
    if question.before:
        asked["before"] = question.before
    if question.as_of is not None:
        asked["as_of"] = _stamp(question.as_of, question.zone)
    return "\n".join(("<memories>", *lines, "</memories>", "<question>", data_line(asked), "</question>"))


def _stamp(moment: datetime, zone: tzinfo) -> str:
    return moment.astimezone(zone).strftime("%Y-%m-%d %H:%M %A")
