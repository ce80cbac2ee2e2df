"""`structmem jobs retry --all`: after an outage, one command starts again all that failed, and nothing else."""

import asyncio
import json
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from graph.model import NO_EMBEDDING, ExtractionMode, JobError, JobKind, Role
from graph.store.embedded import EmbeddedStore
from graph.store.port import AppendCommand, JobAttemptFailed, MessageDraft, NamespaceSpec
from service.cli.app import app

NAMESPACES = ("acme/maria", "acme/tom", "zoe")


@pytest.fixture(autouse=True)
def outage(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Two sessions of each namespace failed; a third of acme/maria was cancelled. No worker runs: retried jobs stay queued."""
    monkeypatch.chdir(tmp_path)
    for name in ("STRUCTMEM_TARGET", "STRUCTMEM_CONFIG"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("STRUCTMEM_DATA_DIR", "data")
    monkeypatch.setenv("STRUCTMEM_WORKERS", "0")
    monkeypatch.setenv("COLUMNS", "200")

    async def fail_all() -> None:
        store = EmbeddedStore(tmp_path / "data")
        await store.open()
        hello = MessageDraft("Maria", Role.USER, "I have a dog.", datetime(2024, 1, 1, tzinfo=UTC))
        for name in NAMESPACES:
            await store.create_namespace(NamespaceSpec(name, NO_EMBEDDING, ExtractionMode.EVENT))
            for session in ("s1", "s2"):
                await store.namespace(name).append(AppendCommand(session, (hello,), timedelta(0)))
        while (lease := await store.lease_job("w", timedelta(seconds=30), {JobKind.EXTRACTION})) is not None:
            await store.namespace(lease.job.namespace).finish_job(
                lease, JobAttemptFailed(JobError("EXTRACTOR_UNAVAILABLE", "The extractor could not be reached."), None)
            )
        cancelled = await store.namespace("acme/maria").append(AppendCommand("s3", (hello,), timedelta(0)))
        await store.namespace("acme/maria").cancel_job(cancelled.job_id)
        await store.close()

    asyncio.run(fail_all())


def run(*arguments: str) -> Result:
    return CliRunner().invoke(app, ["jobs", *arguments])


def states() -> dict[str, list[str]]:
    found: dict[str, list[str]] = {}
    for job in json.loads(run("--json").stdout)["jobs"]:
        found.setdefault(job["namespace"], []).append(job["state"])
    return {name: sorted(those) for name, those in found.items()}


@pytest.mark.parametrize(
    ("where", "retried"),
    [
        ((), NAMESPACES),
        (("--prefix", "acme"), ("acme/maria", "acme/tom")),
        (("-n", "acme/maria"), ("acme/maria",)),
    ],
)
def test_what_failed_is_queued_again_and_what_was_cancelled_stays(where: tuple[str, ...], retried: tuple[str, ...]) -> None:
    done = run("retry", "--all", *where)
    assert done.exit_code == 0
    assert len(done.stdout.splitlines()) == 2 * len(retried)
    assert all(" queued, " in line for line in done.stdout.splitlines())
    expected = {name: ["queued", "queued"] if name in retried else ["failed", "failed"] for name in NAMESPACES}
    expected["acme/maria"] = sorted([*expected["acme/maria"], "canceled"])
    assert states() == expected
    assert run("retry", "--all", *where).stdout == "No job has failed.\n"


def test_the_retried_jobs_as_a_document() -> None:
    jobs = json.loads(run("retry", "--all", "-n", "zoe", "--json").stdout)["jobs"]
    assert [(job["namespace"], job["state"], job["attempts"]) for job in jobs] == [("zoe", "queued", 0)] * 2


@pytest.mark.parametrize(
    "arguments",
    [
        (),
        ("--all", "job_1", "-n", "zoe"),
        ("job_1",),
        ("job_1", "-n", "zoe", "--prefix", "acme"),
        ("--all", "-n", "zoe", "--prefix", "acme"),
    ],
)
def test_it_must_be_clear_what_is_retried(arguments: tuple[str, ...]) -> None:
    assert run("retry", *arguments).exit_code == 2
    assert "queued" not in str(states())


def test_a_namespace_that_is_not_there_is_named() -> None:
    done = run("retry", "--all", "-n", "nobody")
    assert done.exit_code == 1
    assert "nobody" in done.stderr
