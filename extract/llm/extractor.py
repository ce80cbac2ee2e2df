"""The `llm` extractor: facts and relations, entities, times and causes of a segment in one call of a language model."""

import asyncio
import hashlib
import json
import logging
from collections.abc import Sequence
from dataclasses import replace

from extract.compress import Compressor
from extract.llm.answer import Checks, answer_schema, predicates_of, types_of
from extract.llm.chat import Chat, ChatAnswer, ChatUnavailable, RequestTooLarge, Turn
from extract.llm.compressing import compressed_segment
from extract.llm.drafts import DraftBuilder, joined, seqs_in_words
from extract.llm.metered_chat import MeteredChat
from extract.llm.prompting import PROMPT_VERSION, prompt, system_prompt
from extract.llm.reading import Problem, Reading, problems_in_words, read_answer
from extract.llm.settings import LlmSettings
from extract.llm.transcript import Transcript, halves, is_longer, transcript_of
from extract.metering import record_usage
from extract.port import Extraction, ExtractorUnavailable, Segment
from graph.model import NO_PROFILE, ExtractionMode, ExtractorSpec, JobError, Message
from graph.store.port import UsageEntry

_log = logging.getLogger(__name__)
# Raised with any change of how answers are read or turned into drafts, so that namespaces are extracted anew.
_VERSION = 1
_PROMPTS = ("event", "flat", "json", "repair", "again")
_PROMPT_OF_COMPRESSED = "compressed"


class LlmExtractor:
    """Implements `extract.port.Extractor` with a language model. What was said reaches it as data; what it says is checked item by item."""

    def __init__(
        self, chat: Chat, settings: LlmSettings, mode: ExtractionMode = ExtractionMode.EVENT, compressor: Compressor | None = None
    ) -> None:
        """`mode`: EVENT or FLAT. `compressor`: what leaves words out of the texts that the model reads; None leaves them whole."""
        if mode is ExtractionMode.OFF:
            raise ValueError("an extractor extracts")
        self._chat = chat
        self._settings = settings
        self._mode = mode
        self._compressor = compressor
        self._spec = ExtractorSpec("llm", _fingerprint(settings, mode, compressor), mode)

    @property
    def spec(self) -> ExtractorSpec:
        """The fingerprint is that of the prompts, the schema, the provider's name and the model's, and of the compression if any."""
        return self._spec

    async def aclose(self) -> None:
        """Lets go of the model's connections and files, and of the compressor."""
        await self._chat.aclose()
        if self._compressor is not None:
            await asyncio.to_thread(self._compressor.close)

    async def extract(self, segment: Segment) -> Extraction:
        """The events of the segment. Raises ExtractorUnavailable when the model cannot be asked now."""
        reading = _SegmentReading(self._chat, self._settings, self._mode, segment, self._compressor)
        try:
            found = await reading.read_all()
        except BaseException as error:
            for entry in reading.usage(0):
                record_usage(entry)
            if not isinstance(error, ChatUnavailable):
                raise
            _log.warning("the language model could not be asked", extra={"reason": error.reason, "namespace": segment.namespace})
            raise ExtractorUnavailable(error.reason) from None
        return replace(joined(found), usage=reading.usage(len(segment.own)))


def llm_extractors(chat: Chat, settings: LlmSettings, compressor: Compressor | None = None) -> dict[ExtractionMode, LlmExtractor]:
    """One for each mode that extracts, on one model, as the pipeline asks for them."""
    return {mode: LlmExtractor(chat, settings, mode, compressor) for mode in (ExtractionMode.EVENT, ExtractionMode.FLAT)}


