"""The file of a namespace that is being imported: written without a journal, synced once, and only then a namespace like any other."""

from collections import ChainMap
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import timedelta
from itertools import groupby
from pathlib import Path
from typing import Any, TypeVar

import apsw
import numpy as np

from graph.model import (
    PREFIXES,
    Edge,
    EdgeKind,
    Entity,
    Event,
    Generation,
    IdSource,
    Message,
    Namespace,
    NodeKind,
    Session,
    Statement,
    Summary,
    SummaryLevel,
    to_micros,
)
from graph.store.embedded.files.connection import rows
from graph.store.embedded.files.faults import storage_faults
from graph.store.embedded.files.namespace_file import create_file
from graph.store.embedded.files.transaction import Transaction
from graph.store.embedded.jobs.job_queue import cover_consolidation, cover_messages
from graph.store.embedded.rows.entity_rows import insert_entity
from graph.store.embedded.rows.node_keys import keys_of
from graph.store.embedded.rows.node_values import (
    SystemFields,
    edge_values,
    event_values,
    explicit_edges,
    message_values,
    statement_values,
)
from graph.store.embedded.rows.node_writer import EdgeValues, insert_edges, insert_labels, insert_nodes, insert_passages
from graph.store.embedded.rows.session_rows import insert_session
from graph.store.embedded.rows.span_rows import insert_spans
from graph.store.embedded.rows.summary_rows import write_summary
from graph.store.import_analysis import ImportAnalysis
from graph.store.memory_rows import MemoryRow, source_of
from graph.store.port import Clock, ExportRecord, PassageVector, SessionProgress
from graph.store.rules.consolidating import referred_ids, second_profile
from graph.store.rules.importing import comes_twice, record_faults, unknown_node, unknown_session
from graph.store.rules.listed_edges import event_edges, statement_edges
from graph.store.rules.spec_rules import waits_for_vectors
from graph.store.rules.vector_checks import checked_vector, checked_vectors

# Building an index once over all rows is quicker than keeping it in step with each; ids must be found meanwhile.
_INDEXES_KEPT = ("nodes_by_uuid", "passages_by_owner")
_CACHE_KIB = 64 * 1024
# Keys remembered by id take about 250 bytes each; beyond these they are looked up in the file.
_MAX_KEYS = 1_000_000
_SUMMARY_PREFIX = f"{PREFIXES[NodeKind.SUMMARY]}_"
_N = TypeVar("_N", Session, Message, Entity, Statement, Event, Summary)


