"""The `llm` consolidator: summaries of several groups in one call of a language model."""

import asyncio
import hashlib
import json
import logging
from collections.abc import Sequence
from dataclasses import dataclass

from extract.consolidate.llm.bounds import latest_windows, main_threads
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
_VERSION = 3
_PROMPTS = ("window", "thread", "profile", "again")
# Models lose count in longer lists, and what one answer spoils is asked for once more.
_MOST_GROUPS = 8
# Of one group that had to be summarised in parts, so many sentences are kept.
_MOST_SENTENCES = 24
_EMPTY = SummaryDraft("", ())


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
        """See `Consolidator.threads`; raises as `windows` does. Of a long thread its latest windows are read (`latest_windows`)."""
        return await self._consolidated("thread", [latest_windows(group) for group in groups])

    async def profile(self, group: SourceGroup) -> Consolidation:
        """See `Consolidator.profile`; raises as `windows` does. Of very many threads some are read (`main_threads`)."""
        return await self._consolidated("profile", [main_threads(group)])

    async def _consolidated(self, kind: str, groups: Sequence[SourceGroup]) -> Consolidation:
        work = _Work(self._chat, self._settings, kind)
        try:
            await work.write(groups)
        except BaseException as error:
            if not isinstance(error, ChatUnavailable) or not work.has_drafts:
                for entry in work.usage(0):
                    record_usage(entry)
            if not isinstance(error, ChatUnavailable):
                raise
            _log.warning("the language model could not be asked", extra={"reason": error.reason})
            if not work.has_drafts:
                raise ExtractorUnavailable(error.reason) from None
            # What has been paid for is kept; the others are tried again.
            work.failures.append(JobError("EXTRACTOR_UNAVAILABLE", "The consolidator could not be reached for some of its summaries."))
        drafts = tuple(one.draft for one in work.wanted)
        written = sum(draft is not None and bool(draft.sentences) for draft in drafts)
        return Consolidation(drafts, work.usage(written), tuple(work.failures), tuple(one.call for one in work.wanted))


@dataclass(slots=True)
class _Wanted:
    """A group, and its draft as soon as there is one. It stands here at once: what comes after it may fail.

    `call`: the number of the call that wrote it first, the same for all that it showed.
    """

    group: SourceGroup
    draft: SummaryDraft | None = None
    call: int = 0


