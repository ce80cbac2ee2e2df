"""From one message of a person to its statements: rewritten, dated, with names and predicates."""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, tzinfo

from extract.local.answers import UNBOUND, question_of
from extract.local.causes import FoundCause, cause_in
from extract.local.counted import with_noun
from extract.local.dating import dated, main_time, times_of, undated
from extract.local.names import has_named_subject
from extract.local.person import Voices, addresses, in_third_person, speaks_of_self, with_subject
from extract.local.reference import References
from extract.local.relations import FoundRelation, relations_in
from extract.local.sentences import is_filler, is_question, read_sentences, without_opening
from extract.local.verbs import asks_for, has_verb, is_elliptic
from graph.model import Message, TimeSpan
from graph.text.times import unresolved_time

# No message of a person is about more; what is longer was pasted.
MOST_SENTENCES = 40
_REMARK_WORDS = 7
_NAMED_START = re.compile(r"^(?:my\b|our\b|[A-ZÀ-ÖØ-Þ][\w’'-]+\s+(?:is|was|has|had|and|will|lives|works|loves|got|went|moved|said|told)\b)")
# What a sentence needs to be worth quoting: a number, a name, or the first person as its subject.
_SUBSTANCE = re.compile(r"\d|(?<=[a-z,] )(?!I\b)[A-Z]|^(?:I|We|My|Our)\b")
# A standing instruction, mostly towards an assistant.
_INSTRUCTS = re.compile(
    r"(?i)\bfrom now on\b|\bin (?:the )?future\b|^(?:please )?(?:always|never|remember (?:that|to)|call me|keep your|make sure)\b"
)
_LONGEST_JOINED = 320
_DIGIT_OR_NAME = re.compile(r"\d|(?<=[a-z,] )[A-Z]")


@dataclass(frozen=True, slots=True)
class FoundStatement:
    """A statement found in a message: `original` as said, `text` standing on its own; `quoted` when it could not be made to.

    `question` is the message whose question it answers; `joined` the sentences that say more of the same; `about` is who a pronoun stood
    for, where it was the subject.
    """

    original: str
    text: str
    times: tuple[TimeSpan, ...]
    relations: tuple[FoundRelation, ...] = ()
    cause: FoundCause | None = None
    quoted: bool = False
    question: Message | None = None
    joined: str = ""
    about: str = ""

    @property
    def time(self) -> TimeSpan | None:
        """The most exact of the times that it names."""
        return main_time(self.times)


def statements_of(message: Message, before: Message | None, voices: Voices, zone: tzinfo, references: References) -> list[FoundStatement]:
    """What a person's message states, each statement once. `before` is the message before it, whose question it may answer; `references`
    says who is meant by pronouns.
    """
    found: list[FoundStatement] = []
    sentences = read_sentences(message.text, MOST_SENTENCES)
    answered = _answer(message, sentences, before, voices, zone, references)
    if answered:
        found.append(answered)
        references.note(sentences[0])
        sentences = sentences[1:]
    for place, sentence in enumerate(sentences):
        if not is_question(sentence):
            near = (*reversed(sentences[:place]), *([before.text] if before else []))
            _add(found, with_noun(sentence, near), message, voices, zone, references)
        references.note(sentence)
    kept = [one for one in found if one.time or one.joined or not asks_for(one.original) or _INSTRUCTS.search(one.original)]
    stated = {one.text: one for one in reversed([_with_dates(one, zone) for one in kept])}
    return list(reversed(stated.values()))


def _with_dates(said: FoundStatement, zone: tzinfo) -> FoundStatement:
    if said.times:
        return replace(said, text=dated(said.text, said.times, said.quoted, zone))
    return replace(said, text=undated(said.text)) if unresolved_time(said.original) else said


