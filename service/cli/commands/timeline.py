"""`structmem timeline`."""

import sys
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Annotated, Any

import typer

from service.cli import tables
from service.cli.commands.events import entity_ids
from service.cli.connection import connected
from service.cli.dates import range_of
from service.cli.documents import document, print_json
from service.cli.limits import at_most, page_size
from service.cli.options import AsOfOption, FromOption, JsonOption, LimitOption, NamespaceOption, ToOption, ZoneOption
from service.cli.timeline.picture import lines_of, marks_of
from service.cli.timeline.rows import Group, groups_of
from service.cli.times import times_of

if TYPE_CHECKING:
    from structmem import Client

_WIDEST = 160
# What had been replaced before anything was said never held.
_EVER = datetime(1, 1, 1, tzinfo=UTC)


@connected
def timeline(
    client: "Client",
    namespace: NamespaceOption,
    entity: Annotated[list[str], typer.Option("--entity", help="About this entity (id or name); may be given several times.")],
    since: FromOption = None,
    until: ToOption = None,
    as_of: AsOfOption = None,
    limit: LimitOption = 500,
    timezone: ZoneOption = None,
    json: JsonOption = False,
) -> None:
    """Draws what held from when to when: what the facts and relations that name an entity say, until each was replaced or ended.

    A bar is a state, * something that happened on a day, x what was called off before; → holds still. What never held is left out.
    """
    from structmem import AsOf

    times = times_of(client, [namespace], timezone)
    first, last = range_of(since, until, times.zone)
    known = range_of(None, as_of, times.zone)[1]
    found = client.list_statements(
        namespace, entity_ids=entity_ids(client, namespace, entity), as_of=AsOf(valid=_EVER, known=known), page_size=page_size(limit)
    )
    groups = groups_of(at_most(limit, found))
    if json:
        print_json({"namespace": namespace, "entity": entity, "as_of": known, "groups": [_document(group) for group in groups]})
        return
    if not groups:
        tables.console().print("Nothing that is known says when anything held.")
        return
    encoding = sys.stdout.encoding or "ascii"
    width = min(tables.console().width, _WIDEST)
    for line in lines_of(groups, times, known or datetime.now(UTC), width, marks_of(encoding), first, last):
        typer.echo(line.encode(encoding, "replace").decode(encoding))
    typer.echo(f"(times in {times.name})", err=True)


def _document(group: Group) -> dict[str, Any]:
    return {"subject": group.subject, "predicate": group.predicate, "rows": document(group.rows)}
