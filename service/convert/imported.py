"""Records of an export, from the contract: every node, edge, vector and progress record is checked as if a stranger had written it.

An import is as quick as this: what a node names is mostly what came before, so ids that were found valid are known again.
"""

from collections.abc import Iterable

import numpy as np
from structmem.v1 import exchange_pb2, node_pb2

from graph.errors import FieldViolation, InvalidArgument
from graph.model import (
    MAX_NAME_LENGTH,
    Edge,
    EdgeKind,
    Entity,
    Event,
    Granularity,
    Message,
    MessageVersion,
    NodeKind,
    Participant,
    Role,
    Seed,
    Session,
    Statement,
    Summary,
    SummaryLevel,
    SummarySentence,
    TimeSpan,
)
from graph.model.ids import PREFIXES, kind_of
from graph.store.port import ExportRecord, ExtractedSpan, PassageVector, SessionProgress
from graph.store.port.consolidating import MAX_SENTENCE, MAX_SENTENCES, MAX_TITLE
from service.convert.edges import MAX_PROPERTY, properties_from_proto
from service.convert.entity_kinds import entity_kind_from_proto
from service.convert.messages import MAX_CAPTION, MAX_CLIENT_ID, MAX_SPEAKER, MAX_TEXT, labels_from_proto, within_bytes
from service.convert.times import span_from_proto
from service.validate import Violations, enum_value, instant, node_id, text, zone_name

MAX_NAME = MAX_NAME_LENGTH
MAX_STATEMENT = 20_000
# Ids known again take about 200 bytes each; of more than these, the later ones are read anew.
_MAX_KNOWN = 1_000_000
# By prefix, which compares and hashes more quickly than the kind.
_EVERY = frozenset(PREFIXES.values())
_SESSIONS, _MESSAGES, _EVENTS, _FACTS, _RELATIONS, _ENTITIES, _SUMMARIES = (frozenset({PREFIXES[kind]}) for kind in NodeKind)
_STATEMENTS = _FACTS | _RELATIONS
_KINDS = {prefix: kind for kind, prefix in PREFIXES.items()}


