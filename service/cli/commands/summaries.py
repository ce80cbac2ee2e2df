"""`structmem summaries`, `summary`, `profile` and `consolidate`."""

from enum import StrEnum
from typing import TYPE_CHECKING, Annotated

import typer

from service.cli import tables
from service.cli.connection import connected
from service.cli.dates import range_of
from service.cli.documents import document, node_document, print_json, print_list
from service.cli.excerpts import Excerpts, FullOption
from service.cli.failures import fail
from service.cli.filters import time_range
from service.cli.limits import at_most, page_size
from service.cli.options import AsOfOption, FromOption, JsonOption, LimitOption, NamespaceOption, SessionsOption, ToOption, ZoneOption
from service.cli.summary_lines import print_profile, print_summary
from service.cli.summary_tree import print_tree
from service.cli.times import times_of

if TYPE_CHECKING:
    from structmem import Client, Job


class Level(StrEnum):
    """The levels of summaries."""

    WINDOW = "window"
    THREAD = "thread"
    PROFILE = "profile"


@connected
def summaries(
    client: "Client",
    namespace: NamespaceOption,
    level: Annotated[list[Level] | None, typer.Option("--level", help="Only this level; may be given several times.")] = None,
    session: SessionsOption = None,
    since: FromOption = None,
    until: ToOption = None,
    stale: Annotated[bool, typer.Option("--stale", help="Only those that wait to be written anew.")] = False,
    as_of: AsOfOption = None,
    limit: LimitOption = 50,
    timezone: ZoneOption = None,
    full: FullOption = False,
    json: JsonOption = False,
) -> None:
    """Lists summaries in time: by when what they tell of was first said. --from and --to go by when it happened."""
    times = times_of(client, [namespace], timezone)
    found = client.list_summaries(
        namespace,
        levels=level or (),
        sessions=session or (),
        happened=time_range(since, until, times.zone),
        stale=True if stale else None,
        as_of=range_of(None, as_of, times.zone)[1],
        page_size=page_size(limit),
    )
    if json:
        print_list("summaries", map(node_document, at_most(limit, found)))
        return
    texts = Excerpts(full)
    shown = 0
    for shown, one in enumerate(at_most(limit, found), start=1):  # noqa: B007 - counted
        print_summary(one, times, texts)
    texts.note()
    if shown:
        typer.echo(f"(times in {times.name})", err=True)
    else:
        chosen = level or session or since or until or stale or as_of
        none_yet = "There are no summaries yet: they are written a while after the extraction, or by `structmem consolidate` at once."
        tables.console().print("There are no such summaries." if chosen else none_yet)


@connected
def summary(
    client: "Client",
    id: Annotated[str, typer.Argument(help="The summary's id.")],
    namespace: NamespaceOption,
    depth: Annotated[
        int | None, typer.Option("--depth", min=1, max=5, help="So many steps down; default: all, down to the messages.")
    ] = None,
    timezone: ZoneOption = None,
    full: FullOption = False,
    json: JsonOption = False,
) -> None:
    """Shows a summary as a tree: its sentences, what each rests on, down to the messages."""
    tree = client.get_summary(namespace, id, depth=depth)
    if json:
        below = [node_document(node) for node in tree.below]
        print_json({"namespace": namespace, "summary": node_document(tree.summary), "below": below, "truncated": tree.truncated})
        return
    times = times_of(client, [namespace], timezone)
    texts = Excerpts(full)
    print_tree(tree, times, texts)
    texts.note()
    if tree.truncated:
        typer.echo("There is more below than an answer has room for; `structmem summary` of a node in the tree shows it.", err=True)
    typer.echo(f"(times in {times.name})", err=True)


@connected
def profile(
    client: "Client",
    namespace: NamespaceOption,
    as_of: AsOfOption = None,
    timezone: ZoneOption = None,
    full: FullOption = False,
    json: JsonOption = False,
) -> None:
    """Shows who a namespace is about, and what lasts of what was said; as of a moment only if it rests on nothing said later."""
    times = times_of(client, [namespace], timezone)
    found = client.get_profile(namespace, as_of=range_of(None, as_of, times.zone)[1])
    if json:
        print_json({"namespace": namespace, "profile": node_document(found) if found else None})
    elif found is None and as_of:
        tables.console().print("There is no profile that rests on nothing said later.")
    elif found is None:
        tables.console().print("There is no profile yet: nothing that was extracted is summarized. `structmem consolidate` has that done.")
    else:
        print_profile(found, times, Excerpts(full))
        typer.echo(f"(times in {times.name}; `structmem summary {found.id} -n {namespace}` shows what it rests on)", err=True)


@connected
def consolidate(
    client: "Client",
    namespace: NamespaceOption,
    anew: Annotated[bool, typer.Option("--anew", help="Write all summaries anew, such as by another consolidator.")] = False,
    wait: Annotated[bool, typer.Option("--wait/--no-wait", help="Wait until they are written.")] = True,
    json: JsonOption = False,
) -> None:
    """Has summaries written of what waits for them, without waiting for more; what is not yet extracted is extracted first."""
    if wait:
        _extracted(client, namespace)
    job = client.consolidate(namespace, anew=anew)
    followed = _followed(client, job) if wait else None
    job = followed or job
    if json:
        print_json(document(job))
    else:
        units = f", {job.completed_units} of {job.total_units} events and stale summaries" if job.total_units else ", nothing waited"
        typer.echo(f"{job.id} {job.state}{units}")
    for problem in job.partial_failures if not json else ():
        typer.echo(f"note: {problem.message}", err=True)
    if followed and job.state.value != "succeeded":
        fail(job.error.message if job.error else f"the job is {job.state}; `structmem jobs -n {namespace}` shows it")


def _extracted(client: "Client", namespace: str) -> None:
    """Waits until what was said so far is extracted: nothing else can be summarized. A job that fails is told of, and does not end this."""
    from structmem import JobFailedError, PermissionDeniedError

    try:
        client.wait_for(client.flush(namespace))
    except JobFailedError as error:
        typer.echo(f"note: {error}", err=True)
    except PermissionDeniedError:
        typer.echo("note: this token may not have messages extracted first", err=True)


def _followed(client: "Client", job: "Job") -> "Job | None":
    from structmem import PermissionDeniedError

    from service.cli.progress import follow

    try:
        return follow(client, job, "summarizing")
    except PermissionDeniedError:
        typer.echo("note: this token may not follow the job, which goes on", err=True)
        return None
