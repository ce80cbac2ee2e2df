"""`structmem namespaces`: list, create, update, describe, delete."""

from typing import TYPE_CHECKING, Annotated

import typer

from service.cli import tables
from service.cli.connection import connected, creating
from service.cli.counts import counted
from service.cli.documents import document, print_json, print_list
from service.cli.failures import fail
from service.cli.grouping import ListsByDefault
from service.cli.limits import at_most, page_size
from service.cli.options import JsonOption, LimitOption, YesOption
from service.cli.profile_file import ProfileOption, read_profile
from service.cli.retention import KeepOption, in_words, retention_of
from service.cli.times import IN_UTC

if TYPE_CHECKING:
    from structmem import Client, ExtractionProfile, Namespace

app = typer.Typer(cls=ListsByDefault, help="The units of isolation. Without a command: lists them.", pretty_exceptions_enable=False)
NameArgument = Annotated[str, typer.Argument(help="The namespace, such as alice or acme/support/maria.")]


@connected
def list_(
    client: "Client",
    prefix: Annotated[str, typer.Option(help="Only this path and what is below it.")] = "",
    limit: LimitOption = 100,
    json: JsonOption = False,
) -> None:
    """Lists namespaces by name."""
    found = at_most(limit, client.list_namespaces(prefix, page_size=page_size(limit)))
    if json:
        print_list("namespaces", found)
        return
    made = tables.table(
        "namespace",
        "extraction",
        "model",
        "time zone",
        IN_UTC.heading("created"),
        "description",
        wrap=("namespace", "description"),
        spare=("model", "time zone"),
    )
    for namespace in found:
        made.add_row(
            tables.plain(namespace.name),
            str(namespace.extraction_mode),
            tables.plain(namespace.embedding.model),
            namespace.time_zone,
            IN_UTC.instant(namespace.created_at),
            tables.plain(namespace.description),
        )
    made.show("There are no namespaces.")


@creating
def create(
    client: "Client",
    name: NameArgument,
    time_zone: Annotated[str, typer.Option("--timezone", help="IANA time zone for sessions that name none.")] = "",
    description: Annotated[str, typer.Option(help="A line for people.")] = "",
    extraction_mode: Annotated[str, typer.Option(help="event, flat or off; default: the service's.")] = "unspecified",
    model: Annotated[str, typer.Option(help='Model of its vectors; "none" for no vectors; default: the service\'s.')] = "",
    dimension: Annotated[int, typer.Option(help="Dimension of vectors that come with the messages.")] = 0,
    profile: ProfileOption = None,
    keep: KeepOption = None,
    json: JsonOption = False,
) -> None:
    """Creates a namespace."""
    from structmem import EmbeddingSpec

    spec = EmbeddingSpec(model, dimension) if model else None
    made = client.create_namespace(
        name,
        embedding=spec,
        extraction_mode=extraction_mode,
        time_zone=time_zone,
        description=description,
        profile=read_profile(profile),
        retention=retention_of(keep),
    )
    if json:
        print_json(made)
    else:
        _print_namespace(made)


@connected
def update(
    client: "Client",
    name: NameArgument,
    time_zone: Annotated[str | None, typer.Option("--timezone", help="IANA time zone for sessions that name none.")] = None,
    description: Annotated[str | None, typer.Option(help="A line for people.")] = None,
    extraction_mode: Annotated[str | None, typer.Option(help="event, flat or off; a change extracts all anew.")] = None,
    profile: ProfileOption = None,
    keep: KeepOption = None,
    json: JsonOption = False,
) -> None:
    """Changes settings; what is not named stays. Another mode or profile extracts what there is anew."""
    changed = client.update_namespace(
        name,
        extraction_mode=extraction_mode,
        time_zone=time_zone,
        description=description,
        profile=read_profile(profile),
        retention=retention_of(keep),
    )
    if json:
        print_json(changed)
    else:
        _print_namespace(changed)


@connected
def describe(client: "Client", name: NameArgument, json: JsonOption = False) -> None:
    """Shows a namespace's settings and counts what its graph holds."""
    namespace, graph = client.get_namespace(name), client.graph_stats(name)
    if json:
        print_json({"namespace": document(namespace), "graph": document(graph)})
        return
    _print_namespace(namespace)
    made = tables.table("nodes", "current", "retired")
    for kind, count in graph.nodes.items():
        made.add_row(str(kind), f"{count:,}", f"{graph.retired.get(kind, 0):,}")
    made.show("It is empty.")
    made = tables.table("edges", "count")
    for edge, count in graph.edges.items():
        made.add_row(str(edge), f"{count:,}")
    made.show("")
    vectors = f"{counted(graph.vector_count, 'vector')}, {graph.pending_vector_count:,} to come"
    typer.echo(f"{vectors}; {graph.size_bytes / 1e6:.1f} MB; revision {graph.revision}")


@connected
def delete(client: "Client", name: NameArgument, yes: YesOption = False, json: JsonOption = False) -> None:
    """Deletes a namespace with all that is in it, for good."""
    if not yes:
        graph = client.graph_stats(name)
        messages = sum(count for kind, count in graph.nodes.items() if kind == "message")
        question = f"Delete {name} with its {counted(messages, 'message')} and all that was derived from them, for good?"
        if not typer.confirm(question, err=True):
            fail("nothing was deleted")
    client.delete_namespace(name)
    if json:
        print_json({"namespace": name, "deleted": True})
    else:
        typer.echo(f"{name} is deleted.")


app.command("list")(list_)
app.command()(create)
app.command()(update)
app.command()(describe)
app.command()(delete)


def _print_namespace(namespace: "Namespace") -> None:
    generation = namespace.generation
    facts = {
        "namespace": namespace.name,
        "description": namespace.description,
        "time zone": namespace.time_zone,
        "model": f"{namespace.embedding.model} ({namespace.embedding.dimension} dimensions)",
        "extraction": str(namespace.extraction_mode),
        "extracted by": f"{generation.extractor}, generation {generation.number}" if generation else "",
        "profile": _profile_in_words(namespace.profile) if namespace.profile else "",
        "kept": in_words(namespace.retention),
        "created": f"{IN_UTC.instant(namespace.created_at)} UTC",
    }
    for name, value in facts.items():
        if value:
            typer.echo(f"{name:>14}  {value}")


def _profile_in_words(profile: "ExtractionProfile") -> str:
    parts = [
        f"entities: {', '.join(one.name for one in profile.entity_types)}" if profile.entity_types else "",
        f"relations: {', '.join(one.name for one in profile.relation_types)}" if profile.relation_types else "",
        "with instructions" if profile.instructions else "",
    ]
    return f"version {profile.version}; {'; '.join(part for part in parts if part) or 'everything'}"
