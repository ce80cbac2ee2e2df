"""The `llm` extractor: facts and relations, entities, times and causes of a segment in one call of a language model."""

import asyncio
import hashlib
import json
import logging
from collections.abc import Sequence
from dataclasses import replace

from extract.compress import Compressor, TurnReader
from extract.llm.answer import Checks, answer_schema, predicates_of, types_of
from extract.llm.chat import Chat, ChatAnswer, ChatUnavailable, RequestTooLarge, Turn
from extract.llm.compressing import compressed_segment
from extract.llm.drafts import DraftBuilder, joined, seqs_in_words
from extract.llm.metered_chat import MeteredChat
from extract.llm.prompting import PROMPT_VERSION, prompt, system_prompt
from extract.llm.reading import Problem, Reading, parts_of, problems_in_words, read_answer
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

    @property
    def turn_reader(self) -> TurnReader | None:
        """See `extract.port.ReadingExtractor`."""
        return self._compressor if isinstance(self._compressor, TurnReader) else None

    async def aclose(self) -> None:
        """Lets go of the model's connections and files, and of the compressor."""
        await self._chat.aclose()
        if self._compressor is not None:
            await asyncio.to_thread(self._compressor.close)

    async def extract(self, segment: Segment) -> Extraction:
        """The events of the segment. Raises ExtractorUnavailable when the model cannot be asked now."""
        [found] = await self.extract_many((segment,))
        return found

    async def extract_many(self, segments: Sequence[Segment]) -> list[Extraction]:
        """See `extract.port.JoiningExtractor`."""
        reading = _Reading(self._chat, self._settings, self._mode, segments, self._compressor)
        try:
            found = await reading.read_all()
        except BaseException as error:
            for entry in reading.usage(0):
                record_usage(entry)
            if not isinstance(error, ChatUnavailable):
                raise
            _log.warning("the language model could not be asked", extra={"reason": error.reason, "namespace": segments[0].namespace})
            raise ExtractorUnavailable(error.reason) from None
        usage = reading.usage(sum(len(segment.own) for segment in segments))
        return [replace(joined(parts), usage=() if place else usage) for place, parts in enumerate(found)]


def llm_extractors(chat: Chat, settings: LlmSettings, compressor: Compressor | None = None) -> dict[ExtractionMode, LlmExtractor]:
    """One for each mode that extracts, on one model, as the pipeline asks for them."""
    return {mode: LlmExtractor(chat, settings, mode, compressor) for mode in (ExtractionMode.EVENT, ExtractionMode.FLAT)}


# A segment, or a part of one, with its place among those that the work is on.
_Placed = tuple[int, Segment]


