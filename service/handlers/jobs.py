"""Background work: GetJob, ListJobs, WatchJob, ExpediteJob, CancelJob, RetryJob."""

from collections.abc import AsyncIterator
from datetime import timedelta

from structmem.v1 import memory_service_pb2 as pb

from graph.model import TERMINAL_STATES, JobKind, JobState
from graph.store.port import JobQuery, Memory
from service.answer_size import Room
from service.authorize import Action
from service.convert.jobs import job_to_proto
from service.handlers.resource import Context, ResourceHandlers
from service.validate import enum_values, job_id, limit_of

# Only how long one wait in the store lasts; a watch goes on until the job ends.
_WATCH = timedelta(seconds=30)
_Change = pb.ExpediteJobRequest | pb.CancelJobRequest | pb.RetryJobRequest


class JobHandlers(ResourceHandlers):
    """Shows and steers jobs."""

    async def GetJob(self, request: pb.GetJobRequest, context: Context) -> pb.GetJobResponse:
        """One job."""
        with self._entering(Action.READ, request.namespace) as found:
            job_id(found, "job_id", request.job_id)
            memory = self._reading(found, request)
        return pb.GetJobResponse(job=job_to_proto(await memory.get_job(request.job_id)))

    async def ListJobs(self, request: pb.ListJobsRequest, context: Context) -> pb.ListJobsResponse:
        """Jobs, newest first."""
        with self._entering(Action.READ, request.namespace) as found:
            limit = limit_of(found, "page_size", request.page_size, 50, 500)
            states = enum_values(found, "states", request.states, JobState)
            query = JobQuery(states, enum_values(found, "kinds", request.kinds, JobKind))
            with found.gathering():
                self._dependencies.pages.check(request)
            memory = self._reading(found, request)
        uid = (await memory.settings()).uid
        page = await memory.list_jobs(query, self._dependencies.pages.read(request, uid), limit, self._page_bytes)
        token = self._dependencies.pages.make(request, uid, page.next)
        room = Room(self._max_bytes)
        return pb.ListJobsResponse(jobs=[room.need(job_to_proto(job), job.id, token) for job in page.items], next_page_token=token)

    async def WatchJob(self, request: pb.WatchJobRequest, context: Context) -> AsyncIterator[pb.WatchJobResponse]:
        """The job now and after each change, until it ends."""
        with self._entering(Action.READ, request.namespace) as found:
            job_id(found, "job_id", request.job_id)
            memory = self._reading(found, request)
        job = await memory.get_job(request.job_id)
        yield pb.WatchJobResponse(job=job_to_proto(job))
        while job.state not in TERMINAL_STATES:
            change = memory.wait_for_job_change(request.job_id, job.updated_at, _WATCH)
            seen, job = job, await self._dependencies.stopping.unless(change)
            if job != seen:
                yield pb.WatchJobResponse(job=job_to_proto(job))

    async def ExpediteJob(self, request: pb.ExpediteJobRequest, context: Context) -> pb.ExpediteJobResponse:
        """Lets a job begin that waits for more messages."""
        memory = self._job_to_change(request)
        job = job_to_proto(await memory.expedite_job(request.job_id))
        return pb.ExpediteJobResponse(job=job, consistency_token=await self._token_now(memory, request.namespace))

    async def CancelJob(self, request: pb.CancelJobRequest, context: Context) -> pb.CancelJobResponse:
        """Stops a job."""
        memory = self._job_to_change(request)
        job = job_to_proto(await memory.cancel_job(request.job_id))
        return pb.CancelJobResponse(job=job, consistency_token=await self._token_now(memory, request.namespace))

    async def RetryJob(self, request: pb.RetryJobRequest, context: Context) -> pb.RetryJobResponse:
        """Starts a failed or canceled job again."""
        memory = self._job_to_change(request)
        job = job_to_proto(await memory.retry_job(request.job_id))
        return pb.RetryJobResponse(job=job, consistency_token=await self._token_now(memory, request.namespace))

    def _job_to_change(self, request: _Change) -> Memory:
        """The namespace of the job."""
        with self._entering(Action.WRITE, request.namespace) as found:
            job_id(found, "job_id", request.job_id)
        return self._memory(request.namespace)
