"""`structmem entities`: list them, and say which are the same."""

from typing import TYPE_CHECKING, Annotated

import typer

from service.cli import tables
from service.cli.commands.listings import show_list
from service.cli.connection import connected
from service.cli.documents import document, print_json
from service.cli.failures import fail
from service.cli.grouping import ListsByDefault
from service.cli.limits import at_most, page_size
from service.cli.options import JsonOption, LimitOption, NamespaceOption

if TYPE_CHECKING:
    from structmem import Client, Edge

app = typer.Typer(
    cls=ListsByDefault,
    help="People, places and things that are spoken of. Without a command: lists them.",
    pretty_exceptions_enable=False,
)
EntityArgument = Annotated[str, typer.Argument(metavar="ENTITY", help="An entity's id, or its name.")]
OtherArgument = Annotated[str, typer.Argument(metavar="OTHER", help="The other one's id, or its name.")]


@connected
def list_(
    client: "Client",
    namespace: NamespaceOption,
    kind: Annotated[
        list[str] | None, typer.Option("--kind", help="person, place, organization, thing or concept; may be given several times.")
    ] = None,
    name: Annotated[str, typer.Option(help="Only entities of this name or alias.")] = "",
    limit: LimitOption = 100,
    json: JsonOption = False,
) -> None:
    """Lists entities in the order in which they were first seen."""
    made = tables.table("name", "kind", "also known as", "mentions", "id", wrap=("name", "also known as"), spare=("also known as",))
    show_list(
        "entities",
        at_most(limit, client.list_entities(namespace, kinds=kind or (), name=name, page_size=page_size(limit))),
        made,
        lambda it: (tables.plain(it.name), str(it.kind), tables.plain(", ".join(it.aliases)), str(it.mention_count), it.id),
        "There are no such entities.",
        json,
    )


@connected
def link(client: "Client", entity: EntityArgument, other: OtherArgument, namespace: NamespaceOption, json: JsonOption = False) -> None:
    """Decides that two entities are the same. Both stay as they are; `entities undecide` takes it back."""
    _decide(client, namespace, (entity, other), "same", json)


@connected
def unlink(client: "Client", entity: EntityArgument, other: OtherArgument, namespace: NamespaceOption, json: JsonOption = False) -> None:
    """Decides that two entities are not the same, whatever an extraction takes them for, now or later."""
    _decide(client, namespace, (entity, other), "different", json)


@connected
def undecide(client: "Client", entity: EntityArgument, other: OtherArgument, namespace: NamespaceOption, json: JsonOption = False) -> None:
    """Takes back what was decided of two entities: what extractions propose holds again."""
    _decide(client, namespace, (entity, other), "undecided", json)


app.command("list")(list_)
app.command()(link)
app.command()(unlink)
app.command()(undecide)


def _decide(client: "Client", namespace: str, pair: tuple[str, str], verdict: str, json: bool) -> None:
    first, second = (_id_of(client, namespace, given) for given in pair)
    if first == second:
        fail(f"{pair[0]} and {pair[1]} are one entity already")
    names = dict(zip((first, second), pair, strict=True))
    decided = client.decide_entity_link(namespace, first, second, verdict)
    if json:
        print_json({"edges": document(decided.edges)})
        return
    for edge in decided.edges:
        typer.echo(f"{names[edge.source_id]} {str(edge.kind).replace('_', ' ')} {names[edge.target_id]}{_why(edge)}")
    if not decided.edges:
        typer.echo("There is no link between the two.")


def _why(edge: "Edge") -> str:
    """Who says so, in brackets."""
    if edge.decision:
        at, by = edge.decision.decided_at, edge.decision.decided_by
        return f" (decided{f' {at.date()}' if at else ''}{f' by {by}' if by else ''})"
    proposed = f"{edge.reason or 'a link'}, confidence {'?' if edge.confidence is None else edge.confidence}"
    return f" (proposed: {proposed}{'; set aside' if edge.kind == 'different_from' else ''})"


def _id_of(client: "Client", namespace: str, given: str) -> str:
    """The id of the entity that is meant. Ends the command where a name is nobody's, or that of several."""
    if given.startswith("ent_"):
        return given
    found = list(client.list_entities(namespace, name=given))
    if not found:
        fail(f'no entity is called "{given}"')
    if len(found) > 1:
        fail(f'several entities are called "{given}"; give one of their ids: {", ".join(f"{it.id} ({it.kind})" for it in found)}')
    return found[0].id
