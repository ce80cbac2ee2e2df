"""The `llm` consolidator: summaries of several groups in one call of a language model."""

import asyncio
import hashlib
import json
import logging
from collections.abc import Sequence
from dataclasses import replace

from extract.consolidate.llm.prompting import NumberedGroups, halves, numbered, prompt
from extract.consolidate.llm.reading import Reading, answer_schema, read_answer
from extract.consolidate.port import Consolidation, SourceGroup, SummaryDraft
from extract.llm.chat import Chat, ChatAnswer, ChatUnavailable, RequestTooLarge, Turn
from extract.llm.metered_chat import MeteredChat
from extract.llm.settings import LlmSettings
from extract.llm.transcript import is_longer
from extract.metering import record_usage
from extract.port import ExtractorUnavailable
from graph.model import JobError
from graph.store.port import UsageEntry

_log = logging.getLogger(__name__)
# Raised with any change of how answers are read, so that summaries are written anew.
_VERSION = 1
_PROMPTS = ("window", "thread", "profile", "again")
# Models lose count in longer lists, and what one answer spoils is asked for once more.
_MOST_GROUPS = 8
# Of one group that had to be summarised in parts, so many sentences are kept.
_MOST_SENTENCES = 24


class LlmConsolidator:
    """Implements `Consolidator` with a language model. What was said reaches it as data; what it says is held to what it cites."""

    def __init__(self, chat: Chat, settings: LlmSettings) -> None:
        self._chat = chat
        self._settings = settings
        said = [_VERSION, [prompt(name) for name in _PROMPTS], answer_schema(), [settings.provider, settings.model, settings.reasoning]]
        self._fingerprint = hashlib.sha256(json.dumps(said, sort_keys=True).encode()).hexdigest()[:16]

    @property
    def fingerprint(self) -> str:
        """That of the prompts, the schema, the provider's name and the model's."""
        return self._fingerprint

    async def aclose(self) -> None:
        """Lets go of the model's connections and files."""
        await self._chat.aclose()

    async def windows(self, groups: Sequence[SourceGroup]) -> Consolidation:
        """See `Consolidator.windows`. Raises ExtractorUnavailable when the model cannot be asked and no draft has been made yet."""
        return await self._consolidated("window", groups)

    async def threads(self, groups: Sequence[SourceGroup]) -> Consolidation:
        """See `Consolidator.threads`; raises as `windows` does."""
        return await self._consolidated("thread", groups)

    async def profile(self, group: SourceGroup) -> Consolidation:
        """See `Consolidator.profile`; raises as `windows` does."""
        return await self._consolidated("profile", [group])

    async def _consolidated(self, kind: str, groups: Sequence[SourceGroup]) -> Consolidation:
        work = _Work(self._chat, self._settings, kind)
        try:
            await work.write(groups)
        except BaseException as error:
            if not isinstance(error, ChatUnavailable) or not any(work.drafts):
                for entry in work.usage(0):
                    record_usage(entry)
            if not isinstance(error, ChatUnavailable):
                raise
            _log.warning("the language model could not be asked", extra={"reason": error.reason})
            if not any(work.drafts):
                raise ExtractorUnavailable(error.reason) from None
            # What has been paid for is kept; the others are tried again.
            work.failures.append(JobError("EXTRACTOR_UNAVAILABLE", "The consolidator could not be reached for some of its summaries."))
        drafts = (*work.drafts, *(None for _ in groups[len(work.drafts) :]))
        return Consolidation(drafts, work.usage(sum(draft is not None for draft in drafts)), tuple(work.failures))


