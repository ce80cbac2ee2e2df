"""What happens to a job, whichever store keeps it."""

from dataclasses import replace
from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from graph.errors import Conflict, LeaseLost, NotFound
from graph.model import JobError, JobKind, JobState, from_micros
from graph.store.port import JobAttemptFailed, JobDeferred, JobOutcome, JobSucceeded
from graph.store.rules import jobs
from graph.store.rules.jobs import JobRow

_SECOND = timedelta(seconds=1)
_ERROR = JobError("REASON", "what went wrong")

_moments = st.integers(0, 10**6)
_rows = st.builds(
    JobRow,
    id=st.just("job_1"),
    key=st.integers(1, 9),
    kind=st.just(JobKind.EXTRACTION),
    state=st.sampled_from(JobState),
    session=st.just("s"),
    created_at=st.just(0),
    updated_at=_moments,
    run_after=_moments,
    idle_until=_moments,
    target=st.integers(1, 99),
    done=st.integers(0, 9),
    total=st.integers(0, 99),
    attempts=st.integers(0, 3),
    epoch=st.integers(0, 9),
    expires_at=_moments,
    partial_failures=st.lists(st.builds(JobError, st.text(max_size=5), st.text(max_size=5)), max_size=2).map(tuple),
)
_outcomes = st.one_of(
    st.just(JobSucceeded()),
    st.builds(JobDeferred, _moments.map(from_micros)),
    st.builds(JobAttemptFailed, st.just(_ERROR), st.none() | _moments.map(from_micros)),
)


def _queued(**changes: object) -> JobRow:
    return replace(jobs.new_job("job_1", 1, "s", 100, 4, _SECOND, 4), **changes)


def _running() -> JobRow:
    return jobs.leased(_queued(), [], 200, "worker", 7, _SECOND, 6, 6)


def test_a_new_job_is_due_at_once_and_idles_later() -> None:
    job = _queued()
    assert (job.due_at, job.idle_until, job.target, job.total) == (100, 1_000_100, 4, 4)


def test_more_messages_hurry_a_job_unless_its_attempts_failed() -> None:
    waiting = _queued(run_after=5_000)
    assert jobs.covering(waiting, 200, 9, _SECOND, 9).run_after == 200
    failed = replace(waiting, attempts=1)
    covering = jobs.covering(failed, 200, 9, _SECOND, 9)
    assert (covering.run_after, covering.target, covering.total) == (5_000, 9, 9)


def test_a_job_covers_messages_up_to_its_target_until_they_are_extracted() -> None:
    open_jobs = [_queued(), _queued(id="job_2", target=8)]
    assert [jobs.open_job_of(open_jobs, 2, seq) for seq in (2, 3, 4, 5, 8, 9)] == ["", "job_1", "job_1", "job_2", "job_2", ""]


def test_the_newest_queued_job_takes_what_comes() -> None:
    assert jobs.queued_among([_queued(), _queued(id="job_2", key=2), replace(_running(), key=3)]) == _queued(id="job_2", key=2)
    assert jobs.queued_among([_running()]) is None


def test_a_queued_job_waits_for_the_running_one_of_its_session() -> None:
    assert jobs.is_due(_queued(), [], 100)
    assert not jobs.is_due(_queued(), [], 99)
    assert not jobs.is_due(_queued(), [_running()], 10**9)


def test_a_running_job_is_due_when_its_lease_has_passed() -> None:
    assert not jobs.is_due(_running(), [_queued()], 1_000_199)
    assert jobs.is_due(_running(), [_queued()], 1_000_200)


def test_a_leased_job_covers_all_that_waits_and_idles_as_long_as_any_of_the_session() -> None:
    other = _queued(id="job_2", idle_until=9_000_000)
    job = jobs.leased(_queued(done=2), [other], 200, "worker", 7, _SECOND, 6, 4)
    assert (job.state, job.worker, job.epoch, job.attempts) == (JobState.RUNNING, "worker", 7, 1)
    assert (job.target, job.total, job.idle_until, job.expires_at) == (6, 6, 9_000_000, 1_000_200)


def test_a_consolidation_is_hurried_by_whoever_hurries_one() -> None:
    first, second = (jobs.new_consolidation(f"job_{key}", key, 100, 4) for key in (1, 2))
    patient = jobs.leased(first, [second], 200, "worker", 7, _SECOND, 0, 4)
    assert not jobs.is_hurried(patient, 10**9)
    for row, other in ((first, jobs.hurried(second, 150)), (jobs.hurried(second, 150), first)):
        assert jobs.is_hurried(jobs.leased(row, [other], 200, "worker", 7, _SECOND, 0, 4), 200)


