"""`structmem facts`, `messages` and `sessions`."""

from collections.abc import Callable, Iterable
from enum import StrEnum
from typing import TYPE_CHECKING, Annotated, TypeVar

import typer

from service.cli import tables
from service.cli.commands.events import entity_ids
from service.cli.connection import connected
from service.cli.dates import range_of
from service.cli.documents import node_document, print_list
from service.cli.excerpts import Excerpts, FullOption
from service.cli.filters import label_filter, time_range
from service.cli.limits import at_most, page_size
from service.cli.options import (
    AsOfOption,
    FromOption,
    JsonOption,
    LabelsOption,
    LimitOption,
    NamespaceOption,
    SessionsOption,
    SpeakersOption,
    ToOption,
    ZoneOption,
)
from service.cli.times import Times, times_of

if TYPE_CHECKING:
    from structmem import Client, Statement

T = TypeVar("T")


class StatementKind(StrEnum):
    """The two kinds of statements."""

    FACT = "fact"
    RELATION = "relation"


@connected
def facts(
    client: "Client",
    namespace: NamespaceOption,
    kind: Annotated[list[StatementKind] | None, typer.Option("--kind", help="Only this kind; default: both.")] = None,
    since: FromOption = None,
    until: ToOption = None,
    session: SessionsOption = None,
    speaker: SpeakersOption = None,
    entity: Annotated[list[str] | None, typer.Option("--entity", help="Only what names this entity (id or name).")] = None,
    retired: Annotated[bool, typer.Option("--retired", help="Also what is no longer believed.")] = False,
    as_of: AsOfOption = None,
    limit: LimitOption = 100,
    timezone: ZoneOption = None,
    full: FullOption = False,
    json: JsonOption = False,
) -> None:
    """Lists facts and relations in order of when they were said; "until" tells since when one no longer holds that another one replaced."""
    times = times_of(client, [namespace], timezone)
    found = client.list_statements(
        namespace,
        kinds=kind or (),
        said=time_range(since, until, times.zone),
        sessions=session or (),
        speakers=speaker or (),
        entity_ids=entity_ids(client, namespace, entity),
        include_retired=retired,
        as_of=range_of(None, as_of, times.zone)[1],
        page_size=page_size(limit),
    )
    texts = Excerpts(full)
    said = times.heading("said")
    made = tables.table(
        said, times.heading("happened"), "until", "kind", "statement", "by", "id", wrap=("statement",), spare=(said, "kind")
    )
    show_list(
        "facts",
        at_most(limit, found),
        made,
        lambda it: (
            times.instant(it.said_at),
            times.span(it.time),
            _until(it, times),
            str(it.kind),
            tables.plain(texts.of(it.text)),
            tables.plain(it.speaker),
            it.id,
        ),
        "There are no such facts.",
        json,
    )
    texts.note()


@connected
def messages(
    client: "Client",
    namespace: NamespaceOption,
    session: SessionsOption = None,
    speaker: SpeakersOption = None,
    since: FromOption = None,
    until: ToOption = None,
    label: LabelsOption = None,
    as_of: AsOfOption = None,
    limit: LimitOption = 100,
    timezone: ZoneOption = None,
    full: FullOption = False,
    json: JsonOption = False,
) -> None:
    """Lists messages, verbatim: of one session in their order, of several by when they were said."""
    times = times_of(client, [namespace], timezone)
    found = client.list_messages(
        namespace,
        sessions=session or (),
        speakers=speaker or (),
        said=time_range(since, until, times.zone),
        labels=label_filter(label),
        as_of=range_of(None, as_of, times.zone)[1],
        page_size=page_size(limit),
    )
    texts = Excerpts(full)
    made = tables.table(times.heading("sent"), "session", "seq", "speaker", "text", "id", wrap=("text",), spare=("session", "seq"))
    show_list(
        "messages",
        at_most(limit, found),
        made,
        lambda it: (
            times.instant(it.sent_at),
            tables.plain(it.session),
            str(it.seq),
            tables.plain(it.speaker),
            tables.plain(texts.of(it.text)),
            it.id,
        ),
        "There are no such messages.",
        json,
    )
    texts.note()


@connected
def sessions(
    client: "Client", namespace: NamespaceOption, limit: LimitOption = 100, timezone: ZoneOption = None, json: JsonOption = False
) -> None:
    """Lists sessions in the order in which they were created."""
    times = times_of(client, [namespace], timezone)
    first, last = times.heading("first"), times.heading("last")
    made = tables.table(
        "session", "messages", "extracted", first, last, "time zone", "id", wrap=("session",), spare=(first, "extracted", "time zone")
    )
    show_list(
        "sessions",
        at_most(limit, client.list_sessions(namespace, page_size=page_size(limit))),
        made,
        lambda it: (
            tables.plain(it.name),
            str(it.message_count),
            str(it.extracted_seq),
            times.instant(it.first_sent_at),
            times.instant(it.last_sent_at),
            it.time_zone,
            it.id,
        ),
        "There are no sessions.",
        json,
    )


def _until(statement: "Statement", times: Times) -> str:
    """Since when a statement no longer holds; nothing while it stands."""
    change = statement.superseded_by
    if change is None:
        return ""
    return times.instant(change.valid_from) if change.valid_from else "never held"


def show_list(name: str, items: Iterable[T], made: tables.Listing, row: Callable[[T], tuple[str, ...]], nothing: str, json: bool) -> None:
    """Prints a listing as a table, or as one document."""
    if json:
        print_list(name, map(node_document, items))
        return
    for item in items:
        made.add_row(*row(item))
    made.show(nothing)
