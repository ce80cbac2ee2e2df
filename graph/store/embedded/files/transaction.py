"""A write to one namespace: keys are handed out, the change log is written and the revision steps when it commits.

Who begins and commits it, durably, is `NamespaceFile.write`.
"""

from collections.abc import Iterable
from enum import IntEnum

import apsw
import numpy as np

from graph.model import IdSource, Namespace
from graph.store.embedded.files.connection import row
from graph.store.rules.retention import forgets_at


class Operation(IntEnum):
    """What a row of the change log says happened to its keys. The numbers are stored; within a revision they are applied in this order."""

    FORGOTTEN = 0  # without keys: what this revision and those before it did is not logged any more
    REMOVED = 1
    RETIRED = 2
    ADDED = 3
    EMBEDDED = 4
    DECIDED = 5  # of two entities; no search is about them


class Transaction:
    """What a write holds while it is under way.

    Attributes:
        db: the writer's connection, in a transaction.
        now: the store's clock, in microseconds, at the start.
        namespace: with the settings that hold for this write.
        ids: mints ids.
        touched_jobs: set it when jobs have become due earlier or later, so that those who wait for work look again.
        changed_jobs: ids of jobs that changed, so that those who watch them look again; `job_changed` adds one.
        scrub: set it when text was deleted, so that the write-ahead log and the index's snapshot lose it too.
    """

    def __init__(self, db: apsw.Connection, now: int, namespace: Namespace, ids: IdSource) -> None:
        self.db = db
        self.now = now
        self.namespace = namespace
        self.ids = ids
        self.touched_jobs = False
        self.changed_jobs: set[str] = set()
        self.scrub = False
        self.revision, self._next_node, self._next_passage, self._epoch, self.generation = row(
            db, "SELECT revision, next_node, next_passage, epoch, generation FROM state"
        )
        self._began_with = (self._next_node, self._next_passage, self._epoch, self.generation)
        self._changes: dict[Operation, list[int]] = {}
        self._stepped = False

    def node_keys(self, count: int) -> range:
        """Keys for `count` new nodes; never handed out before."""
        first = self._next_node
        self._next_node += count
        return range(first, self._next_node)

    def passage_keys(self, count: int) -> range:
        """Keys for `count` new passages."""
        first = self._next_passage
        self._next_passage += count
        return range(first, self._next_passage)

    def next_epoch(self) -> int:
        """A lease epoch greater than every one before it."""
        self._epoch += 1
        return int(self._epoch)

    def job_changed(self, job_id: str) -> None:
        """This write changes a job."""
        self.touched_jobs = True
        self.changed_jobs.add(job_id)

    @property
    def stepped(self) -> bool:
        """Whether this write makes a new revision."""
        return self._stepped

    def changed(self, operation: Operation, keys: Iterable[int]) -> None:
        """Logs a change of nodes (of passages, when they were embedded)."""
        self._changes.setdefault(operation, []).extend(keys)
        self.step()

    def step(self) -> None:
        """This write makes a new revision."""
        if not self._stepped:
            self.revision += 1
            self._stepped = True

    def finish(self) -> None:
        """Writes the log and the counters; the last thing before the commit."""
        rows = [
            (self.revision, int(operation), np.array(keys, dtype=np.int64).tobytes()) for operation, keys in self._changes.items() if keys
        ]
        if rows:
            self.db.executemany("INSERT INTO changes VALUES (?, ?, ?)", rows)
        if self._stepped and (upto := forgets_at(self.revision)):
            self._forget_changes(upto)
        if self._stepped or self._began_with != (self._next_node, self._next_passage, self._epoch, self.generation):
            self.db.execute(
                "UPDATE state SET revision = ?, next_node = ?, next_passage = ?, epoch = ?, generation = ?",
                (self.revision, self._next_node, self._next_passage, self._epoch, self.generation),
            )

    def _forget_changes(self, upto: int) -> None:
        """Drops what the log says of the revisions up to this one, and notes that it did."""
        if self.db.execute("SELECT 1 FROM changes WHERE revision <= ? LIMIT 1", (upto,)).fetchone():
            self.db.execute("DELETE FROM changes WHERE revision <= ?", (upto,))
            self.db.execute("INSERT INTO changes VALUES (?, ?, x'')", (upto, int(Operation.FORGOTTEN)))
