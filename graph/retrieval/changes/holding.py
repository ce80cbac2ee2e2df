"""Which statements, and which events by what they state, hold as of a moment."""

from collections.abc import Sequence

from graph.model import AsOf, Event
from graph.store.port import Memory


async def standing_statements(memory: Memory, statement_ids: Sequence[str], as_of: AsOf) -> tuple[str, ...]:
    """Those of these statements of which all had been said by then, and that nothing had replaced."""
    known = set(statement_ids) if as_of.known is None else await memory.known_before(statement_ids, as_of.known)
    changes = await memory.replaced(list(known)) if known else {}
    return tuple(id_ for id_ in statement_ids if id_ in known and not any(map(as_of.sees, changes.get(id_, ()))))


async def events_that_hold(memory: Memory, events: Sequence[Event], as_of: AsOf) -> list[Event]:
    """Those of these events that state something which nothing had replaced by then, or nothing at all."""
    ids = [id_ for event in events for id_ in event.statement_ids]
    changes = await memory.replaced(ids) if ids else {}
    replaced = {id_ for id_, of_one in changes.items() if any(map(as_of.sees, of_one))}
    return [event for event in events if not event.statement_ids or not replaced.issuperset(event.statement_ids)]
