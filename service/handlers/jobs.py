"""Background work: GetJob, ListJobs, WatchJob, ExpediteJob, CancelJob, RetryJob."""

from collections.abc import AsyncIterator
from datetime import timedelta

from structmem.v1 import memory_service_pb2 as pb

from graph.model import TERMINAL_STATES, JobKind, JobState, uuid_of
from service.answer_size import Room
from service.authorize import Action
from service.convert.jobs import job_to_proto
from service.handlers.resource import Context, ResourceHandlers
from service.validate import Violations, enum_values, limit_of
from service.validate.fields import MAX_ID

# Only how long one wait in the store lasts; a watch goes on until the job ends.
_WATCH = timedelta(seconds=30)
_OfAJob = pb.GetJobRequest | pb.WatchJobRequest | pb.ExpediteJobRequest | pb.CancelJobRequest | pb.RetryJobRequest


class JobHandlers(ResourceHandlers):
    """Shows and steers jobs."""

    async def GetJob(self, request: pb.GetJobRequest, context: Context) -> pb.GetJobResponse:
        """One job."""
        self._enter_job(Action.READ, request)
        memory = self._memory(request.namespace, request.at_least)
        return pb.GetJobResponse(job=job_to_proto(await memory.get_job(request.job_id)))

    async def ListJobs(self, request: pb.ListJobsRequest, context: Context) -> pb.ListJobsResponse:
        """Jobs, newest first."""
        self._enter(Action.READ, request.namespace)
        with Violations() as found:
            limit = limit_of(found, "page_size", request.page_size, 50, 500)
            states = enum_values(found, "states", request.states, JobState)
            kinds = enum_values(found, "kinds", request.kinds, JobKind)
        memory = self._memory(request.namespace, request.at_least)
        uid = (await memory.settings()).uid
        page = await memory.list_jobs(states, kinds, self._dependencies.pages.read(request, uid), limit, self._page_bytes)
        token = self._dependencies.pages.make(request, uid, page.next)
        room = Room(self._max_bytes)
        return pb.ListJobsResponse(jobs=[room.need(job_to_proto(job), job.id, token) for job in page.items], next_page_token=token)

    async def WatchJob(self, request: pb.WatchJobRequest, context: Context) -> AsyncIterator[pb.WatchJobResponse]:
        """The job now and after each change, until it ends."""
        self._enter_job(Action.READ, request)
        memory = self._memory(request.namespace, request.at_least)
        job = await memory.get_job(request.job_id)
        yield pb.WatchJobResponse(job=job_to_proto(job))
        while job.state not in TERMINAL_STATES:
            change = memory.wait_for_job_change(request.job_id, job.updated_at, _WATCH)
            seen, job = job, await self._dependencies.stopping.unless(change)
            if job != seen:
                yield pb.WatchJobResponse(job=job_to_proto(job))

    async def ExpediteJob(self, request: pb.ExpediteJobRequest, context: Context) -> pb.ExpediteJobResponse:
        """Lets a job begin that waits for more messages."""
        self._enter_job(Action.WRITE, request)
        memory = self._memory(request.namespace)
        job = job_to_proto(await memory.expedite_job(request.job_id))
        return pb.ExpediteJobResponse(job=job, consistency_token=await self._token_now(memory, request.namespace))

    async def CancelJob(self, request: pb.CancelJobRequest, context: Context) -> pb.CancelJobResponse:
        """Stops a job."""
        self._enter_job(Action.WRITE, request)
        memory = self._memory(request.namespace)
        job = job_to_proto(await memory.cancel_job(request.job_id))
        return pb.CancelJobResponse(job=job, consistency_token=await self._token_now(memory, request.namespace))

    async def RetryJob(self, request: pb.RetryJobRequest, context: Context) -> pb.RetryJobResponse:
        """Starts a failed or canceled job again."""
        self._enter_job(Action.WRITE, request)
        memory = self._memory(request.namespace)
        job = job_to_proto(await memory.retry_job(request.job_id))
        return pb.RetryJobResponse(job=job, consistency_token=await self._token_now(memory, request.namespace))

    def _enter_job(self, action: Action, request: _OfAJob) -> None:
        self._enter(action, request.namespace)
        with Violations() as found:
            if not _is_job_id(request.job_id):
                found.add("job_id", "is not the id of a job" if request.job_id else "is required")


def _is_job_id(value: str) -> bool:
    try:
        return len(value) <= MAX_ID and value.startswith("job_") and bool(uuid_of(value))
    except ValueError:
        return False
