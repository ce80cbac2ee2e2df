"""The elements of a JSON array one after the other, so that a file of gigabytes takes the memory of its largest element."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any, TextIO

from bench.report import BenchError

_CHUNK = 1 << 20
_WHITE_SPACE = " \t\r\n"


def elements(path: Path, chunk: int = _CHUNK) -> Iterator[Any]:
    """Each element of the array of objects that the file holds. `chunk`: how many characters are read at least.

    Raises:
        BenchError: the file cannot be read or holds something else; says after which element.
    """
    try:
        with path.open(encoding="utf-8-sig") as file:
            yield from _Array(file, path, chunk).elements()
    except OSError as error:
        raise BenchError(f"cannot read {path}: {error.strerror}") from error
    except UnicodeDecodeError as error:
        raise BenchError(f"{path} is not UTF-8: {error.reason}") from error


class _Array:
    def __init__(self, file: TextIO, path: Path, chunk: int) -> None:
        self._file, self._path, self._chunk = file, path, chunk
        self._text, self._at = "", 0
        self._decoder = json.JSONDecoder()

    def elements(self) -> Iterator[Any]:
        if self._next() != "[":
            raise BenchError(f"{self._path}: must be a JSON array of conversations, as published")
        self._at += 1
        count = 0
        if self._next() == "]":
            return
        while True:
            yield self._element(count)
            count += 1
            sign = self._next()
            self._at += 1
            if sign == "]":
                return
            if sign != ",":
                raise BenchError(f"{self._path}: [{count}]: is not JSON: no comma and no end of the array before it")

    def _next(self) -> str:
        """The next sign that is no white space, which stays where it is; "" at the end."""
        while True:
            while self._at < len(self._text) and self._text[self._at] in _WHITE_SPACE:
                self._at += 1
            if self._at < len(self._text) or not self._read():
                return self._text[self._at : self._at + 1]

    def _element(self, count: int) -> Any:
        self._next()
        while True:
            try:
                value, self._at = self._decoder.raw_decode(self._text, self._at)
                return value
            except ValueError as error:
                # Half an element is not JSON either. As much again is read each time, so that long ones are not decoded over and over.
                if not self._read():
                    raise BenchError(f"{self._path}: [{count}]: is not JSON, or the file ends within it: {error}") from error

    def _read(self) -> bool:
        """Reads on, behind what is not used yet; whether there was something."""
        self._text, self._at = self._text[self._at :], 0
        more = self._file.read(max(self._chunk, len(self._text)))
        self._text += more
        return bool(more)
