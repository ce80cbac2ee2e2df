"""A file layer for SQLite that fails on demand: no space, a read-only disk, I/O errors, and the loss of what was not yet synced."""

import threading
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import apsw

WRITE_ERRORS = {"ENOSPC": apsw.FullError, "EIO": apsw.IOError, "EROFS": apsw.ReadOnlyError}


@dataclass(frozen=True)
class Write:
    """One write or truncation (`data` is None) that was not yet synced: what it wrote where, and what was there before."""

    offset: int
    data: bytes | None
    before: bytes
    size: int


class FaultyVfs(apsw.VFS):
    """Inherits the system's own layer. Set `fault` (a key of WRITE_ERRORS, or "sync") to make writes fail, `fail_reads` for reads;
    both only strike files whose path holds `only`. `power_cut` forgets writes since their file's last sync."""

    def __init__(self, name: str) -> None:
        self.name = name
        self.fault: str | None = None
        self.fail_reads = False
        self.only = ""
        self._lock = threading.Lock()
        self._unsynced: dict[str, list[Write]] = {}
        super().__init__(name, "", maxpathname=1024)

    def xOpen(self, name, flags):  # SQLite's name
        return FaultyFile(self, name, flags)

    def strikes(self, path: str | None) -> bool:
        """Whether faults concern this file."""
        return self.only in (path or "")

    def remember(self, path: str, offset: int, data: bytes | None) -> None:
        """Keeps a write, and what it is about to replace."""
        file = Path(path)
        size = file.stat().st_size
        with file.open("rb") as reader:
            reader.seek(offset)
            before = reader.read() if data is None else reader.read(len(data))
        with self._lock:
            self._unsynced.setdefault(path, []).append(Write(offset, data, before, size))

    def synced(self, path: str) -> None:
        """What was written to this file will survive."""
        with self._lock:
            self._unsynced.pop(path, None)

    def power_cut(self, survives: Callable[[], bool] = lambda: False) -> int:
        """Loses unsynced writes but those that `survives` keeps, whatever came before them; returns how many were unsynced."""
        with self._lock:
            lost, self._unsynced = self._unsynced, {}
        for path, writes in lost.items():
            if not Path(path).exists():
                continue
            with Path(path).open("r+b") as file:
                for write in reversed(writes):
                    file.seek(write.offset)
                    file.write(write.before)
                    file.truncate(write.size)
                for write in filter(lambda _: survives(), writes):
                    if write.data is None:
                        file.truncate(write.offset)
                    else:
                        file.seek(write.offset)
                        file.write(write.data)
        return sum(map(len, lost.values()))


class FaultyFile(apsw.VFSFile):
    """One file of a `FaultyVfs`."""

    def __init__(self, vfs: FaultyVfs, name, flags) -> None:
        self._vfs = vfs
        self._path = name.filename() if isinstance(name, apsw.URIFilename) else name
        super().__init__("", name, flags)

    def xRead(self, amount, offset):
        if self._vfs.fail_reads and self._vfs.strikes(self._path):
            raise apsw.IOError("injected")
        return super().xRead(amount, offset)

    def xWrite(self, data, offset):
        if self._vfs.fault in WRITE_ERRORS and self._vfs.strikes(self._path):
            raise WRITE_ERRORS[self._vfs.fault]("injected")
        if self._path:
            self._vfs.remember(self._path, offset, bytes(data))
        super().xWrite(data, offset)

    def xTruncate(self, size):
        if self._path:
            self._vfs.remember(self._path, size, None)
        super().xTruncate(size)

    def xSync(self, flags):
        if self._vfs.fault == "sync" and self._vfs.strikes(self._path):
            raise apsw.IOError("injected")
        super().xSync(flags)
        if self._path:
            self._vfs.synced(self._path)
