"""Workers do what is due until they are stopped, and hand back what they hold."""

import asyncio
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from extract.embed import HashingEmbedder
from extract.local import LocalExtractor, local_extractors
from extract.pipeline import ExtractionPipeline, PipelineSettings
from extract.port import Extraction, Segment
from extract.worker import Worker
from graph.errors import StoreUnavailable
from graph.model import ExtractionMode, ExtractorSpec, JobKind, JobState, Role, UuidSource
from graph.store.embedded import EmbeddedStore
from graph.store.port import AppendCommand, EventQuery, MessageDraft, NamespaceSpec

EMBEDDER = HashingEmbedder(32)


class _Now:
    def now(self) -> datetime:
        return datetime.now(UTC)


@pytest.fixture
async def store(tmp_path: Path) -> AsyncIterator[EmbeddedStore]:
    opened = EmbeddedStore(tmp_path / "data")
    await opened.open()
    yield opened
    await opened.close()


def _worker(store: Any, extractors: Any = None, lease: timedelta = timedelta(seconds=30)) -> Worker:
    pipeline = ExtractionPipeline(store, EMBEDDER, extractors or local_extractors(), UuidSource(), _Now(), PipelineSettings(lease=lease))
    return Worker(store, {JobKind.EXTRACTION: pipeline}, _Now(), lease=lease)


async def _conversation(store: Any, session: str, lines: int = 6) -> str:
    drafts = tuple(
        MessageDraft("Maria", Role.USER, f"I bought {number} red boats yesterday.", datetime(2023, 5, 1, 12, number, tzinfo=UTC))
        for number in range(lines)
    )
    job = (await store.namespace("team").append(AppendCommand(session, drafts, timedelta(hours=1)))).job_id
    await store.namespace("team").flush(session)
    return str(job)


async def _until(store: Any, job: str, state: JobState) -> None:
    async with asyncio.timeout(20):
        found = await store.namespace("team").get_job(job)
        while found.state is not state:
            found = await store.namespace("team").wait_for_job_change(job, found.updated_at, timedelta(seconds=1))


async def test_workers_do_the_jobs_of_several_sessions(store: Any) -> None:
    await store.create_namespace(NamespaceSpec("team", EMBEDDER.spec, ExtractionMode.EVENT))
    worker = _worker(store)
    running = asyncio.create_task(worker.run())
    jobs = [await _conversation(store, f"s{number}") for number in range(4)]
    for job in jobs:
        await _until(store, job, JobState.SUCCEEDED)
    await worker.stop(timedelta(seconds=5))
    await asyncio.wait_for(running, 5)
    assert len((await store.namespace("team").list_events(EventQuery(), None, 100)).items) == 24


class _Stuck:
    """An extractor that takes forever."""

    def __init__(self) -> None:
        self.started = asyncio.Event()

    @property
    def spec(self) -> ExtractorSpec:
        return LocalExtractor().spec

    async def extract(self, segment: Segment) -> Extraction:
        self.started.set()
        await asyncio.sleep(3_600)
        raise AssertionError("never")


async def test_what_is_not_done_within_the_grace_is_handed_back(store: Any) -> None:
    await store.create_namespace(NamespaceSpec("team", EMBEDDER.spec, ExtractionMode.EVENT))
    stuck = _Stuck()
    worker = _worker(store, {ExtractionMode.EVENT: stuck})
    running = asyncio.create_task(worker.run())
    job = await _conversation(store, "s")
    await asyncio.wait_for(stuck.started.wait(), 10)
    await worker.stop(timedelta(0))
    await asyncio.wait_for(running, 5)
    assert (await store.namespace("team").get_job(job)).state is JobState.QUEUED
    second = _worker(store)
    again = asyncio.create_task(second.run())
    await _until(store, job, JobState.SUCCEEDED)
    await second.stop(timedelta(seconds=5))
    await asyncio.wait_for(again, 5)
    assert len((await store.namespace("team").list_events(EventQuery(), None, 100)).items) == 6


async def test_a_lease_is_kept_while_its_job_takes_longer(store: Any) -> None:
    await store.create_namespace(NamespaceSpec("team", EMBEDDER.spec, ExtractionMode.EVENT))
    stuck = _Stuck()
    lease = timedelta(seconds=0.6)
    worker = _worker(store, {ExtractionMode.EVENT: stuck}, lease)
    running = asyncio.create_task(worker.run())
    job = await _conversation(store, "s")
    await asyncio.wait_for(stuck.started.wait(), 10)
    await asyncio.sleep(1.5)
    assert (await store.namespace("team").get_job(job)).state is JobState.RUNNING
    assert (await store.namespace("team").get_job(job)).attempts == 1
    await worker.stop(timedelta(0))
    await asyncio.wait_for(running, 5)


async def test_workers_outlive_a_store_that_cannot_answer(store: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    await store.create_namespace(NamespaceSpec("team", EMBEDDER.spec, ExtractionMode.EVENT))
    real, calls = store.lease_job, 0

    async def troubled(*arguments: Any) -> Any:
        nonlocal calls
        calls += 1
        if calls <= 2:
            raise StoreUnavailable("the disk is busy")
        return await real(*arguments)

    monkeypatch.setattr(store, "lease_job", troubled)
    job = await _conversation(store, "s")
    worker = _worker(store)
    running = asyncio.create_task(worker.run())
    await _until(store, job, JobState.SUCCEEDED)
    await worker.stop(timedelta(seconds=5))
    await asyncio.wait_for(running, 5)


async def test_a_job_whose_end_cannot_be_noted_goes_on_as_soon_as_it_can(store: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    await store.create_namespace(NamespaceSpec("team", EMBEDDER.spec, ExtractionMode.EVENT))
    handle = type(store.namespace("team"))
    commit, finish, refused = handle.commit_extraction, handle.finish_job, 0

    async def no_commit(*arguments: Any) -> Any:
        if refused < 2:
            raise StoreUnavailable("the disk is broken")
        return await commit(*arguments)

    async def no_end(*arguments: Any) -> Any:
        nonlocal refused
        refused += 1
        if refused <= 2:
            raise StoreUnavailable("the disk is broken")
        return await finish(*arguments)

    monkeypatch.setattr(handle, "commit_extraction", no_commit)
    monkeypatch.setattr(handle, "finish_job", no_end)
    job = await _conversation(store, "s")
    worker = _worker(store, lease=timedelta(hours=1))
    running = asyncio.create_task(worker.run())
    await _until(store, job, JobState.SUCCEEDED)
    await worker.stop(timedelta(seconds=5))
    await asyncio.wait_for(running, 5)
    assert len((await store.namespace("team").list_events(EventQuery(), None, 100)).items) == 6


async def test_stopping_before_anything_ran_is_fine(store: Any) -> None:
    await _worker(store).stop(timedelta(seconds=1))
