"""A file layer for SQLite that fails on demand: no space, I/O errors, and the loss of what was not yet synced."""

import threading
from collections.abc import Callable
from pathlib import Path

import apsw

Undo = Callable[[], None]


class FaultyVfs(apsw.VFS):
    """Inherits the system's own layer. Set `fault` to make writes fail; `power_cut` forgets every write since its file's last sync."""

    def __init__(self, name: str) -> None:
        self.name = name
        self.fault: str | None = None
        self.fail_reads = False
        self._lock = threading.Lock()
        self._unsynced: dict[str, list[tuple[int, bytes | None, int]]] = {}
        super().__init__(name, "", maxpathname=1024)

    def xOpen(self, name, flags):  # SQLite's name
        return FaultyFile(self, name, flags)

    def begin(self) -> None:
        """From now on writes are remembered, so that they can be lost."""
        with self._lock:
            self._unsynced = {}

    def remember(self, path: str, offset: int, length: int) -> None:
        """Keeps what a write is about to replace."""
        file = Path(path)
        size = file.stat().st_size
        with file.open("rb") as reader:
            reader.seek(offset)
            before = reader.read(length)
        with self._lock:
            self._unsynced.setdefault(path, []).append((offset, before, size))

    def synced(self, path: str) -> None:
        """What was written to this file will survive."""
        with self._lock:
            self._unsynced.pop(path, None)

    def power_cut(self) -> int:
        """Undoes all unsynced writes, newest first, and returns how many there were."""
        with self._lock:
            lost, self._unsynced = self._unsynced, {}
        for path, writes in lost.items():
            if not Path(path).exists():
                continue
            with Path(path).open("r+b") as file:
                for offset, before, size in reversed(writes):
                    file.seek(offset)
                    file.write(before)
                    file.truncate(size)
        return sum(map(len, lost.values()))


class FaultyFile(apsw.VFSFile):
    """One file of a `FaultyVfs`."""

    def __init__(self, vfs: FaultyVfs, name, flags) -> None:
        self._vfs = vfs
        self._path = name.filename() if isinstance(name, apsw.URIFilename) else name
        super().__init__("", name, flags)

    def xRead(self, amount, offset):
        if self._vfs.fail_reads:
            raise apsw.IOError("injected")
        return super().xRead(amount, offset)

    def xWrite(self, data, offset):
        if self._vfs.fault == "ENOSPC":
            raise apsw.FullError("injected")
        if self._vfs.fault == "EIO":
            raise apsw.IOError("injected")
        if self._path:
            self._vfs.remember(self._path, offset, len(data))
        super().xWrite(data, offset)

    def xTruncate(self, size):
        if self._path:
            self._vfs.remember(self._path, size, 1 << 30)
        super().xTruncate(size)

    def xSync(self, flags):
        if self._vfs.fault == "sync":
            raise apsw.IOError("injected")
        super().xSync(flags)
        if self._path:
            self._vfs.synced(self._path)