class _SegmentReading:
    """The work on one segment, with what it takes."""

    def __init__(self, chat: Chat, settings: LlmSettings, mode: ExtractionMode, segment: Segment, compressor: Compressor | None) -> None:
        self._settings = settings
        self._mode = mode
        self._segment = segment
        self._compressor = compressor
        self._compression: tuple[UsageEntry, ...] = ()
        # What was said is looked up in the whole texts.
        self._whole = {message.id: message for message in (*segment.context, *segment.messages)} if compressor else {}
        self._system = Turn("system", system_prompt(mode, segment.profile, compressed=compressor is not None))
        self._metered = MeteredChat(chat, settings, answer_schema(mode, segment.profile))

    def usage(self, items: int) -> tuple[UsageEntry, ...]:
        """What all calls took, by step. `items`: messages extracted."""
        return self._compression + self._metered.usage(extract=items)

    async def read_all(self) -> list[Extraction]:
        """The extractions of the segment, its texts compressed where they are to be."""
        if self._compressor is None or not self._segment.own:
            return await self.read(self._segment)
        segment, self._compression = await compressed_segment(self._segment, self._compressor)
        return await self.read(segment)

    async def read(self, part: Segment) -> list[Extraction]:
        """The extractions of a part of the segment, and of its halves where it is too long to be read or answered at once."""
        if not part.own:
            return []
        # In a thread, as all of this takes time with the length of what was said.
        transcript, smaller = await asyncio.to_thread(lambda: (transcript_of(part), halves(part)))
        too_long: bool = await asyncio.to_thread(is_longer, transcript.text, self._settings.input_tokens)
        if smaller and too_long:
            return await self._read_both(smaller)
        turns = (self._system, Turn("user", transcript.text))
        try:
            answer = await self._metered.ask("extract", turns)
        except RequestTooLarge:
            return await self._read_both(smaller) if smaller else [_failed("TOO_LARGE", "is longer than the model reads", part.messages)]
        if answer.withheld:
            return [_failed("WITHHELD", "is kept back by the model's filter", part.messages)]
        if not answer.complete and smaller:
            return await self._read_both(smaller)
        return [await self._understood(answer, turns, transcript, part)]

    async def _read_both(self, parts: tuple[Segment, Segment]) -> list[Extraction]:
        return [*await self.read(parts[0]), *await self.read(parts[1])]

    async def _understood(self, answer: ChatAnswer, turns: tuple[Turn, ...], transcript: Transcript, part: Segment) -> Extraction:
        checks = Checks(frozenset(transcript.messages), transcript.own, types_of(part.profile), predicates_of(part.profile), part.zone)
        reading = read_answer(answer.text, self._mode, checks, answer.complete)
        failures = [] if answer.complete else [_failure("TRUNCATED", "was cut off", part.messages)]
        if reading.broken or reading.problems:
            reading, left = await self._repaired(reading, turns, checks)
            failures += _failures(left, reading.broken, part.messages)
        said = {number: self._whole.get(message.id, message) for number, message in transcript.messages.items()}
        extraction = DraftBuilder(replace(transcript, messages=said), part.zone, self._mode, checks.types).extraction(reading, part.profile)
        return replace(extraction, partial_failures=tuple(failures))

    async def _repaired(self, reading: Reading, turns: tuple[Turn, ...], checks: Checks) -> tuple[Reading, Sequence[Problem]]:
        """Asks once more for what was wrong, and for nothing else; returns all that can be used now, and what is still wrong."""
        question = prompt("again") if reading.broken else f"{prompt('repair')}\n\n{problems_in_words(reading.problems)}"
        # In the same turn: some models' templates refuse two turns of one speaker.
        *before, last = turns
        try:
            answer = await self._metered.ask("repair", (*before, Turn(last.role, f"{last.content}\n\n{question}")))
        except RequestTooLarge:
            return reading, reading.problems
        again = read_answer(answer.text, self._mode, checks, answer.complete)
        if reading.broken:
            return again, again.problems
        reading.add(again)
        return reading, [*reading.problems] if again.broken else again.problems


def _failed(reason: str, what: str, messages: Sequence[Message]) -> Extraction:
    return Extraction((), partial_failures=(_failure(reason, what, messages),))


def _failure(reason: str, what: str, messages: Sequence[Message]) -> JobError:
    return JobError(f"EXTRACTOR_ANSWER_{reason}", f"The extractor's answer about {seqs_in_words(messages)} {what}.")


def _failures(left: Sequence[Problem], broken: bool, messages: Sequence[Message]) -> list[JobError]:
    if broken:
        return [_failure("UNREADABLE", "was no JSON of the form asked for, twice", messages)]
    if not left:
        return []
    fields = ", ".join(sorted({field.partition(".")[0] for problem in left for field in problem.fields}))
    return [_failure("INVALID", f"had {len(left)} items that were invalid twice ({fields}) and are left out", messages)]


def _fingerprint(settings: LlmSettings, mode: ExtractionMode, compressor: Compressor | None) -> str:
    said = [
        _VERSION,
        PROMPT_VERSION,
        [prompt(name) for name in _PROMPTS],
        answer_schema(mode, NO_PROFILE),
        [settings.provider, settings.model, settings.reasoning],
    ]
    if compressor is not None:
        said.append([prompt(_PROMPT_OF_COMPRESSED), compressor.fingerprint])
    return hashlib.sha256(json.dumps(said, sort_keys=True).encode()).hexdigest()[:16]
