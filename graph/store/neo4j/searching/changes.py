"""What a reader learns in one round trip before it answers: the namespace's revision, and what changed since the one that it knows."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from graph.store.neo4j.driver.connection import Connection
from graph.store.neo4j.driver.reading import namespace_row

# Who is further behind reads what it needs anew, which costs less than so many changes.
_MOST_CHANGES = 5_000
# As lists: columns of rows would cost more than the reading.
_CHANGES = f"""CALL (n) {{ MATCH (c:Change) WHERE c.namespace = n.name AND c.revision > $since
    WITH c ORDER BY c.namespace, c.revision LIMIT {_MOST_CHANGES}
    RETURN collect([c.revision, c.added, c.retired, c.removed, c.embedded,
        c.messages_passages, c.messages_length, c.messages_hashes, c.messages_deltas,
        c.statements_passages, c.statements_length, c.statements_hashes, c.statements_deltas]) AS changes }}"""
_HEAD = "n.uid, n.token, n.revision, n.embedding_dimension, changes"


class Change(NamedTuple):
    """One revision; see `ChangeProperties`."""

    revision: int
    added: bytes | None
    retired: bytes | None
    removed: bytes | None
    embedded: bytes | None
    messages_passages: int | None
    messages_length: int | None
    messages_hashes: bytes | None
    messages_deltas: bytes | None
    statements_passages: int | None
    statements_length: int | None
    statements_hashes: bytes | None
    statements_deltas: bytes | None


@dataclass(frozen=True, slots=True)
class Head:
    """A namespace as it was a moment ago.

    Attributes:
        changes: those after the revision asked about, without a gap, in order.
        missing: the log does not reach back that far, or tells of too much.
        answers: what the parts of a query that was sent along gave.
    """

    uid: str
    token: str
    dimension: int
    revision: int
    changes: tuple[Change, ...]
    missing: bool
    answers: tuple[Any, ...] = field(default=())


async def read_head(
    connection: Connection, namespace: str, since: int, parts: Sequence[tuple[str, str]] = (), parameters: dict[str, Any] | None = None
) -> Head:
    """The namespace and its changes after the revision `since`. `parts`, pairs of a subquery and the column that it gives, are asked
    along."""
    subqueries, columns = " ".join(query for query, _ in parts), "".join(f", {column}" for _, column in parts)
    body = f"{_CHANGES} {subqueries} RETURN {_HEAD}{columns}"
    uid, token, revision, dimension, rows, *answers = await namespace_row(
        connection, namespace, body, {"since": since, **(parameters or {})}
    )
    changes = _gapless(since, sorted(rows, key=lambda row: row[0]))
    known = changes[-1].revision if changes else since
    return Head(uid, token, dimension, max(known, revision), changes, known < revision, tuple(answers))


def _gapless(since: int, rows: Sequence[Sequence[Any]]) -> tuple[Change, ...]:
    """Changes up to the first that is not there: a scan may have passed the place of one that was committed just then."""
    changes: list[Change] = []
    for row in rows:
        if row[0] != since + len(changes) + 1:
            break
        changes.append(Change(*row))
    return tuple(changes)
