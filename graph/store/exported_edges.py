"""All edges of an export: those that it names, those that its nodes imply, and those of the conversation."""

from collections.abc import Iterator
from typing import assert_never

from graph.model import Edge, EdgeKind, Entity, Event, Message, Session, Statement, Summary, implied_edges
from graph.store.port import ExportRecord, PassageVector, SessionProgress


class ExportedEdges:
    """Gives each record's edges, as the records come by in the order of the export. Both ends of an edge have come by then."""

    def __init__(self) -> None:
        self._sessions: dict[str, str] = {}
        self._last: dict[str, Message] = {}

    def of(self, record: ExportRecord) -> Iterator[Edge]:
        """The edges that this record brings."""
        match record:
            case Edge():
                yield record
            case Event() | Statement() | Summary():
                yield from implied_edges(record)
            case Session():
                self._sessions[record.name] = record.id
            case Message():
                yield from self._conversation(record)
            case Entity() | SessionProgress() | PassageVector():
                return
            case _:
                assert_never(record)

    def _conversation(self, message: Message) -> Iterator[Edge]:
        """IN_SESSION and NEXT, which an export leaves to the messages' session and seq."""
        session_id = self._sessions.get(message.session)
        if session_id is not None:
            yield Edge(EdgeKind.IN_SESSION, message.id, session_id)
        before = self._last.get(message.session)
        if before is not None and before.seq < message.seq:
            yield Edge(EdgeKind.NEXT, before.id, message.id)
        self._last[message.session] = message
