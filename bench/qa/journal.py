"""JSON Lines files to which a run writes what it has, at once, and out of which the next one goes on."""

import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, TextIO

from bench.report import BenchError


class Journal:
    """The lines of one file, by key: of a key that comes twice the last one counts."""

    def __init__(self, path: Path, key: tuple[str, ...]) -> None:
        """`key`: the fields that together name a line; with none, every line counts.

        Raises:
            BenchError: the file cannot be used; names the line.
        """
        self._key = key
        self._lines: dict[tuple[str, ...], Mapping[str, Any]] = {}
        try:
            whole = _whole_lines(path)
            for number, line in enumerate(whole, start=1):
                self._keep(_entry(line, key, f"{path}: line {number}"))
            # Half of a surrogate pair, which a model may say and no UTF-8 can hold, becomes the escape that JSON has for it.
            self._file: TextIO = path.open("a", encoding="utf-8", errors="backslashreplace")
        except OSError as error:
            raise BenchError(f"cannot use {path}: {error.strerror}") from error

    def write(self, entry: Mapping[str, Any]) -> None:
        """Adds a line, which is in the file when this returns."""
        self._file.write(json.dumps(entry, ensure_ascii=False) + "\n")
        self._file.flush()
        self._keep(entry)

    def get(self, *key: str) -> Mapping[str, Any] | None:
        """The line of a key."""
        return self._lines.get(key)

    def __iter__(self) -> Iterator[Mapping[str, Any]]:
        return iter(self._lines.values())

    def close(self) -> None:
        """Closes the file."""
        self._file.close()

    def _keep(self, entry: Mapping[str, Any]) -> None:
        self._lines[tuple(str(entry[name]) for name in self._key) or (str(len(self._lines)),)] = entry


def _whole_lines(path: Path) -> list[bytes]:
    """The lines of the file, of which what a crash left of the last one is cut off."""
    if not path.exists():
        return []
    content = path.read_bytes()
    whole = content[: content.rfind(b"\n") + 1]
    if whole != content:
        with path.open("r+b") as file:
            file.truncate(len(whole))
    return whole.split(b"\n")[:-1]


def _entry(line: bytes, key: tuple[str, ...], place: str) -> Mapping[str, Any]:
    try:
        entry = json.loads(line)
    except ValueError as error:
        raise BenchError(f"{place}: is not JSON: {error}") from error
    if not isinstance(entry, dict) or any(name not in entry for name in key):
        raise BenchError(f"{place}: must be an object with {', '.join(key) or 'fields'}")
    return entry