def test_a_lease_is_held_until_it_ends_or_another_one_begins() -> None:
    job = _running()
    lease = jobs.lease_of("n", job)
    assert jobs.held(job, 1_000_199, lease) == job
    for row, now in ((job, 1_000_200), (replace(job, epoch=8), 300), (_queued(), 300), (None, 300)):
        with pytest.raises(LeaseLost):
            jobs.held(row, now, lease)
    assert jobs.held(jobs.renewed(job, 1_000_000, _SECOND), 1_999_999, lease).updated_at == job.updated_at


def test_handing_a_job_back_is_no_attempt_and_a_flush_ends_the_waiting() -> None:
    job = jobs.finished(_running(), 300, JobDeferred(from_micros(800_000)), unfinished=False)
    assert (job.state, job.run_after, job.attempts, job.worker) == (JobState.QUEUED, 800_000, 0, "")
    flushed = jobs.hurried(_running(), 250)
    assert jobs.finished(flushed, 300, JobDeferred(from_micros(800_000)), unfinished=False).run_after == 300


def test_of_what_could_not_be_taken_a_job_keeps_the_last() -> None:
    job, told = _running(), [JobError("REASON", str(number)) for number in range(250)]
    for start in range(0, 250, 50):
        job = jobs.progressed(job, 300 + start, 1, told[start : start + 50])
    assert job.partial_failures == tuple(told[-jobs.MAX_PARTIAL_FAILURES :])
    assert job.done == 5


def test_a_page_of_jobs_ends_where_it_has_no_room_for_more() -> None:
    rows = [replace(_running(), id=f"job_{key}", key=key, error=JobError("REASON", "x" * 1_000)) for key in (9, 8, 7, 6)]
    ids = lambda page: [job.id for job in page.items]  # noqa: E731
    assert (ids(page := jobs.page_of_jobs("acme", rows, 3, 10**6)), page.next) == (["job_9", "job_8", "job_7"], (7,))
    assert (ids(page := jobs.page_of_jobs("acme", rows, 9, 5_000)), page.next) == (["job_9", "job_8", "job_7"], (7,))
    assert (ids(page := jobs.page_of_jobs("acme", rows, 9, 10)), page.next) == (["job_9"], (9,))
    assert jobs.page_of_jobs("acme", rows, 9, 10**6).next is None


def test_a_failed_attempt_is_tried_again_or_rests() -> None:
    again = jobs.finished(_running(), 300, JobAttemptFailed(_ERROR, from_micros(900)), unfinished=False)
    assert (again.state, again.run_after, again.attempts, again.error) == (JobState.QUEUED, 900, 1, _ERROR)
    rests = jobs.finished(_running(), 300, JobAttemptFailed(_ERROR, None), unfinished=False)
    assert (rests.state, rests.due_at, rests.error) == (JobState.FAILED, None, _ERROR)


def test_a_job_that_succeeds_before_its_messages_end_goes_on() -> None:
    goes_on = jobs.finished(_running(), 300, JobSucceeded(), unfinished=True)
    assert (goes_on.state, goes_on.attempts, goes_on.run_after) == (JobState.QUEUED, 0, goes_on.idle_until)
    done = jobs.finished(_running(), 300, JobSucceeded(), unfinished=False)
    assert (done.state, done.done, done.total) == (JobState.SUCCEEDED, 6, 6)


@given(_rows, _moments, _outcomes, st.booleans())
def test_every_outcome_is_later_than_what_was_and_leaves_no_lease(row: JobRow, now: int, outcome: JobOutcome, unfinished: bool) -> None:
    job = jobs.finished(row, now, outcome, unfinished=unfinished)
    assert job.updated_at > row.updated_at
    assert job.updated_at >= now
    assert (job.worker, job.expires_at) == ("", 0)
    stored = jobs.stored_values(job)
    assert (jobs.error_of(stored["error"]), jobs.errors_of(stored["partial_failures"])) == (job.error, job.partial_failures)


@given(_rows, _moments)
def test_a_job_is_cancelled_or_tried_again_never_both(row: JobRow, now: int) -> None:
    outcomes = []
    for change in (jobs.cancelled, jobs.retried):
        try:
            outcomes.append(change(row, now).state)
        except Conflict as error:
            outcomes.append(error.metadata["state"])
    expected = {
        JobState.QUEUED: [JobState.CANCELED, "QUEUED"],
        JobState.RUNNING: [JobState.CANCELED, "RUNNING"],
        JobState.SUCCEEDED: ["SUCCEEDED", "SUCCEEDED"],
        JobState.FAILED: ["FAILED", JobState.QUEUED],
        JobState.CANCELED: ["CANCELED", JobState.QUEUED],
    }
    assert outcomes == expected[row.state]


def test_a_job_without_its_session_is_not_tried_again() -> None:
    with pytest.raises(Conflict, match="session of the job was deleted"):
        jobs.retried(_queued(state=JobState.FAILED, session=""), 300)


def test_a_job_that_is_not_there_is_named() -> None:
    with pytest.raises(NotFound) as raised:
        jobs.found_job(None, "job_9")
    assert raised.value.metadata == {"job_id": "job_9"}