def _add(found: list[FoundStatement], sentence: str, message: Message, voices: Voices, zone: tzinfo, references: References) -> None:
    bare = without_opening(sentence)
    unresolved = with_subject(bare, voices.speaker)
    core, about = references.resolve(unresolved)
    if (
        is_filler(bare)
        or is_filler(core)
        or len(core.split()) < 3
        or is_elliptic(core)
        or not (has_verb(core) or asks_for(core) or _INSTRUCTS.search(core))
    ):
        return
    times = times_of(core, message.sent_at, zone)
    text, quoted = standalone(core, voices, about)
    if UNBOUND.match(core):
        if _join(found, core, core if quoted else text, times):
            return
        if not speaks_of_self(core):
            return
        text, quoted = f'{voices.speaker} said: "{core}"', True
    if (not about and _is_remark(core) and not times) or (quoted and not times and not asks_for(core) and not _worth_quoting(core)):
        return
    found.append(FoundStatement(core, text, times, tuple(relations_in(core, voices.speaker)), cause_in(core), quoted, about=about))


def _worth_quoting(core: str) -> bool:
    return speaks_of_self(core) or _SUBSTANCE.search(core) is not None


def _join(found: list[FoundStatement], core: str, text: str, times: tuple[TimeSpan, ...]) -> bool:
    """ "It was great" says something only together with what it is about: the statement before it, if that is of the same message."""
    if not found or len(found[-1].text) + len(core) > _LONGEST_JOINED or len(core.split()) < 4:
        return False
    last = found[-1]
    whole = f'{last.text[:-1]} {core}"' if last.quoted else f"{last.text} {text}"
    found[-1] = replace(last, original=f"{last.original} {core}", text=whole, times=last.times or times, joined=f"{last.joined} {core}")
    return True


def _is_remark(core: str) -> bool:
    """Short praise or advice to the other one ("You're such a good friend!") states nothing about the world."""
    if speaks_of_self(core) or asks_for(core):
        return False
    if has_named_subject(core):
        return False
    if addresses(core):
        return len(core.split()) <= 12 or bool(re.match(r"(?i)you\b|your\b", core))
    return len(core.split()) <= _REMARK_WORDS and not _DIGIT_OR_NAME.search(core) and not _NAMED_START.match(core)


def standalone(core: str, voices: Voices, about: str = "") -> tuple[str, bool]:
    """The sentence about names, or quoted with its speaker where that cannot be done safely. `about`: whom it begins with, if known."""
    if asks_for(core):
        return f'{voices.speaker} said: "{core}"', True
    if speaks_of_self(core) or addresses(core):
        rewritten = in_third_person(core, voices)
        if rewritten is not None:
            return _ended(rewritten), False
    elif about or _NAMED_START.match(core) or has_named_subject(core):
        return _ended(core), False
    return f'{voices.speaker} said: "{core}"', True


def _ended(text: str) -> str:
    return text if text.endswith((".", "!", "…", "?", '"')) else f"{text}."


def _answer(
    message: Message, sentences: Sequence[str], before: Message | None, voices: Voices, zone: tzinfo, references: References
) -> FoundStatement | None:
    """A short answer together with its question: neither says anything alone."""
    if before is None or before.speaker == message.speaker or not sentences:
        return None
    first = sentences[0]
    question = question_of(first, before.text)
    if not question or references.resolve(without_opening(first))[1]:
        return None  # "He had his surgery": once it is known who, that says it all
    text = f'Asked "{question}", {voices.speaker} said: "{first}"'
    return FoundStatement(first, text, times_of(without_opening(first), message.sent_at, zone), quoted=True, question=before)


def statements_with_time(said: Sequence[FoundStatement]) -> Iterator[tuple[TimeSpan | None, list[FoundStatement]]]:
    """The statements of a message by the time that they name: each group is one event."""
    groups: dict[tuple[datetime, datetime] | None, list[FoundStatement]] = {}
    for one in said:
        groups.setdefault((one.time.start, one.time.end) if one.time else None, []).append(one)
    for group in groups.values():
        yield group[0].time, group
