"""Jobs, to the contract."""

from structmem.v1 import job_pb2

from graph.model import Job, JobError
from service.convert.reasons import reason_to_proto
from service.convert.times import timestamp


def job_to_proto(job: Job) -> job_pb2.Job:
    """A job."""
    return job_pb2.Job(
        id=job.id,
        namespace=job.namespace,
        kind=job_pb2.JobKind.ValueType(job.kind),
        state=job_pb2.JobState.ValueType(job.state),
        session=job.session,
        completed_units=job.done,
        total_units=job.total,
        attempts=job.attempts,
        run_after=timestamp(job.run_after),
        error=None if job.error is None else _error(job.error),
        created_at=timestamp(job.created_at),
        updated_at=timestamp(job.updated_at),
        partial_failures=[_error(failure) for failure in job.partial_failures],
    )


def _error(error: JobError) -> job_pb2.JobError:
    return job_pb2.JobError(reason=reason_to_proto(error.reason), message=error.message)
