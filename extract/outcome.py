"""How an attempt at a job ends: what is told of a failure, and when it is tried again."""

import random
from datetime import datetime, timedelta

from extract.port import ExtractorUnavailable
from graph.errors import EmbedderUnavailable, InvalidArgument, StorageFull, StoreLimit, StoreUnavailable, StructMemError
from graph.model import Job, JobError
from graph.store.port import JobAttemptFailed

# Six attempts with full jitter wait a minute or two in all: long enough for a restart or a full disk's cleanup, short enough to be noticed.
MOST_ATTEMPTS = 6
FIRST_DELAY = timedelta(seconds=2)
LONGEST_DELAY = timedelta(minutes=5)

_MESSAGES = {
    "EXTRACTOR_UNAVAILABLE": "The extractor could not be reached.",
    "STORE_UNAVAILABLE": "The store could not be read or written.",
    "STORAGE_FULL": "There was no space left to write.",
    "STORE_LIMIT": "The store gives one call less memory than this takes.",
    "EMBEDDER_UNAVAILABLE": "The embedder could not be reached, or its answer could not be used.",
    "EMBEDDING_MISMATCH": "The embedder's vectors do not fit the namespace.",
    "EXTRACTION_FAILED": "The work failed on an unexpected error; the service's log has it under the job's id.",
}


def failed_attempt(error: Exception, attempts: int, now: datetime) -> JobAttemptFailed:
    """The outcome of an attempt that raised; `attempts` counts it. The reason is stable and no exception's text is kept.

    Waits are drawn from 0 to the exponential bound ("full jitter", AWS Architecture Blog 2015), so that what failed together does not
    return together. After MOST_ATTEMPTS the job rests as FAILED.
    """
    reason = _reason(error)
    retry_at = None
    if attempts < MOST_ATTEMPTS:
        bound = min(LONGEST_DELAY, FIRST_DELAY * 2 ** max(0, attempts - 1))
        retry_at = now + bound * random.random()
    return JobAttemptFailed(JobError(reason, _MESSAGES[reason]), retry_at)


def log_fields(error: Exception, job: Job | None = None) -> dict[str, str]:
    """What the log tells of an error beside its event: where, a stable reason, the kind of error; never its text."""
    told = dict(error.metadata) if isinstance(error, StructMemError) else {}
    if job is not None:
        told |= {"namespace": job.namespace, "job": job.id}
    return told | {"reason": error.reason if isinstance(error, StructMemError) else _reason(error), "error": type(error).__name__}


def _reason(error: Exception) -> str:
    match error:
        case ExtractorUnavailable():
            return "EXTRACTOR_UNAVAILABLE"
        case StoreUnavailable():
            return "STORE_UNAVAILABLE"
        case EmbedderUnavailable():
            return "EMBEDDER_UNAVAILABLE"
        case StorageFull():
            return "STORAGE_FULL"
        case StoreLimit():
            return "STORE_LIMIT"
        case InvalidArgument():
            return "EMBEDDING_MISMATCH"
        case _:
            return "EXTRACTION_FAILED"
