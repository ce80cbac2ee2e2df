"""Waiting for work and for changes of a job: this process tells itself of its own writes, and looks for those of others now and then."""

import asyncio
from collections.abc import Awaitable, Callable
from datetime import datetime, timedelta

from graph.model import Job
from graph.store.neo4j.database import WORK, Database, namespace_key

# A look is one index seek; at these intervals it costs the server nothing that could be measured.
_WORK_SECONDS = 0.5
_JOB_SECONDS = 0.25
_NEXT = """MATCH (j:Job) WHERE j.due_at IS NOT NULL AND (j.state = 'RUNNING' OR NOT EXISTS {
        MATCH (r:Job) WHERE r.namespace = j.namespace AND r.session = j.session AND r.state = 'RUNNING' })
    RETURN j.due_at ORDER BY j.due_at LIMIT 1"""


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


async def wait_for_job_change(
    database: Database, read: Callable[[], Awaitable[Job]], namespace: str, job_id: str, seen: datetime, timeout: timedelta
) -> Job:
    """The job as soon as it was updated after `seen`, or as it is at the timeout."""
    loop = asyncio.get_running_loop()
    deadline = loop.time() + timeout.total_seconds()
    while True:
        with database.changed.subscribed(job_id, namespace_key(namespace)) as woken:
            job = await read()
            left = deadline - loop.time()
            if job.updated_at > seen or left <= 0:
                return job
            await asyncio.wait([woken], timeout=min(left, _JOB_SECONDS))
