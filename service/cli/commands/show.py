"""`structmem show`: a node with its edges and evidence."""

from datetime import timedelta
from typing import TYPE_CHECKING, Annotated

import typer

from service.cli import tables
from service.cli.connection import connected
from service.cli.documents import document, node_document, print_json
from service.cli.excerpts import Excerpts, FullOption
from service.cli.options import JsonOption, NamespaceOption, ZoneOption
from service.cli.times import Times, day_of, times_of

if TYPE_CHECKING:
    from collections.abc import Iterator

    from structmem import Client, Edge, Node, NodeView, TimeSpan


@connected
def show(
    client: "Client",
    id: Annotated[str, typer.Argument(help="The id of a message, event, fact, relation, entity, session or summary.")],
    namespace: NamespaceOption,
    edges: Annotated[int, typer.Option(min=1, max=1000, help="At most this many edges in each direction.")] = 100,
    timezone: ZoneOption = None,
    full: FullOption = False,
    json: JsonOption = False,
) -> None:
    """Shows any node with its edges and the messages it rests on."""
    view = client.get_node(namespace, id, max_edges=edges)
    if json:
        print_json(
            {
                "namespace": namespace,
                "node": node_document(view.node),
                "edges": document(view.edges),
                "neighbors": [node_document(node) for node in view.neighbors],
                "edges_truncated": view.edges_truncated,
                "neighbors_truncated": view.neighbors_truncated,
            }
        )
        return
    times = times_of(client, [namespace], timezone)
    texts = Excerpts(full)
    _print_node(view.node, times, texts)
    _print_edges(id, view, times, texts)
    texts.note()


def _print_node(node: "Node", times: Times, texts: Excerpts) -> None:
    from structmem import Entity, Event, Message, Session, Statement, Summary, kind_of

    facts: dict[str, str] = {"kind": str(kind_of(node)), "id": node.id}
    match node:
        case Message():
            facts |= {"session": f"{node.session}, message {node.seq}", "speaker": f"{node.speaker} ({node.role})"}
            facts |= {"sent": times.instant(node.sent_at), "text": node.text, "image": node.image_caption}
            facts |= {"edited": times.instant(node.edited_at) if node.edited_at else ""}
            for version in node.earlier_versions:
                facts[f"said {times.instant(version.written_at)}"] = version.text
            facts |= {"labels": ", ".join(f"{key}={value}" for key, value in node.labels.items()), "client id": node.client_id}
        case Event():
            parts = (f"{part.name} ({part.role})" if part.role else part.name for part in node.participants)
            facts |= {"title": node.title, "happened": _exactly(node, times), "said": times.instant(node.said_at)}
            facts |= {"session": node.session, "participants": ", ".join(parts)}
        case Statement():
            facts |= {"text": node.text, "speaker": node.speaker, "happened": _exactly(node, times), "said": times.instant(node.said_at)}
            facts |= {"in short": " — ".join(filter(None, (node.subject, node.predicate, node.object))), "session": node.session}
            facts |= {"event": node.event_id, "confidence": f"{node.confidence:.2f}"}
        case Entity():
            facts |= {"kind": f"entity ({node.kind})", "name": node.name, "also known as": ", ".join(node.aliases)}
            facts |= {"mentions": str(node.mention_count)}
        case Session():
            facts |= {"name": node.name, "messages": str(node.message_count), "time zone": node.time_zone}
            facts |= {"first": times.instant(node.first_sent_at), "last": times.instant(node.last_sent_at)}
        case Summary():
            facts |= {"kind": f"summary ({node.level})", "title": node.title, "text": node.text, "names": ", ".join(node.names)}
            facts |= {"happened": _days(node.time), "said": times.period(node.said_from, node.said_to)}
            facts |= {"sessions": ", ".join(node.sessions), "written": times.instant(node.consolidated_at), "by": node.consolidator}
            facts |= {"stale since": times.instant(node.stale_since)}
    facts |= {"recorded": times.instant(node.recorded_at), "retired": times.instant(getattr(node, "retired_at", None))}
    facts |= {"times": times.name}
    for name, value in facts.items():
        if value:
            typer.echo(f"{name:>14}  {texts.of(value)}")


def _days(span: "TimeSpan | None") -> str:
    """From which day to which, whatever these were known by."""
    if span is None or span.start is None or span.end is None:
        return ""
    first, last = day_of(span.start), day_of(max(span.start, span.end - timedelta(days=1)))
    return first if first == last else f"{first} to {last}"


def _exactly(node: "Node", times: Times) -> str:
    span = getattr(node, "time", None)
    if span is None:
        return ""
    return times.span(span) + (f' ("{span.expression}")' if span.expression else "")


def _print_edges(id: str, view: "NodeView", times: Times, texts: Excerpts) -> None:
    neighbors = {node.id: node for node in view.neighbors}
    made = tables.table("edge", "node", "what it is", wrap=("what it is",))
    for edge in view.edges:
        outgoing = edge.source_id == id
        other = edge.target_id if outgoing else edge.source_id
        extra = ", ".join(_details(edge, times))
        name = f"{edge.kind} →" if outgoing else f"← {edge.kind}"
        made.add_row(f"{name} ({extra})" if extra else name, other, tables.plain(texts.of(_summary(neighbors.get(other), times))))
    made.show("It has no edges.")
    if view.edges_truncated:
        typer.echo("There are more edges; --edges shows more of them.", err=True)
    if view.neighbors_truncated:
        typer.echo("The answer had no room for all nodes at the other ends; their ids show those without a text.", err=True)


def _details(edge: "Edge", times: Times) -> "Iterator[str]":
    """What an edge carries, in short."""
    yield from filter(None, (edge.role, edge.predicate, edge.reason))
    if edge.valid and edge.valid.start:
        yield f"from {times.instant(edge.valid.start)}"
    if edge.valid and edge.valid.end:
        yield f"until {times.instant(edge.valid.end)}"
    if edge.confidence is not None:
        yield f"confidence {edge.confidence}"
    if edge.similarity is not None:
        yield f"similarity {edge.similarity:.3f}"
    for done, decision in (("decided", edge.decision), ("taken back", edge.reverted)):
        if decision:
            yield f"{done} {times.instant(decision.decided_at)} by {decision.decided_by}"
    yield from (f"{key} {value}" for key, value in edge.properties.items() if value)


def _summary(node: "Node | None", times: Times) -> str:
    from structmem import Entity, Event, Message, Session, Statement, Summary

    match node:
        case Message():
            return f"{times.instant(node.sent_at)} {node.speaker}: {node.text}"
        case Event():
            return f"{times.when(node.time, node.said_at)} {node.title}"
        case Statement():
            return node.text
        case Entity():
            return f"{node.name} ({node.kind})"
        case Session():
            return node.name
        case Summary():
            return f"{times.period(node.said_from, node.said_to)} {node.title}"
        case None:
            return ""
