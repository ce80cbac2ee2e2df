"""The directory of a run: what was run, and the files out of which it goes on."""

import fcntl
import json
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from bench.qa.journal import Journal
from bench.report import BenchError

_QUESTION, _MEMORY = ("system", "conversation", "question_id"), ("mode", "conversation")
_KEYS: Mapping[str, tuple[str, ...]] = {
    "predictions": _QUESTION,
    "judgements": _QUESTION,
    "failures": (),
    "ingests": _MEMORY,
    "consolidations": _MEMORY,
}


@dataclass(frozen=True, slots=True)
class Results:
    """The files of a run.

    Attributes:
        predictions: a line for each answer; `question_id` and `hypothesis` are what LongMemEval's own evaluation reads.
        judgements: a line for each verdict, with what the judge said.
        failures: a line for each time that a question got no answer or no verdict. It is asked again by the next run.
        ingests: a line for each conversation that the service took in, with what models took by then.
        consolidations: the same for each that it summarized.
        service: where the service keeps its data meanwhile.
    """

    predictions: Journal
    judgements: Journal
    failures: Journal
    ingests: Journal
    consolidations: Journal
    service: Path


@contextmanager
def opened_results(directory: Path, described: Mapping[str, Any]) -> Iterator[Results]:
    """The files in a directory, which is made where it is not there. `described`: what answers depend on.

    Raises:
        BenchError: another run is at work there, or was, with something else.
    """
    try:
        directory.mkdir(parents=True, exist_ok=True)
        lock = (directory / "lock").open("w")
    except OSError as error:
        raise BenchError(f"cannot use {directory}: {error.strerror}") from error
    with lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            raise BenchError(f"another run is at work in {directory}") from error
        _describe(directory, described)
        journals = {name: Journal(directory / f"{name}.jsonl", key) for name, key in _KEYS.items()}
        try:
            yield Results(**journals, service=_made(directory / "service"))
        finally:
            for journal in journals.values():
                journal.close()


def _made(directory: Path) -> Path:
    directory.mkdir(exist_ok=True)
    return directory.resolve()


def _describe(directory: Path, described: Mapping[str, Any]) -> None:
    path = directory / "run.json"
    files = [directory / f"{name}.jsonl" for name in _KEYS if name != "failures"]
    if not path.exists() or not any(file.exists() and file.stat().st_size for file in files):
        # A run that came to nothing, for a typing error in the model's name, binds nobody.
        (directory / "failures.jsonl").unlink(missing_ok=True)
        path.write_text(json.dumps(described, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")
        return
    try:
        before = json.loads(path.read_text(encoding="utf-8"))
    except ValueError as error:
        raise BenchError(f"{path}: is not JSON: {error}") from error
    names = sorted({*described, *(before if isinstance(before, dict) else ())})
    for name in names:
        had, has = before.get(name), described.get(name)
        if had != has:
            raise BenchError(f"{path.parent} holds a run with {name} = {had!r}, and this one has {has!r}: --out names another directory")