class ImportFile:
    """Takes the records of an export in their order. Nobody sees the file before `finish` has returned and the catalog names it."""

    def __init__(self, path: Path, settings: Namespace, clock: Clock, ids: IdSource, vfs: str | None) -> None:
        self._settings = settings
        create_file(path, settings.uid, vfs)
        self._db = apsw.Connection(str(path), flags=apsw.SQLITE_OPEN_READWRITE, vfs=vfs)
        self._db.pragma("journal_mode", "OFF")
        self._db.pragma("synchronous", "OFF")
        self._db.pragma("cache_size", -_CACHE_KIB)
        self._indexes = self._drop_indexes()
        self._db.execute("BEGIN IMMEDIATE")
        self._tx = Transaction(self._db, to_micros(clock.now()), settings, ids)
        self._sessions: dict[str, tuple[int, str]] = {}
        self._keys: dict[str, int] = {}
        self._kind: type | None = None
        self._analysis = ImportAnalysis()
        self._add: Mapping[type, Callable[[Sequence[Any]], None]] = {
            Session: self._add_sessions,
            Message: self._add_messages,
            Entity: self._add_entities,
            Statement: self._add_statements,
            Event: self._add_events,
            Summary: self._add_summaries,
            Edge: self._add_edges,
            SessionProgress: self._add_progress,
            PassageVector: self._add_vectors,
        }

    def _drop_indexes(self) -> list[str]:
        rows = self._db.execute("SELECT name, sql FROM sqlite_schema WHERE type = 'index' AND sql IS NOT NULL").fetchall()
        dropped = [(str(name), str(sql)) for name, sql in rows if name not in _INDEXES_KEPT]
        for name, _ in dropped:
            self._db.execute(f"DROP INDEX {name}")
        return [sql for _, sql in dropped]

    def add(self, records: Sequence[ExportRecord]) -> None:
        """Stores records.

        Raises:
            InvalidArgument: a record refers to one that did not come before it, or comes twice.
        """
        with storage_faults(self._settings.name), _record_faults():
            for kind, run in groupby(records, key=type):
                if kind is not self._kind:
                    # What comes after refers to what came before: that must be in the file by then.
                    self._analysis.complete()
                    self._kind = kind
                self._add[kind](list(run))

    def finish(self, revision: int, generation: Generation | None) -> bool:
        """Completes the file, makes it durable, and tells whether it has open jobs."""
        with storage_faults(self._settings.name), _record_faults():
            db, tx = self._db, self._tx
            self._analysis.complete()
            self._analysis.close()
            for sql in self._indexes:
                db.execute(sql)
            _derive(db)
            if waits_for_vectors(self._settings.embedding):
                db.execute("UPDATE passages SET waits = 1 WHERE key NOT IN (SELECT passage FROM vectors)")
            if generation is not None:
                tx.generation = generation.number
                spec, started = generation.extractor, to_micros(generation.started_at)
                db.execute(
                    "INSERT INTO generations VALUES (?, ?, ?, ?, ?)", (tx.generation, spec.name, spec.fingerprint, int(spec.mode), started)
                )
            busy = self._queue_jobs()
            tx.revision = max(revision, 1)
            tx.finish()
            db.execute("UPDATE state SET revision = ?", (tx.revision,))
            db.execute("UPDATE consolidation SET changed = ? WHERE EXISTS (SELECT 1 FROM summaries)", (tx.revision,))
            db.execute("COMMIT")
            # Without a journal nothing was synced; a commit in journal mode DELETE syncs the whole file.
            db.pragma("journal_mode", "DELETE")
            db.pragma("synchronous", "FULL")
            db.execute("BEGIN IMMEDIATE; UPDATE state SET epoch = epoch + 1; COMMIT")
            db.pragma("journal_mode", "WAL")
            db.close()
            return busy

    def close(self) -> None:
        """Lets go of an unfinished file."""
        self._analysis.close()
        self._db.close()

    def _add_sessions(self, sessions: Sequence[Session]) -> None:
        for key, session in self._keyed(sessions):
            insert_session(self._tx, key, session.id, session.name, session.time_zone, to_micros(session.recorded_at))
            self._sessions[session.name] = (key, session.time_zone)

    def _add_messages(self, messages: Sequence[Message]) -> None:
        keyed = [(key, message, *self._session(message.session)) for key, message in self._keyed(messages)]

        def store(columns: Sequence[MemoryRow]) -> None:
            values, owners = [], []
            for (key, message, session, _), row in zip(keyed, columns, strict=True):
                values.append(message_values(message, SystemFields(key, session, to_micros(message.recorded_at)), row))
                owners.append((key, session, row))
            insert_nodes(self._tx, values)
            insert_passages(self._tx, owners, wait=False)
            insert_labels(self._tx, [(key, message.labels) for key, message, _, _ in keyed])

        self._analysis.submit([source_of(message, zone) for _, message, _, zone in keyed], store)

    def _add_entities(self, entities: Sequence[Entity]) -> None:
        for key, entity in self._keyed(entities):
            insert_entity(self._tx, key, entity, to_micros(entity.recorded_at))

    def _add_statements(self, statements: Sequence[Statement]) -> None:
        keys = self._known([id_ for s in statements for id_ in (*s.evidence_ids, *s.entity_ids)])
        keyed = [(key, statement, *self._session(statement.session)) for key, statement in self._keyed(statements)]

        def store(columns: Sequence[MemoryRow]) -> None:
            values, owners = [], []
            edges: list[EdgeValues] = []
            for (key, statement, session, _), row in zip(keyed, columns, strict=True):
                values.append(statement_values(statement, self._system_fields(key, session, statement), row))
                edges += map(edge_values, statement_edges(key, statement, keys))
                if statement.retired_at is None:
                    owners.append((key, session, row))
            insert_nodes(self._tx, values)
            insert_passages(self._tx, owners, wait=False)
            insert_edges(self._tx, edges)

        self._analysis.submit([source_of(statement, zone) for _, statement, _, zone in keyed], store)

    def _add_events(self, events: Sequence[Event]) -> None:
        parts = [part.entity_id for event in events for part in event.participants]
        keys = self._known(parts + [id_ for event in events for id_ in (*event.evidence_ids, *event.statement_ids)])
        values = []
        edges: list[EdgeValues] = []
        for key, event in self._keyed(events):
            values.append(event_values(event, self._system_fields(key, self._session(event.session)[0], event)))
            edges += map(edge_values, event_edges(key, event, keys))
        insert_nodes(self._tx, values)
        insert_edges(self._tx, edges)

    def _add_summaries(self, summaries: Sequence[Summary]) -> None:
        # One by one: those of the next level refer to them.
        for summary in summaries:
            if (
                summary.level is SummaryLevel.PROFILE
                and self._db.execute("SELECT 1 FROM summaries WHERE level = ?", (int(summary.level),)).get
            ):
                raise second_profile("records")
            keys = self._known(list(referred_ids([summary])))
            [(key, _)] = self._keyed([summary])
            session = self._session(summary.sessions[0])[0] if summary.level is SummaryLevel.WINDOW else None
            write_summary(self._tx, key, summary, session, keys, None)

    def _add_edges(self, edges: Sequence[Edge]) -> None:
        keys = self._known([id_ for edge in edges for id_ in (edge.source_id, edge.target_id, edge.via_id) if id_])
        insert_edges(self._tx, explicit_edges(edges, keys))

    def _add_progress(self, progress: Sequence[SessionProgress]) -> None:
        for item in progress:
            key, _ = self._session(item.session)
            self._db.execute(
                "UPDATE sessions SET extracted_seq = ?, last_seq = ? WHERE key = ?",
                (item.extracted_seq, max(item.extracted_seq, *item.flush_marks, 0), key),
            )
            self._db.executemany("INSERT INTO flush_marks VALUES (?, ?)", [(key, seq) for seq in item.flush_marks])
            insert_spans(self._tx, key, item.spans)
            again = (
                f"INSERT INTO messages_again SELECT session, seq FROM nodes WHERE kind = {NodeKind.MESSAGE:d} AND session = ? AND seq = ?"
            )
            self._db.executemany(again, [(key, seq) for seq in item.again if seq <= item.extracted_seq])

    def _add_vectors(self, vectors: Sequence[PassageVector]) -> None:
        dimension = self._settings.embedding.dimension
        shape = next((item.vector for item in vectors if item.vector.shape != (dimension,)), None)
        if shape is not None:
            checked_vector(shape, dimension, "records.vector")
        matrix = checked_vectors(np.stack([item.vector for item in vectors]), "records.vector")
        keys = self._known([item.owner_id for item in vectors])
        content, size = matrix.tobytes(), matrix.itemsize * dimension
        of_summaries = [place for place, item in enumerate(vectors) if item.owner_id.startswith(_SUMMARY_PREFIX)]
        self._db.executemany(
            "UPDATE summaries SET vector = ? WHERE key = ?",
            [(content[place * size : (place + 1) * size], keys[vectors[place].owner_id]) for place in of_summaries],
        )
        self._db.executemany(
            "INSERT INTO vectors SELECT key, ?3, digest FROM passages WHERE owner = ?1 AND ordinal = ?2",
            [(keys[item.owner_id], item.ordinal, content[i * size : (i + 1) * size]) for i, item in enumerate(vectors)],
        )

    def _session(self, name: str) -> tuple[int, str]:
        found = self._sessions.get(name)
        if found is None:
            raise unknown_session(name)
        return found

    def _keyed(self, nodes: Sequence[_N]) -> list[tuple[int, _N]]:
        """New nodes, each with the key that it gets."""
        keys = self._tx.node_keys(len(nodes))
        if len(self._keys) < _MAX_KEYS:
            self._keys.update(zip([node.id for node in nodes], keys, strict=True))
        return list(zip(keys, nodes, strict=True))

    def _system_fields(self, key: int, session: int, node: Statement | Event) -> SystemFields:
        retired_at = None if node.retired_at is None else to_micros(node.retired_at)
        return SystemFields(key, session, to_micros(node.recorded_at), node.generation, retired_at)

    def _known(self, ids: Sequence[str]) -> Mapping[str, int]:
        """The keys of nodes that came before, these among them."""
        others = {id_ for id_ in ids if id_ not in self._keys}
        if not others:
            return self._keys
        found = keys_of(self._db, others) if len(self._keys) >= _MAX_KEYS else {}
        missing = next((id_ for id_ in ids if id_ in others and id_ not in found), None)
        if missing is not None:
            raise unknown_node(missing)
        return ChainMap(found, self._keys)

    def _queue_jobs(self) -> bool:
        waiting = rows(
            self._db,
            """SELECT key, last_seq FROM sessions s WHERE message_count > 0
               AND (extracted_seq < last_seq OR EXISTS (SELECT 1 FROM passages p WHERE p.session = s.key AND p.waits = 1)
                   OR EXISTS (SELECT 1 FROM messages_again a WHERE a.session = s.key))""",
        )
        jobs = [cover_messages(self._tx, self._settings, self._tx.ids, key, last_seq, timedelta(0)) for key, last_seq in waiting]
        summarize = self._db.execute("SELECT 1 FROM waiting_events UNION ALL SELECT 1 FROM summaries WHERE stale_since IS NOT NULL LIMIT 1")
        if summarize.fetchone():
            cover_consolidation(self._tx)
            return True
        return any(jobs)


