"""Summaries as rows, what becomes of them when what they rest on changes, and the events that wait for one."""

from collections.abc import Collection, Iterable, Mapping
from typing import Any

import apsw
import orjson

from graph.model import EdgeKind, Event, NodeKind, Summary, SummaryLevel, to_micros
from graph.store.embedded.files.transaction import Transaction
from graph.store.embedded.rows.kind_numbers import ABOVE_EVENTS, SUMMARIZES
from graph.store.embedded.rows.node_keys import id_columns, ids_of
from graph.store.embedded.rows.node_values import edge_values
from graph.store.embedded.rows.node_writer import insert_edges
from graph.store.port import Float16Vector
from graph.store.rules.consolidating import emptied_body, stored_body
from graph.store.rules.listed_edges import summary_edges

_UPSERT = f"INSERT OR REPLACE INTO nodes VALUES ({', '.join('?' * 17)})"
_ABOVE = f"""WITH RECURSIVE above (key) AS (SELECT src FROM edges WHERE dst = ?1 AND {SUMMARIZES}
    UNION SELECT e.src FROM above a JOIN edges e ON e.dst = a.key AND e.{SUMMARIZES}) SELECT key FROM above"""


# Of a statement the event that states it, of a message those that rest on it.
_EVENTS_OF = f"""SELECT e.src FROM edges e JOIN nodes n ON n.key = e.src
    WHERE e.dst = ? AND e.kind IN ({EdgeKind.EVIDENCED_BY:d}, {EdgeKind.STATES:d}) AND n.kind = {NodeKind.EVENT:d}"""


def wait_for_window(tx: Transaction, session: int, events: Iterable[tuple[int, Event]]) -> None:
    """The events, new in this session, wait; a window into which one of them falls is stale."""
    rows = [(session, to_micros(event.said_at), key) for key, event in events]
    tx.db.executemany("INSERT OR IGNORE INTO waiting_events VALUES (?, ?, ?)", rows)
    late = tx.db.executemany(
        "SELECT key FROM summaries WHERE session = ?1 AND said_from <= ?2 AND said_to >= ?2 AND stale_since IS NULL",
        [row[:2] for row in rows],
    )
    mark_stale(tx, {key for (key,) in late})


def tell_of_replaced(tx: Transaction, keys: Collection[int]) -> bool:
    """These memories hold no more: what tells of their events is stale. Whether anything does.

    A consolidation that read before may be about to tell of them, and has to read again.
    """
    something_removed(tx)
    events = {key for (key,) in tx.db.executemany(_EVENTS_OF, [(key,) for key in keys])}
    told = above(tx.db, events)
    mark_stale(tx, told)
    return bool(told)


def write_summary(
    tx: Transaction, key: int, summary: Summary, session: int | None, keys: Mapping[str, int], vector: Float16Vector | None
) -> None:
    """Stores a summary under a key, in place of what stands there; `keys` are those of its members and seeds."""
    uuid, kind = id_columns(summary.id)
    said, recorded = to_micros(summary.said_from), to_micros(summary.recorded_at)
    starts, ends = to_micros(summary.time.start), to_micros(summary.time.end)
    head = (key, uuid, kind, None, int(summary.level), None, 0, said, starts, ends, recorded, None, summary.generation)
    tx.db.execute(_UPSERT, (*head, 0, None, None, orjson.dumps(stored_body(summary))))
    tx.db.execute(f"DELETE FROM edges WHERE src = ? AND kind IN ({ABOVE_EVENTS})", (key,))
    insert_edges(tx, [edge_values(edge) for edge in summary_edges(key, summary, keys)])
    stale = None if summary.stale_since is None else to_micros(summary.stale_since)
    row = (
        key,
        int(summary.level),
        session,
        said,
        to_micros(summary.said_to),
        bool(summary.sentences),
        stale,
        None if vector is None else vector.tobytes(),
    )
    tx.db.execute("INSERT OR REPLACE INTO summaries VALUES (?, ?, ?, ?, ?, ?, ?, ?)", row)
    tx.db.execute("DELETE FROM summary_calls WHERE key = ?", (key,))
    tx.db.executemany("INSERT OR IGNORE INTO summary_calls VALUES (?, ?)", [(call, key) for call in summary.calls])


def above(db: apsw.Connection, keys: Iterable[int]) -> set[int]:
    """The summaries that rest on these nodes, through other summaries too."""
    return {key for (key,) in db.executemany(_ABOVE, [(key,) for key in keys])}


def mark_stale(tx: Transaction, keys: Collection[int]) -> None:
    """Marks these summaries and all above them."""
    stale = {*keys, *above(tx.db, keys)}
    if stale:
        tx.db.executemany("UPDATE summaries SET stale_since = coalesce(stale_since, ?) WHERE key = ?", [(tx.now, key) for key in stale])
        summaries_changed(tx)


