"""The local extractor: every message of a segment by rules."""

import asyncio
import hashlib
import re
from collections.abc import Iterator, Sequence
from dataclasses import replace
from datetime import timedelta

from extract.entities import ALIAS
from extract.local.machine import MOST_READ, advice_of
from extract.local.names import has_named_subject, names_in
from extract.local.predicates import predicate_of
from extract.local.reference import References
from extract.local.relations import FoundRelation
from extract.local.sentences import is_question, read_sentences, sentences_of, unread
from extract.local.shortening import shortened
from extract.local.speakers import Cast, cast_of, display_name, is_machine
from extract.local.statements import MOST_SENTENCES, FoundStatement, standalone, statements_of, statements_with_time
from extract.port import EntityMention, EventDraft, Extraction, Segment, StatementDraft
from graph.model import EntityKind, ExtractionMode, ExtractorSpec, JobError, Message, NodeKind, TimeSpan
from graph.store.port import UsageEntry
from graph.text import ANALYSER_VERSION
from graph.text.names import is_role_name

# Part of the fingerprint: a change of any rule of this folder or of graph.text.times raises it, and namespaces are extracted anew.
RULES_VERSION = 6
# A pronoun or "we" may refer to so many messages before: no more than a segment's context, so that its ends do not matter.
_REACH = 4
_TITLE_LENGTH = 90
_ROLE_OF = {EntityKind.PLACE: "place", EntityKind.ORGANISATION: "organisation", EntityKind.PERSON: "person"}


class LocalExtractor:
    """Rules, no network. EVENT finds facts, relations, entities and causes; FLAT facts alone."""

    def __init__(self, mode: ExtractionMode = ExtractionMode.EVENT) -> None:
        """`mode`: EVENT or FLAT."""
        if mode is ExtractionMode.OFF:
            raise ValueError("an extractor extracts")
        fingerprint = hashlib.sha256(f"local-rules-{RULES_VERSION}-analyser-{ANALYSER_VERSION}".encode()).hexdigest()[:16]
        self._spec = ExtractorSpec("local", fingerprint, mode)

    @property
    def spec(self) -> ExtractorSpec:
        """The fingerprint follows the version of the rules."""
        return self._spec

    async def extract(self, segment: Segment) -> Extraction:
        """The events of the segment; the rules run in a thread."""
        return await asyncio.to_thread(extract_segment, segment, self._spec.mode)


def local_extractors() -> dict[ExtractionMode, LocalExtractor]:
    """One for each mode that extracts, as the pipeline asks for them."""
    return {mode: LocalExtractor(mode) for mode in (ExtractionMode.EVENT, ExtractionMode.FLAT)}


def extract_segment(segment: Segment, mode: ExtractionMode) -> Extraction:
    """Pure: what the rules find. Each message is read by itself with the one before it, so that it does not matter where segments end."""
    events: list[EventDraft] = []
    mentions: dict[str, tuple[EntityMention, ...]] = {}
    talk = (*segment.context, *segment.messages)
    everyone = cast_of(talk)
    for place, message in enumerate(segment.messages, len(segment.context)):
        if message.id in segment.aside:
            continue
        earlier = talk[max(0, place - _REACH) : place]
        before = earlier[-1] if earlier else None
        drafts = list(_of_machine(message, before) if is_machine(message) else _of_person(message, earlier, everyone, segment, len(events)))
        if mode is ExtractionMode.FLAT:
            drafts = [_flat(draft) for draft in drafts]
        elif not is_machine(message):
            mentions[message.id] = _mentions(message, drafts, everyone)
        events.extend(drafts)
    usage = (UsageEntry("extract", "local", calls=1, items=len(segment.own)),)
    return Extraction(tuple(events), mentions, usage, tuple(_unread(segment.own)))


def _unread(messages: Sequence[Message]) -> Iterator[JobError]:
    """What of messages was not read: of the others nobody would know that something is missing."""
    for message in messages:
        if is_machine(message):
            read = f"the first {MOST_READ:,} of {len(message.text):,} characters" if len(message.text) > MOST_READ else ""
        else:
            read = unread(message.text, MOST_SENTENCES)
        if read:
            yield JobError("MESSAGE_READ_IN_PART", f"Of message {message.seq} the rules read {read}; it is stored and found whole.")