class _Work:
    """The work on some groups, with what has come of it and what it took. `wanted` are all of them, in order."""

    def __init__(self, chat: Chat, settings: LlmSettings, kind: str) -> None:
        self._settings = settings
        self._kind = kind
        self._system = Turn("system", prompt(kind))
        self._metered = MeteredChat(chat, settings, answer_schema())
        self.wanted: list[_Wanted] = []
        self.failures: list[JobError] = []

    @property
    def has_drafts(self) -> bool:
        """Whether anything has come of it."""
        return any(one.draft is not None for one in self.wanted)

    def usage(self, items: int) -> tuple[UsageEntry, ...]:
        """What all calls took, by step. `items`: summaries written."""
        return self._metered.usage(consolidate=items)

    async def write(self, groups: Sequence[SourceGroup]) -> None:
        """Writes the drafts, batch by batch. Raises ChatUnavailable; what has been written by then stands."""
        self.wanted = [_Wanted(group) for group in groups]
        for number, batch in enumerate(await asyncio.to_thread(self._batches)):
            for one in batch:
                one.call = number
            await self._read(batch)

    def _batches(self) -> list[list[_Wanted]]:
        """As many groups in one call as are read with care, and no more than the budget of tokens."""
        batches: list[list[_Wanted]] = []
        for one in self.wanted:
            if batches and len(batches[-1]) < _MOST_GROUPS and not self._is_long([*batches[-1], one]):
                batches[-1].append(one)
            else:
                batches.append([one])
        return batches

    def _is_long(self, wanted: list[_Wanted]) -> bool:
        return is_longer(_shown(wanted).text, self._settings.input_tokens)

    async def _read(self, wanted: list[_Wanted]) -> None:
        smaller = _smaller(wanted)
        if len(wanted) == 1 and smaller and await asyncio.to_thread(self._is_long, wanted):
            return await self._read_parts(wanted, smaller)
        shown = await asyncio.to_thread(_shown, wanted)
        try:
            answer = await self._ask(shown.text, "consolidate")
        except RequestTooLarge:
            if smaller:
                return await self._read_parts(wanted, smaller)
            return self._never(wanted, "TOO_LARGE", "is longer than the model reads", shown)
        if smaller and (answer.withheld or not answer.complete):
            return await self._read_parts(wanted, smaller)
        if answer.withheld:
            return self._never(wanted, "WITHHELD", "is kept back by the model's filter", shown)
        if not answer.complete:
            self._failed("TRUNCATED", "was cut off", shown)
        reading = read_answer(answer.text, shown, answer.complete)
        self._take(reading, wanted, shown)
        missing = [one for one in wanted if one.draft is None]
        if missing:
            await self._read_again(wanted, missing)

    def _never(self, wanted: list[_Wanted], reason: str, what: str, shown: NumberedGroups) -> None:
        """Nothing will ever come of these: they are told, and stand empty, so that nobody asks for them again."""
        self._failed(reason, what, shown)
        for one in wanted:
            one.draft = _EMPTY

    def _take(self, reading: Reading, wanted: list[_Wanted], shown: NumberedGroups) -> None:
        """Takes the drafts that can be used, and tells what was left out."""
        self._tell(reading, shown)
        for number, draft in reading.drafts.items():
            wanted[number - 1].draft = draft

    async def _read_again(self, wanted: list[_Wanted], missing: list[_Wanted]) -> None:
        """Asks about what is missing of an answer.

        What stays missing is told of by nothing that is stored, so that a deletion of it would not find what repeats it: the others are
        written by a call that does not show it, or not now.
        """
        others = [one for one in wanted if one.draft is not None]
        drafts = [one.draft for one in others]
        for one in others:
            one.draft = None
        await self._repair(missing)
        if all(one.draft is not None for one in missing):
            for one, draft in zip(others, drafts, strict=True):
                one.draft = draft
        elif others:
            await self._read(others)

    async def _repair(self, wanted: list[_Wanted]) -> None:
        """Asks once more about the groups of which an answer says nothing that can be used."""
        shown = await asyncio.to_thread(_shown, wanted)
        why = "had nothing that can be used, and a second one was not given"
        try:
            answer = await self._ask(f"{shown.text}\n\n{prompt('again')}", "repair")
        except RequestTooLarge:
            pass
        else:
            if not answer.withheld:
                why = "had nothing that can be used, twice"
                self._take(read_answer(answer.text, shown, answer.complete), wanted, shown)
        for number, one in enumerate(wanted, 1):
            if one.draft is None:
                self._failed("UNREADABLE", why, shown, number)

    async def _read_parts(self, wanted: list[_Wanted], parts: tuple[list[_Wanted], list[_Wanted]]) -> None:
        for part in parts:
            await self._read(part)
        if len(wanted) == 1:
            ((first,), (second,)) = parts
            wanted[0].draft = _joined(first.draft, second.draft)

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


def _shown(wanted: list[_Wanted]) -> NumberedGroups:
    return numbered([one.group for one in wanted])


def _smaller(wanted: list[_Wanted]) -> tuple[list[_Wanted], list[_Wanted]] | None:
    """The groups in two parts, or the only one's sources; None for one source."""
    if len(wanted) > 1:
        middle = len(wanted) // 2
        return wanted[:middle], wanted[middle:]
    parts = halves(wanted[0].group)
    return ([_Wanted(parts[0])], [_Wanted(parts[1])]) if parts else None


def _joined(first: SummaryDraft | None, second: SummaryDraft | None) -> SummaryDraft | None:
    """One summary of two halves; None if one is still to be tried, for what it holds would be taken for told."""
    if first is None or second is None:
        return None
    # Each half has at least half of the room.
    room = max(_MOST_SENTENCES // 2, _MOST_SENTENCES - len(second.sentences))
    title = first.title if first.sentences else second.title
    return SummaryDraft(title, (*first.sentences[:room], *second.sentences)[:_MOST_SENTENCES])
