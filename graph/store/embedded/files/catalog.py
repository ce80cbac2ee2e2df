"""The catalog: which namespaces there are, kept in memory and in `catalog.db`."""

import secrets
import threading
import uuid
from bisect import bisect_left, bisect_right
from dataclasses import dataclass, replace
from enum import IntEnum
from pathlib import Path
from typing import Any

import apsw
import orjson

from graph.errors import AlreadyExists, NamespaceCorrupt, NamespaceNotFound
from graph.model import EmbeddingSpec, ExtractionMode, from_micros, to_micros
from graph.model.namespaces import Namespace
from graph.store.embedded.files.connection import connect
from graph.store.embedded.files.faults import CATALOG_DAMAGED, storage_faults
from graph.store.embedded.files.schema import CATALOG_MIGRATIONS, migrate
from graph.store.port import Clock, NamespaceChange, NamespaceSpec
from graph.store.profile_json import profile_from_json, profile_json
from graph.store.retention_json import retention_from_json, retention_json
from graph.store.rules.namespaces import changed_namespace, new_namespace


def holds_store(directory: Path) -> bool:
    """Whether a directory holds a store, sound or not; looking makes nothing."""
    return (directory / "catalog.db").exists() or any((directory / "namespaces").glob("*.db"))


class NamespaceState(IntEnum):
    """Where a namespace's file stands. CREATING and DELETING are swept when the store opens."""

    CREATING = 1
    ACTIVE = 2
    DELETING = 3


@dataclass(frozen=True, slots=True)
class CatalogEntry:
    """One namespace as the catalog knows it: `settings` has revision 0 and no generation, which its file knows."""

    settings: Namespace
    state: NamespaceState
    busy: bool

    @property
    def uid(self) -> str:
        """The immutable name of its files."""
        return self.settings.uid