class _Reading:
    """The work on some segments of a namespace, with what it takes."""

    def __init__(
        self, chat: Chat, settings: LlmSettings, mode: ExtractionMode, segments: Sequence[Segment], compressor: Compressor | None
    ) -> None:
        self._settings = settings
        self._mode = mode
        self._segments = segments
        self._compressor = compressor
        self._compression: list[UsageEntry] = []
        # What was said is looked up in the whole texts.
        shown = (message for segment in segments for message in (*segment.context, *segment.messages))
        self._whole = {message.id: message for message in shown} if compressor else {}
        self._profile = segments[0].profile
        self._system = Turn("system", system_prompt(mode, self._profile, compressed=compressor is not None))
        self._metered = MeteredChat(chat, settings, answer_schema(mode, self._profile))
        self._found: list[list[Extraction]] = [[] for _ in segments]

    def usage(self, items: int) -> tuple[UsageEntry, ...]:
        """What all calls took, by step. `items`: messages extracted."""
        return (*self._compression, *self._metered.usage(extract=items))

    async def read_all(self) -> list[list[Extraction]]:
        """The extractions of each segment, their texts compressed where they are to be."""
        placed = [(place, segment) for place, segment in enumerate(self._segments) if segment.own]
        if self._compressor is not None:
            for index, (place, segment) in enumerate(placed):
                short, usage = await compressed_segment(segment, self._compressor)
                placed[index] = (place, short)
                self._compression += usage
        await self._read(placed)
        return self._found

    async def _read(self, parts: Sequence[_Placed]) -> None:
        """Extracts these parts by one call, and by halves of them where that is too long to be read or answered at once."""
        parts = [(place, part) for place, part in parts if part.own]
        if not parts:
            return
        # In a thread, as all of this takes time with the length of what was said.
        transcript, smaller = await asyncio.to_thread(lambda: (transcript_of([part for _, part in parts]), _halved(parts)))
        too_long: bool = await asyncio.to_thread(is_longer, transcript.text, self._settings.input_tokens)
        if smaller and too_long:
            await self._read_both(smaller)
            return
        turns = (self._system, Turn("user", transcript.text))
        try:
            answer = await self._metered.ask("extract", turns)
        except RequestTooLarge:
            await self._read_halves(parts, smaller, "TOO_LARGE", "is longer than the model reads")
            return
        if answer.withheld:
            # Among several, the others need not go without what one of them is kept back for.
            await self._read_halves(parts, smaller if len(parts) > 1 else None, "WITHHELD", "is kept back by the model's filter")
        elif not answer.complete and smaller:
            await self._read_both(smaller)
        else:
            await self._understand(answer, turns, transcript, parts, smaller)

    async def _read_halves(
        self, parts: Sequence[_Placed], smaller: tuple[list[_Placed], list[_Placed]] | None, reason: str, what: str
    ) -> None:
        """Reads the halves; where there are none, says why nothing came of these parts."""
        if smaller:
            await self._read_both(smaller)
            return
        for place, part in parts:
            self._found[place].append(Extraction((), partial_failures=(_failure(reason, what, part.messages),)))

    async def _read_both(self, halves: tuple[list[_Placed], list[_Placed]]) -> None:
        await self._read(halves[0])
        await self._read(halves[1])

    async def _understand(
        self,
        answer: ChatAnswer,
        turns: tuple[Turn, ...],
        transcript: Transcript,
        parts: Sequence[_Placed],
        smaller: tuple[list[_Placed], list[_Placed]] | None,
    ) -> None:
        """Takes what an answer says of each part."""
        profile, own = self._profile, transcript.own
        checks = Checks(frozenset(transcript.messages), own, types_of(profile), predicates_of(profile), parts[0][1].zone, transcript.parts)
        reading = read_answer(answer.text, self._mode, checks, answer.complete)
        if reading.broken and smaller and len(parts) > 1:
            # As long an answer once more would be as likely to break, and would take all of them along.
            await self._read_both(smaller)
            return
        left: Sequence[Problem] = ()
        if reading.broken or reading.problems:
            reading, left = await self._repaired(reading, turns, checks)
        said = {number: self._whole.get(message.id, message) for number, message in transcript.messages.items()}
        whole = replace(transcript, messages=said)
        for index, (place, part) in enumerate(parts):
            failures = [] if answer.complete else [_failure("TRUNCATED", "was cut off", part.messages)]
            mine = [problem for problem in left if index in parts_of(problem, transcript.parts)]
            failures += _failures(mine, reading.broken, part.messages)
            extraction = DraftBuilder(whole, part.zone, self._mode, checks.types, index).extraction(
                reading.of_part(index, transcript.parts), profile
            )
            self._found[place].append(replace(extraction, partial_failures=tuple(failures)))

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


def _halved(parts: Sequence[_Placed]) -> tuple[list[_Placed], list[_Placed]] | None:
    """The parts in two, by parts or by the messages of the only one; None for one that is short already."""
    if len(parts) > 1:
        middle = len(parts) // 2
        return [*parts[:middle]], [*parts[middle:]]
    [(place, part)] = parts
    smaller = halves(part)
    return smaller and ([(place, smaller[0])], [(place, smaller[1])])


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