def take_words(tx: Transaction, keys: Collection[int]) -> None:
    """Something that these windows rest on is about to be deleted: all that may repeat it loses its words, and is stale.

    That is what one call wrote together with them, the threads of all these, what was written together with those, and the profile.
    """
    concerned, some = set[int](), set(keys)
    while some:
        some |= _written_with(tx.db, some)
        concerned |= some
        some = _owners(tx.db, some) - concerned
    bodies = tx.db.executemany("SELECT key, seq, body FROM nodes WHERE key = ?", [(key,) for key in concerned]).fetchall()
    tx.db.executemany("UPDATE nodes SET body = ? WHERE key = ?", [(_without_words(body, level), key) for key, level, body in bodies])
    tx.db.executemany(
        "UPDATE summaries SET vector = NULL, told = 0, stale_since = coalesce(stale_since, ?) WHERE key = ?",
        [(tx.now, key) for key in concerned],
    )
    if concerned:
        summaries_changed(tx)


def drop_summaries(tx: Transaction, keys: Collection[int]) -> None:
    """Deletes summaries; what they told of is told of by none, and those above that are left are stale."""
    wanted = [(key,) for key in keys]
    mark_stale(tx, above(tx.db, keys) - set(keys))
    events = f"SELECT n.session, n.said_at, n.key FROM edges e JOIN nodes n ON n.key = e.dst WHERE e.src = ? AND e.{SUMMARIZES}"
    tx.db.executemany(f"INSERT OR IGNORE INTO waiting_events {events} AND n.kind = {NodeKind.EVENT:d} AND n.retired_at IS NULL", wanted)
    for column in ("src", "dst"):
        tx.db.executemany(f"DELETE FROM edges WHERE {column} = ? AND kind IN ({ABOVE_EVENTS})", wanted)
    tx.db.executemany("DELETE FROM nodes WHERE key = ?", wanted)
    tx.db.executemany("DELETE FROM summaries WHERE key = ?", wanted)
    tx.db.executemany("DELETE FROM summary_calls WHERE key = ?", wanted)
    if wanted:
        summaries_changed(tx)


def drop_memberless(tx: Transaction) -> list[str]:
    """Deletes stale summaries without members, and then those above that have none left; their ids."""
    dropped: list[str] = []
    for level in SummaryLevel:
        found = tx.db.execute(
            f"""SELECT s.key FROM summaries s WHERE s.level = ? AND s.stale_since IS NOT NULL
                AND NOT EXISTS (SELECT 1 FROM edges e WHERE e.src = s.key AND e.{SUMMARIZES})""",
            (int(level),),
        )
        keys = [key for (key,) in found]
        dropped += ids_of(tx.db, keys).values()
        drop_summaries(tx, keys)
    return dropped


def drop_all_summaries(tx: Transaction) -> None:
    """Another generation begins: no summary is of it, and no event waits."""
    tx.db.execute(f"DELETE FROM edges WHERE kind IN ({ABOVE_EVENTS})")
    tx.db.execute(f"DELETE FROM nodes WHERE kind = {NodeKind.SUMMARY:d}")
    tx.db.execute("DELETE FROM summaries")
    tx.db.execute("DELETE FROM summary_calls")
    tx.db.execute("DELETE FROM waiting_events")
    something_removed(tx)
    summaries_changed(tx)


def something_removed(tx: Transaction) -> None:
    """Consolidations that read before this write can not be committed after it."""
    tx.step()
    tx.db.execute("UPDATE consolidation SET removed = ?", (tx.revision,))


def summaries_changed(tx: Transaction) -> None:
    """Whoever searches summaries reads them again."""
    tx.step()
    tx.db.execute("UPDATE consolidation SET changed = ?", (tx.revision,))


def shared_calls(db: apsw.Connection, keys: Collection[int]) -> dict[int, list[str]]:
    """The marks of these summaries' calls, as far as others have them, too."""
    found = db.executemany(
        "SELECT m.key, m.call, c.key FROM summary_calls m JOIN summary_calls c USING (call) WHERE m.key = ?", _rows(keys)
    )
    shared: dict[int, list[str]] = {}
    for key, call, other in found:
        if other not in keys:
            shared.setdefault(key, []).append(call)
    return shared


def _written_with(db: apsw.Connection, keys: Iterable[int]) -> set[int]:
    found = db.executemany("SELECT c.key FROM summary_calls m JOIN summary_calls c USING (call) WHERE m.key = ?", _rows(keys))
    return {key for (key,) in found}


def _owners(db: apsw.Connection, keys: Iterable[int]) -> set[int]:
    return {key for (key,) in db.executemany(f"SELECT src FROM edges WHERE dst = ? AND {SUMMARIZES}", _rows(keys))}


def _rows(keys: Iterable[int]) -> list[tuple[int]]:
    return [(key,) for key in keys]


def _without_words(body: Any, level: Any) -> bytes:
    return orjson.dumps(emptied_body(orjson.loads(body), SummaryLevel(level)))
