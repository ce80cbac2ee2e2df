"""`structmem ingest`: a chat file into a namespace."""

import sys
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from service.cli.connection import creating
from service.cli.counts import counted
from service.cli.dates import zone_of
from service.cli.documents import document, print_json
from service.cli.failures import fail
from service.cli.options import FileArgument, JsonOption, NamespaceOption
from service.cli.problems import report_problems

if TYPE_CHECKING:
    from structmem import Client, Imported, Job

    from service.cli.chats import Chat, ChatLine, LineProblem


@creating
def ingest(
    client: "Client",
    file: FileArgument,
    namespace: NamespaceOption,
    timezone: Annotated[str, typer.Option("--timezone", help="IANA time zone of times without an offset, such as Europe/Lisbon.")] = "",
    session: Annotated[str, typer.Option("--session", help="The session of lines that name none; default: the file's name.")] = "",
    conversation: Annotated[
        str | None, typer.Option("--conversation", help="Which conversation, of a benchmark file with several.")
    ] = None,
    wait: Annotated[bool, typer.Option("--wait/--no-wait", help="Wait until everything is extracted.")] = True,
    skip_broken: Annotated[bool, typer.Option("--skip-broken", help="Store the good lines of a file with broken ones.")] = False,
    json: JsonOption = False,
) -> None:
    """Stores the messages of a chat file: JSON Lines, one message a line, or the neutral benchmark format.

    A line is {"session", "speaker", "text", "sent_at", "role", "id", "labels", "image_caption", "edited_at"};
    speaker and text are required. The same
    file again changes nothing. The namespace is created when it is not there.
    """
    chat = _read(file, session or _stem(file), conversation)
    zone = timezone or chat.time_zone
    zone_of(zone)
    problems = list(chat.problems) + _without_zone(client, namespace, chat, zone)
    broken = {place for place, _ in problems}
    lines = [line for line in chat.lines if line.place not in broken]
    report_problems(problems[:1] if chat.looks_like else problems, skipped=skip_broken)
    if problems and not (skip_broken and lines):
        kept = counted(len(lines), "message")
        fail(f"nothing was stored; --skip-broken stores the other {kept}" if lines else f"nothing was stored: {_advice(chat)}")
    if not lines:
        fail("there is nothing to store: the file holds no message")
    _create(client, namespace, zone)
    imported, refused = _stored(client, namespace, lines, zone, skip_broken)
    problems += refused
    jobs = _extract(client, imported) if wait else []
    if json:
        skipped = [{"place": place, "reason": reason} for place, reason in problems]
        print_json({**document(imported), "skipped": skipped, "jobs": [{"id": job.id, "state": str(job.state)} for job in jobs]})
    else:
        _say(imported, jobs, wait)
        if problems:
            typer.echo(f"{counted(len(problems), 'broken message')} left out.", err=True)
    if any(job.state.value != "succeeded" for job in jobs):
        fail("some of it could not be extracted; `structmem jobs -n` shows why. The messages are stored")


def _read(file: Path, session: str, conversation: str | None) -> "Chat":
    from service.cli.chats import read_chat

    content = sys.stdin.buffer.read() if str(file) == "-" else file.read_bytes()
    try:
        return read_chat(content, session, conversation)
    except ValueError as error:
        fail(f"{file}: {error}")


def _advice(chat: "Chat") -> str:
    """What to do with a file of which no line can be stored."""
    return (
        chat.looks_like
        or "a file has one message a line, such as " + '{"speaker": "Maria", "text": "Hello", "sent_at": "2024-03-05T18:30:00Z"}'
    )


def _stem(file: Path) -> str:
    return "default" if str(file) == "-" else file.name.partition(".")[0] or "default"


def _without_zone(client: "Client", namespace: str, chat: "Chat", zone: str) -> "list[LineProblem]":
    """Lines with a local time for which nobody knows the zone: neither the command nor the session nor the namespace."""
    from structmem import NotFoundError

    from service.cli.chats import LineProblem

    local = [line for line in chat.lines if isinstance(line.message.sent_at, str)]
    if zone or not local:
        return []
    try:
        if client.get_namespace(namespace).time_zone:
            return []
        zoned = {session.name for session in client.list_sessions(namespace) if session.time_zone}
    except NotFoundError:
        zoned = set()
    return [LineProblem(line.place, "sent_at: has no offset; say its zone with --timezone") for line in local if line.session not in zoned]


def _create(client: "Client", namespace: str, zone: str) -> None:
    """Makes the namespace, where it is not there, with the zone of its first chat. Who may only write gets one without when storing."""
    from structmem import AlreadyExistsError, PermissionDeniedError

    if zone:
        with suppress(AlreadyExistsError, PermissionDeniedError):
            client.create_namespace(namespace, time_zone=zone)


def _stored(
    client: "Client", namespace: str, lines: "list[ChatLine]", zone: str, skip_broken: bool
) -> "tuple[Imported, list[LineProblem]]":
    from service.cli.storing import store_all, store_what_is_taken

    if not skip_broken:
        return store_all(client, namespace, lines, zone), []
    imported, refused = store_what_is_taken(client, namespace, lines, zone)
    report_problems(refused, skipped=True)
    if len(refused) == len(lines):
        fail("nothing was stored: every message is refused")
    return imported, refused


def _extract(client: "Client", imported: "Imported") -> "list[Job]":
    from structmem import PermissionDeniedError

    from service.cli.progress import extract

    try:
        return extract(client, imported)
    except PermissionDeniedError:
        typer.echo("note: this token may not follow the extraction, which goes on; everything is stored", err=True)
        return []


def _say(imported: "Imported", jobs: "list[Job]", wait: bool) -> None:
    known = f" ({counted(imported.duplicate_count, 'message')} already there)" if imported.duplicate_count else ""
    messages, sessions = counted(imported.stored_count, "message"), counted(imported.session_count, "session")
    typer.echo(f"Stored {messages} in {sessions} of {imported.namespace}{known}.")
    partial = sum(len(job.partial_failures) for job in jobs)
    if partial:
        which = f"`structmem jobs watch ID -n {imported.namespace}` shows which"
        typer.echo(f"{counted(partial, 'part')} could not be extracted, or not in full; {which}.", err=True)
    if not wait and imported.job_ids:
        typer.echo(f"Extraction goes on in the background: {counted(imported.job_count, 'job')}.")