class _Work:
    """The work on some groups, with what has come of it and what it took. `drafts` are of the first groups, in order."""

    def __init__(self, chat: Chat, settings: LlmSettings, kind: str) -> None:
        self._settings = settings
        self._kind = kind
        self._system = Turn("system", prompt(kind))
        self._metered = MeteredChat(chat, settings, answer_schema())
        self.drafts: list[SummaryDraft | None] = []
        self.failures: list[JobError] = []

    def usage(self, items: int) -> tuple[UsageEntry, ...]:
        """What all calls took, by step. `items`: summaries written."""
        return self._metered.usage(consolidate=items)

    async def write(self, groups: Sequence[SourceGroup]) -> None:
        """Fills `drafts`, batch by batch."""
        for batch in await asyncio.to_thread(self._batches, groups):
            self.drafts += await self._read(batch)

    def _batches(self, groups: Sequence[SourceGroup]) -> list[list[SourceGroup]]:
        """As many groups in one call as are read with care, and no more than the budget of tokens."""
        batches: list[list[SourceGroup]] = []
        for group in groups:
            if batches and len(batches[-1]) < _MOST_GROUPS and not self._is_long([*batches[-1], group]):
                batches[-1].append(group)
            else:
                batches.append([group])
        return batches

    def _is_long(self, groups: list[SourceGroup]) -> bool:
        return is_longer(numbered(groups).text, self._settings.input_tokens)

    async def _read(self, groups: list[SourceGroup]) -> list[SummaryDraft | None]:
        smaller = _smaller(groups)
        if len(groups) == 1 and smaller and await asyncio.to_thread(self._is_long, groups):
            return await self._read_parts(groups, smaller)
        shown = await asyncio.to_thread(numbered, groups)
        try:
            answer = await self._ask(shown.text, "consolidate")
        except RequestTooLarge:
            if smaller:
                return await self._read_parts(groups, smaller)
            self._failed("TOO_LARGE", "is longer than the model reads", shown)
            return [None]
        if smaller and (answer.withheld or not answer.complete):
            return await self._read_parts(groups, smaller)
        if answer.withheld:
            self._failed("WITHHELD", "is kept back by the model's filter", shown)
            return [None]
        if not answer.complete:
            self._failed("TRUNCATED", "was cut off", shown)
        reading = read_answer(answer.text, shown, answer.complete)
        return await self._with_repair(groups, shown, reading)

    async def _with_repair(self, groups: list[SourceGroup], shown: NumberedGroups, reading: Reading) -> list[SummaryDraft | None]:
        """Asks once more about the groups of which the answer says nothing that can be used, and tells what was left out."""
        self._tell(reading, shown)
        missing = [number for number in shown.groups if number not in reading.drafts]
        drafts: list[SummaryDraft | None] = [reading.drafts.get(number) for number in shown.groups]
        if not missing:
            return drafts
        again = await asyncio.to_thread(numbered, [groups[number - 1] for number in missing])
        try:
            answer = await self._ask(f"{again.text}\n\n{prompt('again')}", "repair")
            repaired = Reading() if answer.withheld else read_answer(answer.text, again, answer.complete)
        except (RequestTooLarge, ChatUnavailable):
            repaired = Reading()
        self._tell(repaired, again)
        for place, number in enumerate(missing, 1):
            drafts[number - 1] = repaired.drafts.get(place)
            if drafts[number - 1] is None:
                self._failed("UNREADABLE", "had nothing that can be used, twice", again, place)
        return drafts

    async def _read_parts(self, groups: list[SourceGroup], parts: tuple[list[SourceGroup], list[SourceGroup]]) -> list[SummaryDraft | None]:
        first, second = await self._read(parts[0]), await self._read(parts[1])
        return [*first, *second] if len(groups) > 1 else [_joined(first[0], second[0])]

    def _tell(self, reading: Reading, shown: NumberedGroups) -> None:
        for number, left_out in reading.left_out.items():
            told = ", ".join(f"{count} {why}" for why, count in sorted((+left_out).items()))
            if told:
                self._failed("INVALID", f"had what is left out: {told}", shown, number)

    def _failed(self, reason: str, what: str, shown: NumberedGroups, number: int = 1) -> None:
        sources = shown.groups[number].sources
        said = f"{sources[0].said_from:%Y-%m-%d %H:%M}" if sources else "nothing"
        about = f"the {self._kind} of {len(sources)} sources from {said}"
        self.failures.append(JobError(f"EXTRACTOR_ANSWER_{reason}", f"The consolidator's answer about {about} {what}."))

    async def _ask(self, text: str, step: str) -> ChatAnswer:
        return await self._metered.ask(step, (self._system, Turn("user", text)))


def _smaller(groups: list[SourceGroup]) -> tuple[list[SourceGroup], list[SourceGroup]] | None:
    """The groups in two parts, or the only one's sources; None for one source."""
    if len(groups) > 1:
        middle = len(groups) // 2
        return groups[:middle], groups[middle:]
    parts = halves(groups[0])
    return ([parts[0]], [parts[1]]) if parts else None


def _joined(first: SummaryDraft | None, second: SummaryDraft | None) -> SummaryDraft | None:
    """One summary of two halves; None if one half is missing, for what it holds would be taken for told."""
    if first is None or second is None:
        return None
    # Each half has at least half of the room.
    room = max(_MOST_SENTENCES // 2, _MOST_SENTENCES - len(second.sentences))
    return replace(first, sentences=(*first.sentences[:room], *second.sentences)[:_MOST_SENTENCES])
