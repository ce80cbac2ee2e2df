"""The open files of namespaces: as many as the process may hold, the least recently used closed first."""

import resource
import threading
from collections import Counter, OrderedDict
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from graph.store.embedded.files.catalog import CatalogEntry
from graph.store.embedded.files.connection import CACHE_KIB
from graph.store.embedded.files.namespace_file import NamespaceFile

# Readers share this much page cache: alone, one has 16 MiB (walks of a graph are an eighth faster than with 256 KiB); among a thousand,
# each has the least.
_SHARED_CACHE_KIB = 64 * 1024
_MOST_CACHE_KIB = 16 * 1024

# Writer and reader hold the database and its log each, and share the log's index; spilled vectors are a file, too.
_DESCRIPTORS_EACH = 6
_DESCRIPTORS_KEPT = 256
# A snapshot holds the database and its log open once more, for as long as somebody reads it; a quarter of what is kept goes to them.
_DESCRIPTORS_OF_SNAPSHOT = 2
_MOST_SNAPSHOTS = 32


def affordable_files(wanted: int) -> int:
    """How many namespaces may be open at once, after raising the process's limit on file descriptors as far as that is allowed."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    needed = wanted * _DESCRIPTORS_EACH + _DESCRIPTORS_KEPT
    if soft != resource.RLIM_INFINITY and soft < needed:
        raised = needed if hard == resource.RLIM_INFINITY else min(needed, hard)
        resource.setrlimit(resource.RLIMIT_NOFILE, (raised, hard))
        soft = raised
    if soft == resource.RLIM_INFINITY:
        return wanted
    return max(1, min(wanted, (soft - _DESCRIPTORS_KEPT) // _DESCRIPTORS_EACH))


def affordable_snapshots() -> int:
    """How many snapshots may be read at once, so that whoever holds them open leaves descriptors to everybody else."""
    soft, _ = resource.getrlimit(resource.RLIMIT_NOFILE)
    if soft == resource.RLIM_INFINITY:
        return _MOST_SNAPSHOTS
    return max(1, min(_MOST_SNAPSHOTS, soft // (4 * _DESCRIPTORS_OF_SNAPSHOT)))


class OpenFiles:
    """An LRU of open namespaces. A file in use is never closed under its user."""

    def __init__(self, limit: int, make: Callable[[CatalogEntry], NamespaceFile]) -> None:
        self._limit = limit
        self._make = make
        self._lock = threading.Lock()
        self._files: OrderedDict[str, NamespaceFile] = OrderedDict()
        self._users: Counter[str] = Counter()

    @contextmanager
    def use(self, entry: CatalogEntry) -> Iterator[NamespaceFile]:
        """The namespace's file, open for as long as the context lasts."""
        with self._lock:
            file = self._files.get(entry.uid)
            if file is None:
                file = self._files[entry.uid] = self._make(entry)
            self._files.move_to_end(entry.uid)
            self._users[entry.uid] += 1
        try:
            yield file
        finally:
            with self._lock:
                self._users[entry.uid] -= 1
                if not self._users[entry.uid]:
                    del self._users[entry.uid]
                idle = self._evicted()
            for old in idle:
                old.close()

    def _evicted(self) -> list[NamespaceFile]:
        surplus = len(self._files) - self._limit
        idle = [uid for uid in self._files if uid not in self._users][:surplus] if surplus > 0 else []
        return [self._files.pop(uid) for uid in idle]

    def cache_kib(self) -> int:
        """How much a reader may cache now, a power of two."""
        share = _SHARED_CACHE_KIB // max(len(self._files), 1)
        return max(CACHE_KIB, min(_MOST_CACHE_KIB, 1 << share.bit_length() - 1 if share else 0))

    def drop(self, uid: str) -> None:
        """Closes a namespace that is being deleted; its users' next step fails."""
        with self._lock:
            file = self._files.pop(uid, None)
        if file is not None:
            file.close()

    def opened(self) -> list[NamespaceFile]:
        """The open files, least recently used first."""
        with self._lock:
            return list(self._files.values())

    def close(self) -> None:
        """Closes all."""
        with self._lock:
            files = list(self._files.values())
            self._files.clear()
        for file in files:
            file.close()
