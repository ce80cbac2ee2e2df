"""Committing an extraction: whether all that the worker read still holds, and what the write refers to."""

from collections.abc import Collection, Sized
from typing import TypeVar

from graph.errors import StaleWrite
from graph.model import Event, Statement
from graph.store.memory_rows import MemoryRow, memory_rows, source_of
from graph.store.port import ExtractionWrite
from graph.store.rules.sessions import SessionRow

S = TypeVar("S", bound=SessionRow)


def analysed_statements(write: ExtractionWrite, zone: str) -> dict[str, MemoryRow]:
    """The columns of the write's statements by id, in this time zone ("" is UTC). It takes the processor's time."""
    rows = memory_rows(source_of(statement, zone) for statement in write.statements)
    return {statement.id: row for statement, row in zip(write.statements, rows, strict=True)}


def expected_session(session: S | None, generation: int | None, write: ExtractionWrite) -> S:
    """The session, if it is as the worker saw it. `generation` is the current one; None when it is about to end.

    Raises:
        StaleWrite: the session is gone or was extracted further, or another generation has begun.
    """
    if session is None:
        raise StaleWrite("the session is gone")
    if session.extracted_seq != write.expected_watermark:
        raise StaleWrite("the session was extracted further by another write")
    if not write.expected_watermark <= write.watermark <= session.last_seq:
        raise StaleWrite("the watermark lies beyond the session's messages")
    if generation != write.generation:
        raise StaleWrite("another generation has begun")
    return session


def derived_nodes(write: ExtractionWrite) -> tuple[Statement | Event, ...]:
    """The nodes that the write adds besides entities, in the order in which they get their keys."""
    return (*write.statements, *write.events)


def outside_ids(write: ExtractionWrite) -> set[str]:
    """The ids of the nodes that the write refers to and does not bring."""
    derived = derived_nodes(write)
    referred = {id_ for node in derived for id_ in node.evidence_ids}
    referred |= {id_ for node in write.statements for id_ in node.entity_ids}
    referred |= {part.entity_id for event in write.events for part in event.participants}
    referred |= {id_ for event in write.events for id_ in event.statement_ids}
    referred |= {id_ for edge in write.edges for id_ in (edge.source_id, edge.target_id, edge.via_id) if id_}
    return (referred | set(write.read_ids) | set(write.again_ids)) - {node.id for node in (*derived, *write.entities)}


def require_all(found: Sized, wanted: Collection[str]) -> None:
    """Lets a write pass whose nodes outside it were all found. Raises StaleWrite."""
    if len(found) < len(wanted):
        raise StaleWrite("something that the extraction rests on was deleted")


def require_marked(found: int, again_ids: Sized) -> int:
    """Lets a write pass of which every message was still to be extracted anew; how many. Raises StaleWrite."""
    if found < len(again_ids):
        raise StaleWrite("the messages were extracted anew by another write")
    return found


def require_unedited(edited: bool) -> None:
    """Lets a write pass of which no message has been edited since it was read. Raises StaleWrite."""
    if edited:
        raise StaleWrite("a message that the extraction read was edited")
