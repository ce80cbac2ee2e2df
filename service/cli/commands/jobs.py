"""`structmem jobs`: list, watch, retry, cancel."""

import sys
from collections.abc import Iterator, Sequence
from heapq import merge
from typing import TYPE_CHECKING, Annotated

import typer

from service.cli import tables
from service.cli.connection import connected
from service.cli.counts import counted
from service.cli.documents import print_json, print_list
from service.cli.grouping import ListsByDefault
from service.cli.limits import at_most, page_size
from service.cli.options import JsonOption, LimitOption, NamespaceOption
from service.cli.times import IN_UTC

if TYPE_CHECKING:
    from structmem import Client, Job

app = typer.Typer(
    cls=ListsByDefault,
    help="Background work: extraction of sessions, and consolidation. Without a command: lists the jobs.",
    pretty_exceptions_enable=False,
)
_CREATED = IN_UTC.heading("created")
JobArgument = Annotated[str, typer.Argument(help="The job's id.")]
StatesOption = Annotated[
    list[str] | None, typer.Option("--state", help="queued, running, succeeded, failed or canceled; may be given several times.")
]


@connected
def list_(
    client: "Client",
    namespace: Annotated[str | None, typer.Option("--namespace", "-n", help="Only this namespace; default: all.")] = None,
    state: StatesOption = None,
    kind: Annotated[list[str] | None, typer.Option("--kind", help="extraction or consolidation; default: both.")] = None,
    limit: LimitOption = 50,
    json: JsonOption = False,
) -> None:
    """Lists jobs, newest first."""
    kinds = kind or ()
    if namespace:
        everywhere = [client.list_jobs(namespace, states=state or (), kinds=kinds, page_size=page_size(limit))]
    else:
        everywhere = [_jobs_of(client, it.name, state or (), limit, kinds) for it in client.list_namespaces()]
    # Ids sort by time.
    found = at_most(limit, merge(*everywhere, key=lambda job: job.id, reverse=True))
    if json:
        print_list("jobs", found)
        return
    made = tables.table(
        "state",
        "kind",
        "namespace",
        "session",
        "done",
        "attempts",
        _CREATED,
        "problem",
        "id",
        wrap=("namespace", "session", "problem"),
        spare=("attempts", _CREATED, "namespace"),
    )
    for job in found:
        problem = job.error.message if job.error else ""
        made.add_row(
            str(job.state),
            str(job.kind),
            tables.plain(job.namespace),
            tables.plain(job.session),
            f"{job.completed_units} of {job.total_units}",
            str(job.attempts),
            IN_UTC.instant(job.created_at),
            tables.plain(problem),
            job.id,
        )
    made.show("There are no jobs.")


@connected
def watch(
    client: "Client",
    job_id: JobArgument,
    namespace: NamespaceOption,
    flush: Annotated[bool, typer.Option("--flush", help="Do not let it wait for more messages.")] = False,
    json: JsonOption = False,
) -> None:
    """Follows a job until it ends; exit code 1 when it fails. With --json, one document at the end."""
    last = None
    if flush:
        client.expedite_job(namespace, job_id)
    for job in client.watch_job(namespace, job_id):
        last = job
        if not json:
            typer.echo(_line(job))
            sys.stdout.flush()
    if json and last:
        print_json(last)
    if last is None or last.state.value != "succeeded":
        raise typer.Exit(1)


@connected
def retry(
    client: "Client",
    job_id: Annotated[str | None, typer.Argument(help="The job's id; or --all.")] = None,
    namespace: Annotated[str | None, typer.Option("--namespace", "-n", help="The job's namespace; with --all only this one.")] = None,
    all_: Annotated[
        bool, typer.Option("--all", help="Every failed job, as after a model's long outage; not those that were canceled.")
    ] = False,
    prefix: Annotated[str, typer.Option(help="With --all: only this path and what is below it.")] = "",
    json: JsonOption = False,
) -> None:
    """Starts a failed or canceled job again, or all that failed."""
    if all_ == (job_id is not None):
        raise typer.BadParameter("give a job's id, or --all", param_hint="JOB_ID")
    if prefix and (namespace or not all_):
        raise typer.BadParameter("goes with --all, and without --namespace", param_hint="--prefix")
    if job_id is not None:
        if namespace is None:
            raise typer.BadParameter("is required for a single job", param_hint="--namespace")
        _answer(client.retry_job(namespace, job_id), json)
        return
    names = [namespace] if namespace else [it.name for it in client.list_namespaces(prefix)]
    retried = [job for name in names for job in _retried(client, name, one_of_many=namespace is None)]
    if json:
        print_list("jobs", iter(retried))
        return
    for job in retried:
        typer.echo(f"{_line(job)} ({job.namespace})")
    if not retried:
        typer.echo("No job has failed.")


@connected
def cancel(client: "Client", job_id: JobArgument, namespace: NamespaceOption, json: JsonOption = False) -> None:
    """Stops a job. The messages are kept."""
    _answer(client.cancel_job(namespace, job_id), json)


app.command("list")(list_)
app.command()(watch)
app.command()(retry)
app.command()(cancel)


def _jobs_of(client: "Client", namespace: str, states: Sequence[str], limit: int, kinds: Sequence[str] = ()) -> "Iterator[Job]":
    """The jobs of one namespace among others: what is wrong with it hides no others' jobs."""
    from structmem import NamespaceCorruptError, NotFoundError

    try:
        yield from client.list_jobs(namespace, states=states, kinds=kinds, page_size=page_size(limit))
    except NamespaceCorruptError as error:
        typer.echo(f"note: {error}", err=True)
    except NotFoundError:
        pass  # deleted meanwhile


def _retried(client: "Client", namespace: str, one_of_many: bool) -> "Iterator[Job]":
    """The failed jobs of a namespace, started again. What started or went meanwhile is passed over."""
    from structmem import ConflictError, NotFoundError

    # All of them first: a listing that is changed while it is read may pass some over.
    listed = _jobs_of(client, namespace, ["failed"], 500) if one_of_many else client.list_jobs(namespace, states=["failed"], page_size=500)
    for job in list(listed):
        try:
            yield client.retry_job(namespace, job.id)
        except (ConflictError, NotFoundError) as error:
            typer.echo(f"note: {job.id}: {error}", err=True)


def _answer(job: "Job", json: bool) -> None:
    if json:
        print_json(job)
    else:
        typer.echo(_line(job))


def _line(job: "Job") -> str:
    problem = f": {job.error.message}" if job.error else ""
    units = "event" if job.kind.value == "consolidation" else "message"
    return f"{job.id} {job.state}, {job.completed_units} of {counted(job.total_units, units)}{problem}"