def _of_person(message: Message, earlier: Sequence[Message], everyone: Cast, segment: Segment, first: int) -> Iterator[EventDraft]:
    """The events of a person's message. `first` is the index that the first of them will have in the draft."""
    voices = everyone.voices(message, earlier)
    references = References(lambda: [(one.text, everyone.voices(one)) for one in earlier if not is_machine(one)], voices, everyone.people)
    before = earlier[-1] if earlier else None
    speaker = _speaker(message)
    drafts: list[EventDraft] = []
    related: set[tuple[str, str, str, str]] = set()
    for time, group in statements_with_time(statements_of(message, before, voices, segment.zone, references)):
        made = (statement for said in group for statement in _statements(said, message, everyone, speaker))
        statements = [one for one in made if one.kind is NodeKind.FACT or not _is_known(one, related)]
        effects = [said for said in group if said.cause and said.cause.both_state]
        drafts.append(_event(statements, time, speaker))
        for said in effects:
            drafts.append(_cause_event(said, message, everyone, speaker, effect=first + len(drafts) - 1))
    caption = _caption(message, everyone, speaker)
    if caption:
        drafts.append(_event([caption], None, speaker))
    yield from _of_one_kind(drafts)


def _is_known(relation: StatementDraft, related: set[tuple[str, str, str, str]]) -> bool:
    """Whether the message has stated the relation before; notes it."""
    stated = (relation.text, relation.subject, relation.predicate, relation.object)
    known = stated in related
    related.add(stated)
    return known


def _of_one_kind(drafts: Sequence[EventDraft]) -> Iterator[EventDraft]:
    """The drafts with each name of one kind all over: that which a relation gives it, else the first that its words do."""
    kinds: dict[str, EntityKind] = {}
    for kind in (NodeKind.RELATION, NodeKind.FACT):
        for one in (mention for draft in drafts for said in draft.statements if said.kind is kind for mention in said.mentions):
            if one.kind is not EntityKind.UNKNOWN:
                kinds.setdefault(one.name, one.kind)

    def known(mentions: tuple[EntityMention, ...]) -> tuple[EntityMention, ...]:
        return tuple(one if kinds.get(one.name, one.kind) is one.kind else replace(one, kind=kinds[one.name]) for one in mentions)

    if all(one.kind is kinds.get(one.name, one.kind) for draft in drafts for said in draft.statements for one in said.mentions):
        yield from drafts
        return

    for draft in drafts:
        statements = tuple(replace(said, mentions=known(said.mentions)) for said in draft.statements)
        yield replace(draft, statements=statements, participants=known(draft.participants))


def _statements(said: FoundStatement, message: Message, everyone: Cast, speaker: tuple[EntityMention, ...]) -> Iterator[StatementDraft]:
    evidence = (said.question.id, message.id) if said.question else (message.id,)
    named = names_in(said.original, everyone.people)
    subject, predicate, target = _shortened(said, message, display_name(message.speaker))
    yield StatementDraft(
        NodeKind.FACT,
        said.text,
        message.speaker,
        evidence,
        _distinct((*speaker, *named)),
        predicate,
        subject,
        target,
        said.time,
        0.6 if said.quoted else 0.8,
    )
    for relation in said.relations:
        yield StatementDraft(
            NodeKind.RELATION,
            relation.text,
            message.speaker,
            evidence,
            _distinct((relation.subject, relation.object, *_alias(relation))),
            relation.predicate,
            relation.subject.name,
            relation.object.name,
            None,
            relation.confidence,
        )
    if said.cause:
        effect, cause = said.cause.effect, said.cause.cause
        yield StatementDraft(
            NodeKind.RELATION,
            said.text,
            message.speaker,
            evidence,
            _distinct((*speaker, *named)),
            said.cause.word,
            effect,
            cause,
            said.time,
            0.7,
        )


def _alias(relation: FoundRelation) -> tuple[EntityMention, ...]:
    return (EntityMention(relation.alias, relation.subject.kind, ALIAS),) if relation.alias else ()


def _shortened(said: FoundStatement, message: Message, speaker: str) -> tuple[str, str, str]:
    """Subject, predicate and object of what was said, as far as it shortens to them."""
    if said.question:
        return "", "", ""
    words = said.time.expression if said.time else ""
    ahead = said.time is not None and said.time.end > message.sent_at and said.time.start > message.sent_at - timedelta(days=1)
    about = said.about or _subject_of(said, speaker)
    predicate, target = predicate_of(said.original if said.quoted else said.text, words, ahead)
    if predicate == "" and not said.quoted and about:
        predicate, target = shortened(said.text, about, words)
    return (about or speaker if predicate else "", predicate, target)


