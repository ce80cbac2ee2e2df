"""Generations: one extractor's answers at a time."""

from dataclasses import replace
from datetime import timedelta

import apsw

from graph.model import EdgeKind, ExtractionMode, ExtractorSpec, Generation, IdSource, Namespace, NodeKind, from_micros
from graph.store.embedded.files.connection import rows
from graph.store.embedded.files.transaction import Operation, Transaction
from graph.store.embedded.jobs.job_queue import cover_messages
from graph.store.embedded.rows.kind_numbers import CHANGES, DERIVED, LINKS, OPEN, STATED
from graph.store.embedded.rows.summary_rows import drop_all_summaries
from graph.store.port import GenerationStart


def current_generation(db: apsw.Connection) -> Generation | None:
    """The generation that answers come from; None before the first."""
    row = db.execute(
        "SELECT number, extractor, fingerprint, mode, started_at FROM generations WHERE number = (SELECT generation FROM state)"
    ).fetchone()
    if row is None:
        return None
    number, extractor, fingerprint, mode, started_at = row
    return Generation(number, ExtractorSpec(extractor, fingerprint, ExtractionMode(mode)), from_micros(started_at))


def begin_generation(tx: Transaction, start: GenerationStart) -> int:
    """See `Memory.begin_generation`."""
    current = current_generation(tx.db)
    if current is not None and current.extractor == start.extractor:
        return current.number
    if current is not None:
        _retire(tx)
    tx.generation += 1
    spec = start.extractor
    tx.db.execute("INSERT INTO generations VALUES (?, ?, ?, ?, ?)", (tx.generation, spec.name, spec.fingerprint, int(spec.mode), tx.now))
    tx.step()
    _queue(tx, replace(tx.namespace, extraction_mode=spec.mode), tx.ids)
    return int(tx.generation)


def _retire(tx: Transaction) -> None:
    """Retires all that was extracted. Nodes stay, with their evidence; what only searches and walks need goes."""
    db = tx.db
    retired = [key for (key,) in db.execute(f"SELECT key FROM nodes WHERE kind IN ({DERIVED}) AND retired_at IS NULL")]
    drop_passages(tx, retired)
    db.executemany("UPDATE nodes SET retired_at = ? WHERE key = ?", [(tx.now, key) for key in retired])
    # Links that somebody decided (ordinal 1) stay: the next extraction knows nothing of them.
    db.execute(f"DELETE FROM edges WHERE kind IN ({LINKS}) AND ordinal = 0")
    # What somebody reverted stays, so that the next extraction does not bring it back.
    db.execute(f"DELETE FROM edges WHERE kind IN ({CHANGES}) AND properties ->> 'reverted_at' IS NULL")
    of_message = f"(SELECT n.kind FROM nodes n WHERE n.key = src) = {NodeKind.MESSAGE:d}"
    db.execute(f"DELETE FROM edges WHERE kind IN ({STATED}) OR (kind = {EdgeKind.MENTIONS:d} AND {of_message})")
    drop_all_summaries(tx)
    db.execute("UPDATE entities SET mentions = 0")
    db.execute("UPDATE sessions SET extracted_seq = 0")
    db.execute("DELETE FROM messages_again")
    db.execute("DELETE FROM extraction_spans")
    db.execute(f"UPDATE jobs SET done = 0 WHERE state IN ({OPEN})")
    tx.changed(Operation.RETIRED, retired)


def drop_passages(tx: Transaction, owners: list[int]) -> None:
    """Deletes the passages of these nodes and their vectors."""
    tx.db.executemany("DELETE FROM vectors WHERE passage IN (SELECT key FROM passages WHERE owner = ?)", [(key,) for key in owners])
    tx.db.executemany("DELETE FROM passages WHERE owner = ?", [(key,) for key in owners])


def _queue(tx: Transaction, settings: Namespace, ids: IdSource) -> None:
    """A job for every session whose messages no open job covers."""
    uncovered = rows(
        tx.db,
        f"""SELECT key, last_seq FROM sessions s WHERE message_count > 0 AND extracted_seq < last_seq AND NOT EXISTS
               (SELECT 1 FROM jobs j WHERE j.session = s.key AND j.state IN ({OPEN}) AND j.target >= s.last_seq)""",
    )
    for key, last_seq in uncovered:
        cover_messages(tx, settings, ids, key, last_seq, timedelta(0))
    tx.touched_jobs = True
