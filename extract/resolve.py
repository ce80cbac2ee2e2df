"""From drafts to what a store writes: ids minted, entities told apart, edges drawn."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import pairwise

from extract.entities import ALIAS, EntityBook
from extract.port import EventDraft, Extraction, Segment, StatementDraft
from graph.model import (
    DISTANT_FUTURE,
    DISTANT_PAST,
    PREFIXES,
    Edge,
    EdgeKind,
    Entity,
    Event,
    IdSource,
    NodeKind,
    Participant,
    Statement,
    TimeSpan,
)


@dataclass(frozen=True, slots=True)
class ResolvedExtraction:
    """The parts of an ExtractionWrite that come from a segment's draft."""

    statements: tuple[Statement, ...]
    events: tuple[Event, ...]
    entities: tuple[Entity, ...]
    edges: tuple[Edge, ...]


def resolve(
    extraction: Extraction, segment: Segment, generation: int, ids: IdSource, now: datetime, known: Sequence[Entity] = ()
) -> ResolvedExtraction:
    """Turns the draft of a segment into nodes and edges of a generation, recorded at `now`.

    `known` are entities of the namespace that may be the same as some of the draft's under another name.

    Statements whose evidence is not in the segment or its context are left out, and events without statements with them.
    """
    said = {message.id: message.sent_at for message in (*segment.context, *segment.messages)}
    book = EntityBook(extraction, ids, now, known)
    statements: list[Statement] = []
    events: list[Event | None] = []
    edges: list[Edge] = []
    for draft in extraction.events:
        event_id = ids.mint(PREFIXES[NodeKind.EVENT])
        stated = [
            _statement(one, event_id, segment.session, max(said[e] for e in one.evidence), book, generation, ids, now)
            for one in draft.statements
            if one.evidence and said.keys() >= set(one.evidence)
        ]
        statements.extend(stated)
        events.append(_event(draft, event_id, stated, segment.session, book, generation, now) if stated else None)
        edges.extend(_relates(stated, book))
        edges.extend(_known_as(draft, stated, book))
    edges.extend(_same_as(one.name_id, one.other_id, one.confidence, one.reason) for one in book.same_names())
    links = [*_links(extraction.events, events), *_before([event for event in events if event])]
    sure = {one.event_id: one.confidence for one in sorted(statements, key=lambda one: one.confidence)}
    edges.extend(_link(*link, said, sure) for link in links)
    for message_id, mentions in extraction.mentions.items():
        if message_id in said:
            edges.extend(Edge(EdgeKind.MENTIONS, message_id, entity) for entity in book.ids_of(mentions))
    kept = tuple(event for event in events if event)
    return ResolvedExtraction(tuple(statements), kept, book.entities(), tuple(edges))


def _statement(
    draft: StatementDraft, event_id: str, session: str, said_at: datetime, book: EntityBook, generation: int, ids: IdSource, now: datetime
) -> Statement:
    return Statement(
        id=ids.mint(PREFIXES[draft.kind]),
        kind=draft.kind,
        session=session,
        text=draft.text,
        speaker=draft.speaker,
        said_at=said_at,
        recorded_at=now,
        evidence_ids=tuple(dict.fromkeys(draft.evidence)),
        event_id=event_id,
        entity_ids=tuple(book.ids_of(draft.mentions)),
        predicate=draft.predicate,
        subject=draft.subject,
        object=draft.object,
        time=draft.time,
        confidence=draft.confidence,
        generation=generation,
    )


def _event(
    draft: EventDraft, event_id: str, stated: Sequence[Statement], session: str, book: EntityBook, generation: int, now: datetime
) -> Event:
    participants = {
        (entity, mention.role): Participant(entity, mention.role, mention.name)
        for mention in draft.participants
        for entity in book.ids_of((mention,))
    }
    return Event(
        id=event_id,
        session=session,
        title=draft.title,
        said_at=max(one.said_at for one in stated),
        recorded_at=now,
        evidence_ids=tuple(dict.fromkeys(evidence for one in stated for evidence in one.evidence_ids)),
        time=draft.time,
        statement_ids=tuple(one.id for one in stated),
        participants=tuple(participants.values()),
        generation=generation,
    )