def _subject_of(said: FoundStatement, speaker: str) -> str:
    """Who a statement that stands alone begins with: the speaker, or the end of a relation that it states ("Maria's sister Clara")."""
    if said.text.startswith(f"{speaker} "):
        return speaker
    named = has_named_subject(said.original)
    starts = [one.name for relation in said.relations for one in (relation.subject,) if said.text.startswith(f"{one.name} ")]
    return starts[0] if starts else said.original.split(" ", 1)[0] if named else ""


def _cause_event(said: FoundStatement, message: Message, everyone: Cast, speaker: tuple[EntityMention, ...], effect: int) -> EventDraft:
    """The cause as an event of its own, linked to the event that holds the effect."""
    assert said.cause is not None
    voices = everyone.voices(message)
    text, _ = standalone(said.cause.cause[:1].upper() + said.cause.cause[1:], voices)
    named = names_in(said.cause.cause, everyone.people)
    statement = StatementDraft(NodeKind.FACT, text, message.speaker, (message.id,), _distinct((*speaker, *named)), confidence=0.6)
    # "I saved up so that we could travel": what was done for something need not have led to it.
    leads_to = (effect,)
    if said.cause.word == "so_that":
        return EventDraft(_title(text), (statement,), None, speaker, enables=leads_to)
    return EventDraft(_title(text), (statement,), None, speaker, causes=leads_to)


def _event(statements: Sequence[StatementDraft], time: TimeSpan | None, speaker: tuple[EntityMention, ...]) -> EventDraft:
    participants = list(speaker)
    for statement in statements:
        for mention in statement.mentions:
            if mention.kind in _ROLE_OF and mention.name not in {one.name for one in participants}:
                participants.append(EntityMention(mention.name, mention.kind, mention.role or _ROLE_OF[mention.kind]))
    return EventDraft(_title(statements[0].text), tuple(statements), time, tuple(participants))


def _of_machine(message: Message, before: Message | None) -> Iterator[EventDraft]:
    if message.role.name != "ASSISTANT":
        return
    asked = [one for one in sentences_of(before.text)[-6:] if is_question(one)] if before and not is_machine(before) else []
    texts = advice_of(message.text, asked[-1] if asked else "", display_name(message.speaker))
    if texts:
        speaker = _speaker(message)
        yield _event(
            [StatementDraft(NodeKind.FACT, text, message.speaker, (message.id,), speaker, confidence=0.5) for text in texts], None, speaker
        )


def _caption(message: Message, everyone: Cast, speaker: tuple[EntityMention, ...]) -> StatementDraft | None:
    caption = " ".join(message.image_caption.split()).strip(" .")
    if not caption:
        return None
    described = re.sub(r"(?i)^(?:an?|the) (?:photo|picture|image|photograph|pic|screenshot) of\s+", "", caption)
    text = f"{display_name(message.speaker)} shared a photo of {described}."
    return StatementDraft(
        NodeKind.FACT,
        text,
        message.speaker,
        (message.id,),
        _distinct((*speaker, *names_in(caption, everyone.people))),
        "shared_photo",
        confidence=0.7,
    )


def _flat(draft: EventDraft) -> EventDraft:
    facts = tuple(
        StatementDraft(one.kind, one.text, one.speaker, one.evidence, time=one.time, confidence=one.confidence)
        for one in draft.statements
        if one.kind is NodeKind.FACT
    )
    return EventDraft(draft.title, facts, draft.time)


def _speaker(message: Message) -> tuple[EntityMention, ...]:
    """The speaker as an entity; roles such as "assistant" are none: they would join everything with everything."""
    if is_machine(message) or is_role_name(message.speaker):
        return ()
    return (EntityMention(message.speaker, EntityKind.PERSON, "speaker"),)


def _distinct(mentions: Sequence[EntityMention]) -> tuple[EntityMention, ...]:
    found: dict[str, EntityMention] = {}
    for mention in mentions:
        found.setdefault(mention.name, mention)
    return tuple(found.values())


def _title(text: str) -> str:
    return text if len(text) <= _TITLE_LENGTH else text[:_TITLE_LENGTH].rsplit(" ", 1)[0] + " …"


def _mentions(message: Message, drafts: Sequence[EventDraft], everyone: Cast) -> tuple[EntityMention, ...]:
    """The names in a message, of the kinds that its statements have found for them."""
    kinds = {one.name: one.kind for draft in drafts for said in draft.statements for one in said.mentions if one.kind}
    named = {one.name: one for sentence in read_sentences(message.text, MOST_SENTENCES) for one in names_in(sentence, everyone.people)}
    return tuple(replace(one, kind=kinds.get(one.name, one.kind)) for one in named.values())