class RecordReader:
    """Reads the records of one export, in their order. `dimension` is that of the namespace's vectors."""

    def __init__(self, dimension: int) -> None:
        self._dimension = dimension
        self._known: dict[str, str] = {}
        # Of summaries alone: their levels, and what they tell of.
        self._levels: dict[str, SummaryLevel] = {}
        self._told: set[str] = set()
        self._read = 0

    def records(self, given: Iterable[exchange_pb2.ExportRecord]) -> list[ExportRecord]:
        """The next records.

        Raises:
            InvalidArgument: all that is wrong with the first bad one; its number, from 0, is "record" of the metadata.
        """
        found = Violations()
        records: list[ExportRecord] = []
        for one in given:
            record = self._record(found, one)
            if record is None:
                break
            records.append(record)
        # Checked many at a time: one by one that takes longer than all else that is done with a vector.
        vectors = [(index, record.vector) for index, record in enumerate(records) if type(record) is PassageVector]
        if vectors and not np.isfinite(np.stack([vector for _, vector in vectors])).all():
            index = next(index for index, vector in vectors if not np.isfinite(vector).all())
            found = Violations()
            found.add("record.vector.float16_values", "must hold finite numbers only")
            del records[index:]
        self._read += len(records)
        try:
            found.check()
        except InvalidArgument as error:
            raise _located(error, len(records), self._read) from None
        return records

    def _record(self, found: Violations, given: exchange_pb2.ExportRecord) -> ExportRecord | None:
        """The record; None after a violation."""
        record: ExportRecord | None = None
        match given.WhichOneof("kind"):
            case "node":
                record = self._node(found, given.node)
            case "edge":
                record = self._edge(found, given.edge)
            case "progress":
                record = self._progress(found, given.progress)
            case "vector":
                record = self._vector(found, given.vector)
            case _:
                found.add("record", "is empty")
        return None if found else record

    def _node(self, found: Violations, node: node_pb2.Node) -> ExportRecord | None:
        match node.WhichOneof("kind"):
            case "session":
                return self._session(found, node.session)
            case "message":
                return self._message(found, node.message)
            case "event":
                return self._event(found, node.event)
            case "statement":
                return self._statement(found, node.statement)
            case "entity":
                return self._entity(found, node.entity)
            case "summary":
                return self._summary(found, node.summary)
            case _:
                found.add("record.node", "is empty")
                return None

    def _session(self, found: Violations, session: node_pb2.Session) -> Session:
        return Session(
            id=self._id(found, "record.node.session.id", session.id, _SESSIONS),
            name=text(found, "record.node.session.name", session.name, MAX_NAME),
            recorded_at=instant(found, "record.node.session.recorded_at", session.recorded_at),
            time_zone=zone_name(found, "record.node.session.time_zone", session.time_zone),
            message_count=_count(found, "record.node.session.message_count", session.message_count),
            first_sent_at=instant(found, "record.node.session.first_sent_at", session.first_sent_at)
            if session.HasField("first_sent_at")
            else None,
            last_sent_at=instant(found, "record.node.session.last_sent_at", session.last_sent_at)
            if session.HasField("last_sent_at")
            else None,
            extracted_seq=_count(found, "record.node.session.extracted_seq", session.extracted_seq),
        )

    def _message(self, found: Violations, message: node_pb2.Message) -> Message:
        within_bytes(found, "record.node.message", message.text, message.image_caption)
        return Message(
            id=self._id(found, "record.node.message.id", message.id, _MESSAGES),
            session=text(found, "record.node.message.session", message.session, MAX_NAME),
            seq=_count(found, "record.node.message.seq", message.seq, low=1),
            speaker=text(found, "record.node.message.speaker", message.speaker, MAX_SPEAKER),
            role=enum_value(found, "record.node.message.role", message.role, Role) or Role.USER,
            text=text(found, "record.node.message.text", message.text, MAX_TEXT),
            sent_at=instant(found, "record.node.message.sent_at", message.sent_at),
            recorded_at=instant(found, "record.node.message.recorded_at", message.recorded_at),
            client_id=text(found, "record.node.message.client_id", message.client_id, MAX_CLIENT_ID, required=False),
            labels=labels_from_proto(found, "record.node.message.labels", dict(message.labels) if message.labels else {}),
            image_caption=text(found, "record.node.message.image_caption", message.image_caption, MAX_CAPTION, required=False),
            edited_at=instant(found, "record.node.message.edited_at", message.edited_at) if message.HasField("edited_at") else None,
            versions=tuple(self._version(found, i, version) for i, version in enumerate(message.earlier_versions)),
        )

    def _version(self, found: Violations, index: int, version: node_pb2.MessageVersion) -> MessageVersion:
        at = f"record.node.message.earlier_versions[{index}]"
        within_bytes(found, at, version.text, version.image_caption)
        return MessageVersion(
            text=text(found, f"{at}.text", version.text, MAX_TEXT),
            written_at=instant(found, f"{at}.written_at", version.written_at),
            labels=labels_from_proto(found, f"{at}.labels", dict(version.labels)),
            image_caption=text(found, f"{at}.image_caption", version.image_caption, MAX_CAPTION, required=False),
        )

    def _event(self, found: Violations, event: node_pb2.Event) -> Event:
        at = "record.node.event"
        return Event(
            id=self._id(found, "record.node.event.id", event.id, _EVENTS),
            session=text(found, "record.node.event.session", event.session, MAX_NAME),
            title=text(found, "record.node.event.title", event.title, MAX_STATEMENT, required=False),
            said_at=instant(found, "record.node.event.said_at", event.said_at),
            recorded_at=instant(found, "record.node.event.recorded_at", event.recorded_at),
            evidence_ids=self._ids(found, "record.node.event.evidence_ids", event.evidence_ids, _MESSAGES),
            time=span_from_proto(found, "record.node.event.time", event.time) if event.HasField("time") else None,
            statement_ids=self._ids(found, "record.node.event.statement_ids", event.statement_ids, _STATEMENTS),
            participants=tuple(self._participant(found, f"{at}.participants[{i}]", part) for i, part in enumerate(event.participants)),
            retired_at=instant(found, "record.node.event.retired_at", event.retired_at) if event.HasField("retired_at") else None,
            generation=_count(found, "record.node.event.generation", event.generation),
        )

    def _participant(self, found: Violations, at: str, part: node_pb2.Participant) -> Participant:
        return Participant(
            entity_id=self._id(found, f"{at}.entity_id", part.entity_id, _ENTITIES),
            role=text(found, f"{at}.role", part.role, MAX_PROPERTY, required=False),
            name=text(found, f"{at}.name", part.name, MAX_PROPERTY, required=False),
        )

    def _statement(self, found: Violations, statement: node_pb2.Statement) -> Statement:
        kind = enum_value(found, "record.node.statement.kind", statement.kind, NodeKind)
        if kind is not NodeKind.FACT and kind is not NodeKind.RELATION:
            found.add("record.node.statement.kind", "must be NODE_KIND_FACT or NODE_KIND_RELATION")
            kind = NodeKind.FACT
        if not 0 <= statement.confidence <= 1:
            found.add("record.node.statement.confidence", "must be from 0 to 1")
        return Statement(
            id=self._id(found, "record.node.statement.id", statement.id, _FACTS if kind is NodeKind.FACT else _RELATIONS),
            kind=kind,
            session=text(found, "record.node.statement.session", statement.session, MAX_NAME),
            text=text(found, "record.node.statement.text", statement.text, MAX_STATEMENT),
            speaker=text(found, "record.node.statement.speaker", statement.speaker, MAX_SPEAKER, required=False),
            said_at=instant(found, "record.node.statement.said_at", statement.said_at),
            recorded_at=instant(found, "record.node.statement.recorded_at", statement.recorded_at),
            evidence_ids=self._ids(found, "record.node.statement.evidence_ids", statement.evidence_ids, _MESSAGES),
            event_id=self._id(found, "record.node.statement.event_id", statement.event_id, _EVENTS) if statement.event_id else "",
            entity_ids=self._ids(found, "record.node.statement.entity_ids", statement.entity_ids, _ENTITIES),
            predicate=text(found, "record.node.statement.predicate", statement.predicate, MAX_PROPERTY, required=False),
            subject=text(found, "record.node.statement.subject", statement.subject, MAX_PROPERTY, required=False),
            object=text(found, "record.node.statement.object", statement.object, MAX_STATEMENT, required=False),
            time=span_from_proto(found, "record.node.statement.time", statement.time) if statement.HasField("time") else None,
            confidence=statement.confidence,
            retired_at=instant(found, "record.node.statement.retired_at", statement.retired_at)
            if statement.HasField("retired_at")
            else None,
            generation=_count(found, "record.node.statement.generation", statement.generation),
        )

    def _entity(self, found: Violations, entity: node_pb2.Entity) -> Entity:
        at = "record.node.entity"
        return Entity(
            id=self._id(found, "record.node.entity.id", entity.id, _ENTITIES),
            name=text(found, "record.node.entity.name", entity.name, MAX_PROPERTY),
            kind=entity_kind_from_proto(found, "record.node.entity.kind", entity.kind),
            recorded_at=instant(found, "record.node.entity.recorded_at", entity.recorded_at),
            aliases=tuple(text(found, f"{at}.aliases[{i}]", alias, MAX_PROPERTY) for i, alias in enumerate(entity.aliases)),
            mention_count=_count(found, "record.node.entity.mention_count", entity.mention_count),
        )

    def _summary(self, found: Violations, summary: node_pb2.Summary) -> Summary:
        at = "record.node.summary"
        level = enum_value(found, f"{at}.level", summary.level, SummaryLevel)
        if level is None:
            found.add(f"{at}.level", "is required")
            level = SummaryLevel.WINDOW
        members = self._ids(found, f"{at}.member_ids", summary.member_ids, _EVENTS if level is SummaryLevel.WINDOW else _SUMMARIES)
        self._check_members(found, f"{at}.member_ids", members, level)
        if level is SummaryLevel.PROFILE and level in self._levels.values():
            found.add(f"{at}.level", "must be of one summary where it is PROFILE")
        self._levels[summary.id] = level
        if len(summary.sentences) > MAX_SENTENCES:
            found.add(f"{at}.sentences", f"must be at most {MAX_SENTENCES}")
        if level is SummaryLevel.WINDOW and len(summary.sessions) != 1:
            found.add(f"{at}.sessions", "must name the one session of a window")
        time = span_from_proto(found, f"{at}.time", summary.time)
        said_from = instant(found, f"{at}.said_from", summary.said_from)
        return Summary(
            id=self._id(found, f"{at}.id", summary.id, _SUMMARIES),
            level=level,
            title=text(found, f"{at}.title", summary.title, MAX_TITLE, required=False),
            sentences=tuple(self._sentence(found, f"{at}.sentences[{i}]", one, members) for i, one in enumerate(summary.sentences)),
            member_ids=members,
            time=TimeSpan(said_from, said_from, Granularity.INSTANT) if time is None else time,
            said_from=said_from,
            said_to=instant(found, f"{at}.said_to", summary.said_to),
            recorded_at=instant(found, f"{at}.recorded_at", summary.recorded_at),
            consolidated_at=instant(found, f"{at}.consolidated_at", summary.consolidated_at),
            consolidator=text(found, f"{at}.consolidator", summary.consolidator, MAX_PROPERTY, required=False),
            generation=_count(found, f"{at}.generation", summary.generation),
            sessions=tuple(text(found, f"{at}.sessions[{i}]", name, MAX_NAME) for i, name in enumerate(summary.sessions)),
            names=tuple(text(found, f"{at}.names[{i}]", name, MAX_PROPERTY) for i, name in enumerate(summary.names)),
            seeds=tuple(self._seed(found, f"{at}.seeds[{i}]", one) for i, one in enumerate(summary.seeds)),
            stale_since=instant(found, f"{at}.stale_since", summary.stale_since) if summary.HasField("stale_since") else None,
            calls=tuple(text(found, f"{at}.calls[{i}]", call, MAX_PROPERTY) for i, call in enumerate(summary.calls)),
        )

    def _check_members(self, found: Violations, at: str, members: tuple[str, ...], level: SummaryLevel) -> None:
        """A summary has members, of the level below, that no other tells of. What they are must have come before."""
        if not members:
            found.add(at, "must name what the summary tells of")
        if len(set(members)) < len(members) or not self._told.isdisjoint(members):
            found.add(at, "must name what no other summary tells of, and that once")
        if level is not SummaryLevel.WINDOW and any(self._levels.get(id_, level - 1) != level - 1 for id_ in members):
            found.add(at, "must name summaries of the level below")
        self._told.update(members)

    def _sentence(self, found: Violations, at: str, one: node_pb2.SummarySentence, members: tuple[str, ...]) -> SummarySentence:
        if not one.source_ids or not set(members).issuperset(one.source_ids):
            found.add(f"{at}.source_ids", "must name members of the summary, at least one")
        return SummarySentence(text(found, f"{at}.text", one.text, MAX_SENTENCE), tuple(one.source_ids))

    def _seed(self, found: Violations, at: str, one: node_pb2.Seed) -> Seed:
        if not -1 <= one.similarity <= 1:
            found.add(f"{at}.similarity", "must be from -1 to 1")
        return Seed(self._id(found, f"{at}.event_id", one.event_id, _EVENTS), one.similarity)

    def _edge(self, found: Violations, edge: node_pb2.Edge) -> Edge | None:
        kind = enum_value(found, "record.edge.kind", edge.kind, EdgeKind)
        source = self._id(found, "record.edge.source_id", edge.source_id)
        target = self._id(found, "record.edge.target_id", edge.target_id)
        via = self._id(found, "record.edge.via_id", edge.via_id) if edge.via_id else ""
        if kind is None:
            found.add("record.edge.kind", "is required")
            return None
        return Edge(kind, source, target, via, properties_from_proto(found, "record.edge", edge))

    def _progress(self, found: Violations, progress: exchange_pb2.SessionProgress) -> SessionProgress:
        at = "record.progress"
        return SessionProgress(
            session=text(found, "record.progress.session", progress.session, MAX_NAME),
            extracted_seq=_count(found, "record.progress.extracted_seq", progress.extracted_seq),
            flush_marks=tuple(_count(found, f"{at}.flush_marks[{i}]", mark, low=1) for i, mark in enumerate(progress.flush_marks)),
            again=tuple(_count(found, f"{at}.again[{i}]", seq, low=1) for i, seq in enumerate(progress.again)),
            spans=tuple(_span(found, f"{at}.spans[{i}]", span) for i, span in enumerate(progress.spans)),
        )

    def _vector(self, found: Violations, vector: exchange_pb2.PassageVector) -> PassageVector:
        if len(vector.float16_values) != self._dimension * 2:
            found.add(
                "record.vector.float16_values",
                f"must be {self._dimension:,} numbers of 2 bytes; it has {len(vector.float16_values):,} bytes",
            )
            return PassageVector("", 0, np.zeros(0, np.float16))
        numbers = np.frombuffer(vector.float16_values, dtype="<f2").astype(np.float16, copy=False)
        return PassageVector(
            self._id(found, "record.vector.owner_id", vector.owner_id), _count(found, "record.vector.ordinal", vector.ordinal), numbers
        )

    def _ids(self, found: Violations, at: str, ids: Iterable[str], prefixes: frozenset[str]) -> tuple[str, ...]:
        values = tuple(ids)
        known = self._known
        for value in values:
            if known.get(value) not in prefixes:
                return tuple(self._id(found, f"{at}[{index}]", value, prefixes) for index, value in enumerate(values))
        return values

    def _id(self, found: Violations, at: str, value: str, prefixes: frozenset[str] = _EVERY) -> str:
        prefix = self._known.get(value) or self._prefix(value)
        if prefix in prefixes:
            return value
        return node_id(found, at, value, [_KINDS[each] for each in prefixes])

    def _prefix(self, value: str) -> str:
        """The prefix of a valid id, else nothing."""
        try:
            kind_of(value)
        except ValueError:
            return ""
        prefix = value.partition("_")[0]
        if len(self._known) < _MAX_KNOWN:
            self._known[value] = prefix
        return prefix


def _located(error: InvalidArgument, index: int, number: int) -> InvalidArgument:
    """The error with the fields as they are called in the request: `record` is the one at this index of the batch."""
    at = f"batch.records[{index}]"
    violations = [FieldViolation(at + violation.field.removeprefix("record"), violation.reason) for violation in error.violations]
    located = InvalidArgument(violations)
    located.metadata = {"record": str(number)}
    return located


def _count(found: Violations, at: str, value: int, low: int = 0) -> int:
    if value < low:
        found.add(at, f"must be at least {low}")
    return value


def _span(found: Violations, at: str, span: exchange_pb2.ExtractedSpan) -> ExtractedSpan:
    return ExtractedSpan(
        first=_count(found, f"{at}.first_seq", span.first_seq, low=1),
        last=_count(found, f"{at}.last_seq", span.last_seq, low=1),
        read_from=_count(found, f"{at}.read_from_seq", span.read_from_seq, low=1),
        call=text(found, f"{at}.call", span.call, 64, required=False),
    )
