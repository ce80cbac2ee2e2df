"""Waiting for work and for changes of a job: this process tells itself of its own writes, and looks for those of others now and then."""

import asyncio
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from datetime import timedelta

from graph.errors import StructMemError
from graph.store.neo4j.driver.database import Database
from graph.store.signals import WORK

# A poll is one index seek; at these intervals it costs the server nothing that could be measured.
_WORK_SECONDS = 0.5
_JOB_SECONDS = 0.25
_NEXT = """MATCH (j:Job) WHERE j.due_at IS NOT NULL AND (j.state = 'RUNNING' OR NOT EXISTS {
        MATCH (r:Job) WHERE r.namespace = j.namespace AND r.session = j.session AND r.state = 'RUNNING' })
    RETURN j.due_at ORDER BY j.due_at LIMIT 1"""
_UNCHANGED = """UNWIND $watched AS watch MATCH (n:Namespace {name: watch[0]}) WHERE n.state = 'ACTIVE'
    MATCH (j:Job {namespace: watch[0], id: watch[1]}) WHERE j.updated_at <= watch[2] RETURN collect(watch)"""


async def wait_for_work(database: Database, timeout: timedelta) -> None:
    """See `Store.wait_for_work`."""
    loop = asyncio.get_running_loop()
    deadline = loop.time() + timeout.total_seconds()
    while True:
        with database.changed.subscribed(WORK) as woken:
            due = await database.connection.rows(_NEXT)
            left = deadline - loop.time()
            if left <= 0 or (due and due[0][0] <= await database.now()):
                return
            await asyncio.wait([woken], timeout=min(left, _WORK_SECONDS))


class JobWatch:
    """Polls for changes that other processes make to the jobs that somebody here waits for: one query for all of them."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._watched: Counter[tuple[str, str, int]] = Counter()
        self._polling: asyncio.Task[None] | None = None

    async def close(self) -> None:
        """Polls no more."""
        task, self._polling = self._polling, None
        if task is not None:
            task.cancel()
            with suppress(asyncio.CancelledError):
                await task

    @contextmanager
    def watching(self, watch: tuple[str, str, int]) -> Iterator[None]:
        """Meanwhile the job is looked at. `watch`: its namespace, its id, and when it was updated last."""
        self._watched[watch] += 1
        if self._polling is None or self._polling.done():
            self._polling = asyncio.create_task(self._poll())
        try:
            yield
        finally:
            self._watched[watch] -= 1
            self._watched += Counter()  # drops what nobody watches

    async def _poll(self) -> None:
        while self._watched:
            await asyncio.sleep(_JOB_SECONDS)
            watched = set(self._watched)
            try:
                [[unchanged]] = await self._database.connection.rows(_UNCHANGED, {"watched": [list(watch) for watch in watched]})
            except StructMemError:
                unchanged = []  # those who wait read for themselves, and are told what is wrong
            for _, job_id, _ in watched - {tuple(watch) for watch in unchanged}:
                self._database.changed.notify(job_id)
