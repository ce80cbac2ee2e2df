"""Kinds and states as SQL names them: lists of the numbers of their enums."""

from collections.abc import Iterable
from enum import IntEnum

from graph.model import CHANGE_KINDS, EVENT_LINKS, LINK_KINDS, MEMORY_KINDS, STATEMENT_KINDS, SUMMARY_KINDS, EdgeKind, NodeKind
from graph.store.rules.jobs import OPEN_STATES


def numbers(members: Iterable[IntEnum]) -> str:
    """For `IN (...)`, ascending. Partial indexes apply only where a query lists the very numbers that they list."""
    return ", ".join(str(int(member)) for member in sorted(members))


MEMORIES = numbers(MEMORY_KINDS)
STATEMENTS = numbers(STATEMENT_KINDS)
DERIVED = numbers(STATEMENT_KINDS | {NodeKind.EVENT})
DELETABLE = numbers(MEMORY_KINDS | {NodeKind.EVENT})
OF_SESSION = numbers(MEMORY_KINDS | {NodeKind.EVENT, NodeKind.SESSION})
LINKS = numbers(LINK_KINDS)
# What replaced, or repeats, what.
CHANGES = numbers(CHANGE_KINDS)
# Edges that statements and events state of others.
STATED = numbers(EVENT_LINKS | {EdgeKind.RELATES})
NAMING = numbers((EdgeKind.INVOLVES, EdgeKind.MENTIONS))
ABOVE_EVENTS = numbers(SUMMARY_KINDS)
SUMMARIZES = f"kind = {EdgeKind.SUMMARIZES:d}"
OPEN = numbers(OPEN_STATES)
