"""From what the model said to what every extractor hands on: drafts of events."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import tzinfo

from extract.llm.answer import Fact, FlatFact, Relation
from extract.llm.dates import resolved_time
from extract.llm.reading import ReadEvent, Reading
from extract.llm.transcript import Transcript
from extract.port import EntityMention, EventDraft, Extraction, StatementDraft
from graph.model import EntityKind, ExtractionMode, ExtractionProfile, Message, NodeKind, Role
from graph.text.names import folded, is_role_name

_ROLE_OF = {EntityKind.PLACE: "place", EntityKind.ORGANISATION: "organisation", EntityKind.PERSON: "person"}


class DraftBuilder:
    """Makes drafts of one answer about one part of a transcript."""

    def __init__(self, transcript: Transcript, zone: tzinfo, mode: ExtractionMode, types: Mapping[str, EntityKind], part: int = 0) -> None:
        self._part = part
        self._transcript = transcript
        self._zone = zone
        self._mode = mode
        self._types = types
        self._named: dict[str, EntityMention] = {}
        self._spoken: dict[str, EntityMention] = {
            folded(message.speaker): EntityMention(message.speaker, EntityKind.PERSON, "speaker")
            for message in transcript.messages.values()
            if message.role is not Role.ASSISTANT and not is_role_name(message.speaker)
        }

    def extraction(self, reading: Reading, profile: ExtractionProfile) -> Extraction:
        """The events of an answer, at the places that they have in it."""
        roles = {one.name for one in profile.entity_types}
        mentions: dict[str, list[EntityMention]] = {}
        for entity in reading.entities:
            kind = self._types[entity.type]
            one = EntityMention(entity.name, kind, entity.type if entity.type in roles else _ROLE_OF.get(kind, ""))
            self._named.setdefault(folded(entity.name), one)
            for number in entity.messages:
                mentions.setdefault(self._transcript.messages[number].id, []).append(one)
        events = tuple(self._event(event) for event in reading.events)
        own = {self._transcript.messages[number].id for number in self._transcript.own if self._transcript.parts[number] == self._part}
        if self._mode is ExtractionMode.FLAT:
            return Extraction(events)
        return Extraction(events, {id_: tuple(found) for id_, found in mentions.items() if id_ in own})

    def _event(self, event: ReadEvent) -> EventDraft:
        statements = [self._statement(NodeKind.FACT, fact) for fact in event.facts]
        statements += [self._statement(NodeKind.RELATION, relation) for relation in event.relations]
        time = next((one.time for one in statements if one.time), None)
        participants: dict[str, EntityMention] = {}
        for one in statements:
            for mention in one.mentions:
                participants.setdefault(folded(mention.name), mention)
        title = event.title or (statements[0].text if statements else "")
        return EventDraft(title, tuple(statements), time, tuple(participants.values()), tuple(event.causes))

    def _statement(self, kind: NodeKind, said: Fact | FlatFact | Relation) -> StatementDraft:
        numbers = sorted(dict.fromkeys(said.messages))
        evidence = [self._transcript.messages[number] for number in numbers]
        # Whose statement it is follows from who said it: the model is not asked.
        speaker = next(
            message.speaker for number, message in zip(reversed(numbers), reversed(evidence), strict=True) if self._is_own(number)
        )
        time = resolved_time(said.when, said.date, evidence, self._zone)
        ids = tuple(message.id for message in evidence)
        if isinstance(said, Fact | Relation) and self._mode is not ExtractionMode.FLAT:
            mentions = self._mentions(said, speaker)
            return StatementDraft(kind, said.text, speaker, ids, mentions, said.predicate, said.subject, said.object, time, said.confidence)
        return StatementDraft(kind, said.text, speaker, ids, time=time, confidence=said.confidence)

    def _is_own(self, number: int) -> bool:
        return number in self._transcript.own

    def _mentions(self, said: Fact | Relation, speaker: str) -> tuple[EntityMention, ...]:
        """Who speaks, the ends of the statement that are entities, and those whose names stand in its text."""
        found: dict[str, EntityMention] = {}
        for name, role in ((speaker, "speaker"), (said.subject, "subject"), (said.object, "object")):
            key = folded(name)
            known = self._named.get(key) or self._spoken.get(key)
            if known and key not in found:
                kind = known.kind if known.kind is not EntityKind.UNKNOWN else EntityKind.PERSON
                found[key] = EntityMention(known.name, kind, known.role if known.role not in {"", *_ROLE_OF.values(), "speaker"} else role)
        text = folded(said.text)
        for key, mention in self._named.items():
            if re.search(rf"(?<!\w){re.escape(key)}(?!\w)", text):
                found.setdefault(key, mention)
        return tuple(found.values())


def joined(parts: Sequence[Extraction]) -> Extraction:
    """The extractions of the parts of one segment, as one."""
    events: list[EventDraft] = []
    mentions: dict[str, tuple[EntityMention, ...]] = {}
    for part in parts:
        first, count = len(events), len(part.events)
        for one in part.events:
            causes = tuple(first + index for index in one.causes if 0 <= index < count)
            events.append(replace(one, causes=causes))
        for id_, found in part.mentions.items():
            mentions[id_] = (*mentions.get(id_, ()), *found)
    failures = tuple(failure for part in parts for failure in part.partial_failures)
    return Extraction(tuple(events), mentions, partial_failures=failures)


def seqs_in_words(messages: Sequence[Message]) -> str:
    """Which messages of the session these are."""
    first, last = messages[0].seq, messages[-1].seq
    return f"message {first}" if first == last else f"messages {first} to {last}"