def _derive(db: apsw.Connection) -> None:
    """Fills in what follows from the messages and edges."""
    db.execute(
        f"""INSERT INTO edges SELECT key, {EdgeKind.IN_SESSION:d}, 0, session, 0, NULL FROM nodes WHERE kind = {NodeKind.MESSAGE:d};
           INSERT INTO edges SELECT before, {EdgeKind.NEXT:d}, 0, key, 0, NULL FROM
               (SELECT key, lag(key) OVER (PARTITION BY session ORDER BY seq) AS before FROM nodes WHERE kind = {NodeKind.MESSAGE:d})
               WHERE before IS NOT NULL ORDER BY before;
           INSERT INTO speakers SELECT speaker, count(*) FROM nodes WHERE kind = {NodeKind.MESSAGE:d} GROUP BY speaker;
           UPDATE sessions SET message_count = m.messages, first_sent_at = m.first, last_sent_at = m.last, last_seq = max(last_seq, m.seq)
               FROM (SELECT session, count(*) AS messages, min(said_at) AS first, max(said_at) AS last, max(seq) AS seq
                     FROM nodes WHERE kind = {NodeKind.MESSAGE:d} GROUP BY session) m WHERE m.session = sessions.key;
           UPDATE entities SET mentions = m.mentions FROM
               (SELECT e.dst AS entity, count(*) AS mentions FROM edges e JOIN nodes n ON n.key = e.src
                WHERE e.kind = {EdgeKind.MENTIONS:d} AND n.retired_at IS NULL GROUP BY e.dst) m WHERE m.entity = entities.key;
           INSERT INTO waiting_events SELECT session, said_at, key FROM nodes n WHERE kind = {NodeKind.EVENT:d} AND retired_at IS NULL
               AND NOT EXISTS (SELECT 1 FROM edges e WHERE e.dst = n.key AND e.kind = {EdgeKind.SUMMARIZES:d})"""
    )


@contextmanager
def _record_faults() -> Iterator[None]:
    """Turns what a constraint of the schema refuses into the error of the record."""
    with record_faults():
        try:
            yield
        except apsw.ConstraintError as error:
            raise comes_twice() from error
