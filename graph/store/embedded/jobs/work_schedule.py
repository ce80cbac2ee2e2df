"""Which namespaces have open jobs, and when the first of each is due, so that looking for work opens no idle namespace."""

import threading
from collections.abc import Collection

from graph.store.embedded.files.catalog import Catalog
from graph.store.signals import WORK, Signals

_LOOK_AT_ONCE = 0
# A namespace that could not be read or written is looked at again after 1 s, 2 s, … 10 s: soon after its disk is well, and never often.
_FIRST_PATIENCE = 1_000_000
_LONGEST_PATIENCE = 10_000_000
_CLEARED_AT_ONCE = 20


class WorkSchedule:
    """Due times in memory over the durable busy hints of the catalog. A hint may be set without need, never missing."""

    def __init__(self, catalog: Catalog) -> None:
        self._catalog = catalog
        self._lock = threading.Lock()
        self._due: dict[str, tuple[int, str]] = {}
        self._drained: dict[str, str] = {}
        self._patience: dict[str, int] = {}
        self._inherited: set[str] = set()
        # A watcher of a job subscribes to its id, and to the uid of its namespace, which may be deleted.
        self.changed = Signals()

    def load(self) -> None:
        """Starts with the namespaces that may have had open jobs when the store was last used."""
        with self._lock:
            self._due = {entry.uid: (_LOOK_AT_ONCE, entry.settings.name) for entry in self._catalog.busy()}
            self._inherited = set(self._due)

    def settle(self, uid: str) -> bool:
        """Whether the namespace may still hold leases of a process that is gone; true once, for the caller ends them."""
        with self._lock:
            inherited = uid in self._inherited
            self._inherited.discard(uid)
            return inherited

    def expect(self, name: str, uid: str) -> None:
        """A write is about to leave open jobs in this namespace: the hint must be durable first."""
        with self._lock:
            self._drained.pop(uid, None)
            self._catalog.set_busy(name, uid, True)

    def note(self, name: str, uid: str, due: int | None, changed: Collection[str] = ()) -> None:
        """A write has left the first open job due then (microseconds), or none. Who waits for work or watches a changed job looks again."""
        with self._lock:
            self._patience.pop(uid, None)
            if due is None:
                self._due.pop(uid, None)
                self._inherited.discard(uid)
                self._drained[uid] = name
            else:
                self._due[uid] = (_LOOK_AT_ONCE if uid in self._inherited else due, name)
                self._drained.pop(uid, None)
        self.changed.notify(WORK, *changed)

    def postpone(self, uid: str, now: int) -> None:
        """The namespace could not be looked at: a while later again, unless a write goes well first."""
        with self._lock:
            if uid in self._due:
                patience = self._patience.get(uid, _FIRST_PATIENCE)
                self._patience[uid] = min(2 * patience, _LONGEST_PATIENCE)
                self._due[uid] = (now + patience, self._due[uid][1])

    def forget(self, uid: str) -> None:
        """The namespace is gone."""
        with self._lock:
            self._due.pop(uid, None)
            self._drained.pop(uid, None)
            self._patience.pop(uid, None)
            self._inherited.discard(uid)
        self.changed.notify(uid)

    def due(self, now: int) -> list[tuple[str, str]]:
        """Names and uids of the namespaces that may have a due job, longest due first."""
        with self._lock:
            found = sorted((due, name, uid) for uid, (due, name) in self._due.items() if due <= now)
        return [(name, uid) for _, name, uid in found]

    def next_due(self) -> int | None:
        """When the first open job of all is due."""
        with self._lock:
            return min((due for due, _ in self._due.values()), default=None)

    def clear_hints(self, limit: int = _CLEARED_AT_ONCE) -> None:
        """Takes back the hints of namespaces whose jobs have all ended; for moments without work."""
        with self._lock:
            drained = list(self._drained.items())[:limit]
            for uid, _ in drained:
                del self._drained[uid]
            # Under the lock, so that no write can note a new job between the look and the clearing.
            for uid, name in drained:
                self._catalog.set_busy(name, uid, False)
