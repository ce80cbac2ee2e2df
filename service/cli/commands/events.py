"""`structmem events` and `structmem traverse`."""

from typing import TYPE_CHECKING, Annotated

import typer

from service.cli import tables
from service.cli.connection import connected
from service.cli.dates import range_of
from service.cli.documents import document, print_json, print_list
from service.cli.filters import time_range
from service.cli.limits import at_most, page_size
from service.cli.options import AsOfOption, FromOption, JsonOption, LimitOption, NamespaceOption, SessionsOption, ToOption, ZoneOption
from service.cli.times import Times, times_of

if TYPE_CHECKING:
    from structmem import Client, Event


@connected
def events(
    client: "Client",
    namespace: NamespaceOption,
    since: FromOption = None,
    until: ToOption = None,
    session: SessionsOption = None,
    entity: Annotated[list[str] | None, typer.Option("--entity", help="Only events that involve this entity (id or name).")] = None,
    as_of: AsOfOption = None,
    limit: LimitOption = 100,
    timezone: ZoneOption = None,
    json: JsonOption = False,
) -> None:
    """Lists events in time: by when they happened or, in brackets, were said."""
    times = times_of(client, [namespace], timezone)
    found = client.list_events(
        namespace,
        happened=time_range(since, until, times.zone),
        sessions=session or (),
        entity_ids=entity_ids(client, namespace, entity),
        as_of=range_of(None, as_of, times.zone)[1],
        page_size=page_size(limit),
    )
    if json:
        print_list("events", at_most(limit, found))
        return
    made = events_table(times)
    for event in at_most(limit, found):
        made.add_row(*event_row(event, times))
    made.show("There are no such events.")


@connected
def traverse(
    client: "Client",
    start: Annotated[list[str], typer.Argument(help="Ids of events, facts, relations, messages or entities to start from.")],
    namespace: NamespaceOption,
    edge: Annotated[list[str] | None, typer.Option("--edge", help="Follow only this kind of edge, such as mentions.")] = None,
    hops: Annotated[int, typer.Option("--hops", min=1, max=6, help="At most this many steps.")] = 2,
    since: FromOption = None,
    until: ToOption = None,
    as_of: AsOfOption = None,
    limit: LimitOption = 50,
    timezone: ZoneOption = None,
    json: JsonOption = False,
) -> None:
    """Walks the graph from some nodes and lists the events on the way, nearest first."""
    times = times_of(client, [namespace], timezone)
    span = time_range(since, until, times.zone)
    moment = range_of(None, as_of, times.zone)[1]
    found = list(
        client.traverse_events(namespace, start, edge_kinds=edge or (), max_hops=hops, happened=span, max_events=limit, as_of=moment)
    )
    if json:
        print_json({"namespace": namespace, "start": start, "events": document(found)})
        return
    made = tables.table("hops", times.heading("when"), "event", "by way of", "id", wrap=("event", "by way of"), spare=("by way of",))
    for reached in found:
        way = " ".join(f"{step.edge}>{step.node_id[:3]}" for step in reached.path)
        event = reached.event
        made.add_row(str(reached.hops), times.when(event.time, event.said_at), tables.plain(event.title), way, event.id)
    made.show("No event can be reached from there.")


def events_table(times: Times) -> tables.Listing:
    """An empty table of events."""
    return tables.table(
        times.heading("when"), "event", "who and what", "session", "id", wrap=("event", "who and what"), spare=("who and what", "session")
    )


def event_row(event: "Event", times: Times) -> tuple[str, ...]:
    """An event as a row of that table."""
    people = dict.fromkeys(participant.name for participant in event.participants if participant.name)
    return (
        times.when(event.time, event.said_at),
        tables.plain(event.title),
        tables.plain(", ".join(people)),
        tables.plain(event.session),
        event.id,
    )


def entity_ids(client: "Client", namespace: str, entities: list[str] | None) -> list[str]:
    """Ids of entities that are given by id or by name. Raises BadParameter for a name that nothing has."""
    ids: list[str] = []
    for entity in entities or ():
        found = [entity] if entity.startswith("ent_") else [it.id for it in client.list_entities(namespace, name=entity)]
        if not found:
            raise typer.BadParameter(f'no entity is called "{entity}"', param_hint="--entity")
        ids += found
    return ids