class Catalog:
    """Namespaces by name. Reads are of memory; every change is durable before it shows. Safe to use from several threads."""

    def __init__(self, path: Path, clock: Clock, vfs: str | None) -> None:
        self._path = path
        self._clock = clock
        self._vfs = vfs
        self._lock = threading.RLock()
        self._db: apsw.Connection | None = None
        self._by_name: dict[str, CatalogEntry] = {}
        self._names: list[str] = []

    def open(self) -> list[CatalogEntry]:
        """Opens the file and returns the namespaces whose creation or deletion was broken off.

        Raises:
            NamespaceCorrupt: the catalog is damaged, or empty while there are files of namespaces.
        """
        self._db = connect(self._path, self._vfs, create=True, verify=self._refuse_an_emptied_one)
        migrate(self._db, CATALOG_MIGRATIONS, "the catalog of namespaces")
        broken = []
        for entry in _entries(self._db):
            if entry.state is NamespaceState.ACTIVE:
                self._by_name[entry.settings.name] = entry
            else:
                broken.append(entry)
        self._names = sorted(self._by_name)
        return broken

    def _refuse_an_emptied_one(self, db: apsw.Connection) -> None:
        """A new catalog beside the files of namespaces would hide them all."""
        if db.pragma("user_version") == 0 and any((self._path.parent / "namespaces").glob("*.db")):
            raise NamespaceCorrupt(CATALOG_DAMAGED)

    @property
    def is_open(self) -> bool:
        """Whether the catalog can be used."""
        return self._db is not None

    def close(self) -> None:
        """Lets go of the file."""
        with self._lock:
            if self._db is not None:
                self._db.close()
                self._db = None

    def secret(self, name: str) -> bytes:
        """A random secret of 32 bytes that lasts as long as the directory."""
        with self._lock:
            self._execute("INSERT OR IGNORE INTO secrets VALUES (?, ?)", (name, secrets.token_bytes(32)))
            return bytes(self._execute("SELECT value FROM secrets WHERE name = ?", (name,)).get)

    def probe(self) -> None:
        """Reads a row and writes another one, durably."""
        self.secret("service")
        # SQLite writes nothing when a row gets the value that it has.
        self._execute("INSERT OR REPLACE INTO secrets VALUES ('probe', ?)", (secrets.token_bytes(8),))

    def damage(self) -> list[str]:
        """What SQLite's integrity check says of the file; nothing when it is sound."""
        with self._lock:
            try:
                return [str(text) for (text,) in self._execute("PRAGMA integrity_check(20)", ()) if text != "ok"]
            except NamespaceCorrupt as error:
                return [str(error)]

    def knows(self, uid: str) -> bool:
        """Whether a namespace, being made or active, has this uid."""
        with self._lock:
            return any(entry.uid == uid for entry in self._by_name.values())

    def get(self, name: str) -> CatalogEntry:
        """An active namespace. Raises NotFound."""
        entry = self._by_name.get(name)
        if entry is None or entry.state is not NamespaceState.ACTIVE:
            raise NamespaceNotFound(name)
        return entry

    def names(self, prefix: str, after: str) -> list[str]:
        """The names of active namespaces at or below the path `prefix`, in order, after `after`."""
        with self._lock:
            found = self._names[max(bisect_right(self._names, after), bisect_left(self._names, prefix)) :]
        if not prefix:
            return found
        found = found[: bisect_left(found, prefix + "0")]  # the character after "/"
        return [name for name in found if name == prefix or name.startswith(prefix + "/")]

    def busy(self) -> list[CatalogEntry]:
        """Active namespaces that may have open jobs."""
        with self._lock:
            return [entry for entry in self._by_name.values() if entry.busy]

    def reserve(self, spec: NamespaceSpec) -> CatalogEntry:
        """Reserves a name, CREATING, for a namespace whose file is about to be made. Raises AlreadyExists."""
        with self._lock:
            if spec.name in self._by_name:
                raise AlreadyExists(spec.name)
            return self._add(new_namespace(spec, uuid.uuid4().hex, self._clock.now()))

    def reserve_copy(self, source: Namespace) -> CatalogEntry:
        """Reserves the name of an imported namespace; its time of creation is kept. Raises AlreadyExists."""
        with self._lock:
            if source.name in self._by_name:
                raise AlreadyExists(source.name)
            return self._add(replace(source, uid=uuid.uuid4().hex, revision=0, generation=None))

    def _add(self, settings: Namespace) -> CatalogEntry:
        entry = CatalogEntry(settings, NamespaceState.CREATING, busy=False)
        self._execute(
            "INSERT INTO namespaces VALUES (?, ?, ?, 0, ?, ?)",
            (settings.uid, settings.name, int(entry.state), to_micros(settings.created_at), _settings_json(settings)),
        )
        self._by_name[settings.name] = entry
        return entry

    def activate(self, entry: CatalogEntry, *, busy: bool = False) -> CatalogEntry:
        """Makes a reserved namespace visible: its file is complete."""
        active = replace(entry, state=NamespaceState.ACTIVE, busy=busy)
        with self._lock:
            self._execute("UPDATE namespaces SET state = ?, busy = ? WHERE uid = ?", (int(NamespaceState.ACTIVE), busy, entry.uid))
            self._by_name[entry.settings.name] = active
            self._names.insert(bisect_right(self._names, entry.settings.name), entry.settings.name)
        return active

    def change(self, name: str, change: NamespaceChange) -> CatalogEntry:
        """Changes settings."""
        with self._lock:
            entry = self.get(name)
            settings = changed_namespace(entry.settings, change)
            self._execute("UPDATE namespaces SET settings = ? WHERE uid = ?", (_settings_json(settings), entry.uid))
            self._by_name[name] = replace(entry, settings=settings)
            return self._by_name[name]

    def set_busy(self, name: str, uid: str, busy: bool) -> None:
        """Notes durably whether a namespace may have open jobs. A namespace that is gone is ignored."""
        with self._lock:
            entry = self._by_name.get(name)
            if entry is not None and entry.uid == uid and entry.busy != busy:
                self._execute("UPDATE namespaces SET busy = ? WHERE uid = ?", (busy, uid))
                self._by_name[name] = replace(entry, busy=busy)

    def begin_deletion(self, name: str) -> CatalogEntry:
        """Hides a namespace, DELETING; its name is free at once."""
        with self._lock:
            entry = self.get(name)
            self._execute("UPDATE namespaces SET state = ? WHERE uid = ?", (int(NamespaceState.DELETING), entry.uid))
            del self._by_name[name]
            self._names.remove(name)
            return entry

    def forget(self, entry: CatalogEntry) -> None:
        """Drops the row of a namespace whose files are gone."""
        with self._lock:
            self._execute("DELETE FROM namespaces WHERE uid = ?", (entry.uid,))
            known = self._by_name.get(entry.settings.name)
            if known is not None and known.uid == entry.uid:
                del self._by_name[entry.settings.name]

    def _execute(self, sql: str, values: tuple[str | int | bytes, ...]) -> apsw.Cursor:
        if self._db is None:
            raise apsw.ConnectionClosedError("the catalog is closed")
        with storage_faults():
            return self._db.execute(sql, values)


def _settings_json(settings: Namespace) -> str:
    embedding = settings.embedding
    return orjson.dumps(
        {
            "embedding": [embedding.model, embedding.fingerprint, embedding.dimension],
            "mode": int(settings.extraction_mode),
            "time_zone": settings.time_zone,
            "description": settings.description,
            "profile": profile_json(settings.profile),
            "retention": retention_json(settings.retention),
        }
    ).decode()


def _entries(db: apsw.Connection) -> list[CatalogEntry]:
    try:
        return [_entry(row) for row in db.execute("SELECT uid, name, state, busy, created_at, settings FROM namespaces")]
    except (apsw.SQLError, LookupError, ValueError, TypeError):  # not what the catalog writes
        raise NamespaceCorrupt(CATALOG_DAMAGED) from None


def _entry(row: tuple[Any, ...]) -> CatalogEntry:
    uid, name, state, busy, created_at, text = row
    body = orjson.loads(str(text))
    settings = Namespace(
        str(name),
        str(uid),
        EmbeddingSpec(*body["embedding"]),
        ExtractionMode(body["mode"]),
        from_micros(int(created_at)),
        body["time_zone"],
        body["description"],
        profile=profile_from_json(body.get("profile")),
        retention=retention_from_json(body.get("retention")),
    )
    return CatalogEntry(settings, NamespaceState(state), bool(busy))
