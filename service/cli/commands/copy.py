"""`structmem copy`: namespaces from one memory to another, compared at both ends."""

from collections.abc import Callable
from contextlib import ExitStack
from functools import cache
from typing import TYPE_CHECKING, Annotated, Any

import typer

from service.cli import tables
from service.cli.connection import CertificatesOption, ConfigOption
from service.cli.counts import counted
from service.cli.documents import document, print_list
from service.cli.failures import fail, reported
from service.cli.options import JsonOption
from service.cli.progress import Bars, progress

if TYPE_CHECKING:
    from structmem import Client, GraphStats

    from graph.store.digest import NamespaceDigest
    from service.cli.copying import Copied, End

_FORMS = "embedded, neo4j, a data directory, a Neo4j URI, or the address of a service: host:port, grpcs://host:port, unix:PATH"
# Edges that are records of their own; the others follow from the nodes, but for the few that say whom a message mentions.
_RECORDED_EDGES = frozenset({"relates", "before", "causes", "same_as", "different_from"})


def copy(
    to: Annotated[str, typer.Option("--to", help=f"The memory to copy to: {_FORMS}.")],
    from_: Annotated[str, typer.Option("--from", help="The memory to copy from; default: where other commands look.")] = "",
    namespace: Annotated[list[str] | None, typer.Option("--namespace", "-n", help="A namespace; may be given several times.")] = None,
    prefix: Annotated[str | None, typer.Option(help='Instead: all namespaces at or below this path; "" for all there are.')] = None,
    as_: Annotated[str, typer.Option("--as", help="The copy's name, where one namespace is copied; default: its own.")] = "",
    verify_only: Annotated[bool, typer.Option("--verify-only", help="Write nothing; compare what is there.")] = False,
    from_token: Annotated[str | None, typer.Option(help="Token for the service to copy from (STRUCTMEM_TOKEN).")] = None,
    to_token: Annotated[str | None, typer.Option(help="Token for the service to copy to (STRUCTMEM_TOKEN).")] = None,
    root_certificates: CertificatesOption = None,
    config: ConfigOption = None,
    json: JsonOption = False,
) -> None:
    """Copies namespaces with all that is in them and compares both ends. The same command again finishes what was broken off."""
    from service.cli.copying import Reach, end_of

    if bool(namespace) == (prefix is not None):
        raise typer.BadParameter("give either namespaces or a --prefix", param_hint="--namespace")
    if as_ and len(namespace or []) != 1:
        raise typer.BadParameter("names the copy of one namespace", param_hint="--as")
    with reported(), ExitStack() as clients:
        reach = Reach(config, root_certificates)
        ends = end_of(from_, from_token, reach, "--from"), end_of(to, to_token, reach, "--to")
        source, target = _clients(clients, *ends, create=not verify_only)
        names = namespace or [found.name for found in source.list_namespaces(prefix or "")]
        if source is target and as_ in ("", *names):
            raise typer.BadParameter("is the memory to copy from; a copy beside the original needs another name (--as)", param_hint="--to")
        done = [_one(source, target, name, as_ or name, verify_only, quiet=json) for name in names]
        if json:
            print_list("namespaces", map(_document, done))
        different = [one.name for one in done if not one.is_good]
        if different:
            fail(f"not the same at both ends: {', '.join(different)}")


def _clients(clients: ExitStack, source: "End", target: "End", create: bool) -> "tuple[Client, Client]":
    """Clients of both ends; one client where they are one memory, which one process can open only once."""
    from service.cli.copying import opened

    # Asked first: once this process has a directory open, it would be waited for as for a service that is starting.
    same = source.is_same(target)
    first = clients.enter_context(opened(source, create=False))
    return first, first if same else clients.enter_context(opened(target, create))


def _one(source: "Client", target: "Client", namespace: str, name: str, verify_only: bool, quiet: bool) -> "Copied":
    from service.cli.copying import Watch, copied, verified

    with progress() as bars:
        total = _records(source.graph_stats(namespace))
        watch = Watch(_moving(bars, "reading" if verify_only else "copying", total), _moving(bars, "comparing", total), _waiting())
        done = (verified if verify_only else copied)(source, target, namespace, name, watch)
    if not quiet:
        _tell(done)
    return done


def _records(graph: "GraphStats") -> int:
    """About how many records an export of this graph has."""
    from structmem import NodeKind

    nodes = sum(graph.nodes.values()) + sum(graph.retired.values()) + graph.nodes.get(NodeKind.SESSION, 0)
    return nodes + graph.vector_count + sum(count for kind, count in graph.edges.items() if kind in _RECORDED_EDGES)


def _moving(bars: Bars, what: str, total: int) -> Callable[[int], None]:
    bar = bars.add(what, total)
    return bar.move_to


def _waiting() -> Callable[[str], None]:
    """Says once that a name is waited for."""

    @cache
    def say(name: str) -> None:
        typer.echo(
            f"{name}: an import of that name is under way there, or was broken off a moment ago; waiting for its end, ten minutes at most",
            err=True,
        )

    return say


def _tell(done: "Copied") -> None:
    """What came of one namespace: a line, and where the two differ a table."""
    name = done.namespace if done.name == done.namespace else f"{done.namespace} as {done.name}"
    typer.echo(f"{name}: {_SENTENCES[done.outcome]}. {counted(done.source.records, 'record')} at revision {done.source.revision}.")
    typer.echo(f"  digest {done.source.digest}")
    if done.target is None or not done.differences:
        return
    made = tables.table("part", "here", "there", "")
    for part, ours in done.source.parts.items():
        theirs = done.target.parts[part]
        made.add_row(part, f"{ours.count:,}", f"{theirs.count:,}", "differ" if part in done.differences else "")
    made.add_row("settings", "", "", "differ" if "settings" in done.differences else "")
    made.add_row("revision", f"{done.source.revision:,}", f"{done.target.revision:,}", "")
    made.show("")


_SENTENCES = {
    "copied": "copied, and the same at both ends",
    "same": "the same at both ends, nothing was to be written",
    "went_on": "the same messages and decisions at both ends; jobs have gone on with the copy since",
    "unlike": "copied, but not the same when it was read again: somebody writes to it, or something is wrong",
    "different": "there is something else of that name, and nothing was written",
    "missing": "not there",
}


def _document(done: "Copied") -> dict[str, Any]:
    return {
        "namespace": done.namespace,
        "name": done.name,
        "outcome": done.outcome,
        "differences": done.differences,
        "source": _end_document(done.source),
        "target": None if done.target is None else _end_document(done.target),
    }


def _end_document(end: "NamespaceDigest") -> dict[str, Any]:
    return {"digest": end.digest, "records": end.records, **document(end)}