def _relates(stated: Sequence[Statement], book: EntityBook) -> Iterator[Edge]:
    """An edge between the two ends of each relation, and of each fact that shortens to a predicate, where both are entities."""
    for one in stated:
        is_relation = one.kind is NodeKind.RELATION
        if not one.predicate or not one.subject or not one.object:
            continue
        subject = book.id_of(one.subject)
        target = book.id_of(one.object) if is_relation else book.head_of(one.object)
        if subject and target and subject != target:
            yield Edge(EdgeKind.RELATES, subject, target, via_id=one.id, properties=_relation_properties(one))


def _known_as(draft: EventDraft, stated: Sequence[Statement], book: EntityBook) -> Iterator[Edge]:
    """Links from what somebody is called by to who that is: "Maria's boss" to Nora, where a relation says so."""
    by_text = {(one.kind, one.text): one for one in stated}
    for said in draft.statements:
        statement = by_text.get((said.kind, said.text))
        for alias in said.mentions:
            name, other = book.id_of(alias.name), book.id_of(said.subject)
            if alias.role == ALIAS and statement and name and other and name != other:
                yield _same_as(name, other, said.confidence, "kinship or role", statement.id)


def _same_as(name: str, other: str, confidence: float, reason: str, via: str = "") -> Edge:
    return Edge(EdgeKind.SAME_AS, name, other, via, {"confidence": str(confidence), "reason": reason})


def _relation_properties(relation: Statement) -> dict[str, str]:
    properties = {"predicate": relation.predicate}
    if relation.time and relation.time.start != DISTANT_PAST:
        properties["valid_from"] = relation.time.start.isoformat()
    if relation.time and relation.time.end != DISTANT_FUTURE:
        properties["valid_until"] = relation.time.end.isoformat()
    return properties


def _link(kind: EdgeKind, first: Event, second: Event, said: Mapping[str, datetime], sure: Mapping[str, float]) -> Edge:
    """What one event is to another, by the message with which both are told, and as sure as the less sure of the two."""
    via = max((*first.evidence_ids, *second.evidence_ids), key=lambda id_: said[id_])
    told = {"source": "stated", "confidence": str(min(sure[first.id], sure[second.id]))}
    return Edge(kind, first.id, second.id, via, told)


def _links(drafts: Sequence[EventDraft], events: Sequence[Event | None]) -> Iterator[tuple[EdgeKind, Event, Event]]:
    """What an extractor says that events are to others."""
    for draft, first in zip(drafts, events, strict=True):
        for kind, indexes in ((EdgeKind.CAUSES, draft.causes), (EdgeKind.ENABLES, draft.enables)):
            for index in indexes:
                second = events[index] if 0 <= index < len(events) else None
                if first and second and first is not second:
                    yield kind, first, second


def _before(events: Sequence[Event]) -> Iterator[tuple[EdgeKind, Event, Event]]:
    """A chain through the events of each message whose times were stated and do not overlap.

    Open-ended times ("since 2019") order nothing. Events of different messages are left to their own times: an edge between them would say
    no more, and would depend on where the segment happened to end.
    """
    by_message: dict[str, list[tuple[TimeSpan, Event]]] = {}
    for event in events:
        if event.time and event.time.start != DISTANT_PAST and event.time.end != DISTANT_FUTURE:
            by_message.setdefault(event.evidence_ids[-1], []).append((event.time, event))
    for dated in by_message.values():
        dated.sort(key=lambda pair: (pair[0].start, pair[0].end))
        for (earlier_time, earlier), (later_time, later) in pairwise(dated):
            if earlier_time.end <= later_time.start:
                yield EdgeKind.BEFORE, earlier, later
