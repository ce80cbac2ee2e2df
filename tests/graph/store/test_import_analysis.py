"""A large import's texts are analysed in another process: with the same rows, in the same order, whatever becomes of it."""

import threading
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime

import pytest

from graph.model import Granularity, TimeSpan
from graph.store import import_analysis
from graph.store.analysis_process import AnalysisProcess
from graph.store.import_analysis import ImportAnalysis
from graph.store.memory_rows import MemoryRow, MemorySource, memory_rows

_SAID = datetime(2024, 5, 6, 7, 8, tzinfo=UTC)
_SPAN = TimeSpan(_SAID, _SAID, Granularity.DAY, "today")
_BATCHES = [
    [
        MemorySource(f"We met {n} times in May, on 3 May 2023. Ça va? 東京", _SAID, "Asia/Tokyo", "Ana", "a dog"),
        MemorySource(f"Ana met Bo {n} times", _SAID, "", time=_SPAN),
        MemorySource(f"{n} " + "many words in a row. " * 100, _SAID, "", "Bo"),
    ]
    for n in range(6)
]
_EXPECTED = [memory_rows(batch) for batch in _BATCHES]


@pytest.fixture
def analysis(monkeypatch: pytest.MonkeyPatch) -> Iterator[ImportAnalysis]:
    """One that takes its process after the first batch."""
    monkeypatch.setattr(import_analysis, "_BEFORE_PROCESS", 1)
    made = ImportAnalysis()
    yield made
    made.close()


def _submit_all(analysis: ImportAnalysis, stored: list[list[MemoryRow]]) -> None:
    for batch in _BATCHES:
        analysis.submit(batch, lambda rows: stored.append(list(rows)))
    analysis.complete()


def test_rows_are_the_same_and_in_order(analysis: ImportAnalysis) -> None:
    stored: list[list[MemoryRow]] = []
    _submit_all(analysis, stored)
    assert analysis._process is not None
    assert stored == _EXPECTED


@pytest.mark.parametrize("after", [1, 2, 4])
def test_a_process_that_ends_loses_nothing(analysis: ImportAnalysis, after: int) -> None:
    stored: list[list[MemoryRow]] = []
    for number, batch in enumerate(_BATCHES):
        analysis.submit(batch, lambda rows: stored.append(list(rows)))
        if number == after:
            assert analysis._process is not None
            analysis._process._process.kill()
    analysis.complete()
    assert stored == _EXPECTED
    assert analysis._process is None


def test_there_is_one_process_and_another_import_does_without(analysis: ImportAnalysis) -> None:
    first = AnalysisProcess.start_if_free()
    assert first is not None
    stored: list[list[MemoryRow]] = []
    _submit_all(analysis, stored)
    assert analysis._process is None
    assert stored == _EXPECTED
    first.close()
    second = AnalysisProcess.start_if_free()
    assert second is not None
    second.close()


def test_a_small_import_starts_no_process() -> None:
    analysis = ImportAnalysis()
    stored: list[list[MemoryRow]] = []
    _submit_all(analysis, stored)
    assert analysis._process is None
    assert stored == _EXPECTED


def test_closing_waits_for_the_batch_that_a_thread_is_at_and_nothing_is_started_after_it(analysis: ImportAnalysis) -> None:
    storing, go_on = threading.Event(), threading.Event()

    def store(rows: Sequence[MemoryRow]) -> None:
        storing.set()
        assert go_on.wait(30)

    with ThreadPoolExecutor(2) as threads:
        submitted = threads.submit(analysis.submit, _BATCHES[0], store)
        assert storing.wait(30)
        closed = threads.submit(analysis.close)
        assert not closed.done()
        go_on.set()
        submitted.result(30)
        closed.result(30)
    assert analysis._process is None
    stored: list[list[MemoryRow]] = []
    _submit_all(analysis, stored)
    assert analysis._process is None
    assert stored == _EXPECTED
    free = AnalysisProcess.start_if_free()
    assert free is not None
    free.close()
