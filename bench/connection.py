"""Calls to the server: a connection with its stubs, and waiting for jobs."""

from collections.abc import Iterable

import grpc
from structmem.v1 import (
    inspection_service_pb2_grpc,
    job_pb2,
    memory_service_pb2,
    memory_service_pb2_grpc,
    namespace_service_pb2,
    namespace_service_pb2_grpc,
    summary_service_pb2_grpc,
)

from bench.report import BenchError

# No figure: long enough for a database that has just been started on a machine with much else to do.
DEADLINE_S = 300.0
MAX_MESSAGE_BYTES = 64 << 20
# A namespace of a million messages takes minutes to delete.
DELETE_DEADLINE_S = 3600.0


class Connection:
    """A channel to the server and the stubs of its services. Closes with the block."""

    def __init__(self, address: str) -> None:
        options = [("grpc.max_receive_message_length", MAX_MESSAGE_BYTES), ("grpc.max_send_message_length", MAX_MESSAGE_BYTES)]
        self.channel = grpc.aio.insecure_channel(address, options=options)
        self.memory = memory_service_pb2_grpc.MemoryServiceStub(self.channel)
        self.namespaces = namespace_service_pb2_grpc.NamespaceServiceStub(self.channel)
        self.summaries = summary_service_pb2_grpc.SummaryServiceStub(self.channel)
        self.inspection = inspection_service_pb2_grpc.InspectionServiceStub(self.channel)

    async def __aenter__(self) -> "Connection":
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.channel.close()

    async def wait_for_job(self, namespace: str, job_id: str) -> None:
        """Returns when the job has succeeded. Raises BenchError when it ended otherwise."""
        while True:
            request = memory_service_pb2.WatchJobRequest(namespace=namespace, job_id=job_id)
            async for update in self.memory.WatchJob(request):
                job = update.job
                if job.state == job_pb2.JOB_STATE_SUCCEEDED:
                    return
                if job.state in (job_pb2.JOB_STATE_FAILED, job_pb2.JOB_STATE_CANCELED):
                    raise BenchError(f"job {job_id} of {namespace} ended as {job_pb2.JobState.Name(job.state)}: {job.error.message}")

    async def wait_for_jobs(self, namespace: str, job_ids: Iterable[str]) -> None:
        """Returns when all of them have succeeded; watches one at a time, so that watching is no load."""
        for job_id in dict.fromkeys(job_ids):
            await self.wait_for_job(namespace, job_id)

    async def delete_namespaces(self, names: Iterable[str]) -> None:
        """Deletes those of the namespaces that are there."""
        for name in names:
            try:
                request = namespace_service_pb2.DeleteNamespaceRequest(namespace=name)
                await self.namespaces.DeleteNamespace(request, timeout=DELETE_DEADLINE_S)
            except grpc.aio.AioRpcError as error:
                if error.code() != grpc.StatusCode.NOT_FOUND:
                    raise

    async def flush_and_wait(self, namespace: str) -> None:
        """Has everything that waits in the namespace extracted."""
        while True:
            flushed = await self.memory.FlushSession(memory_service_pb2.FlushSessionRequest(namespace=namespace), timeout=DEADLINE_S)
            await self.wait_for_jobs(namespace, flushed.job_ids)
            if flushed.job_count == len(flushed.job_ids):
                return
