"""`structmem export` and `structmem import`: a namespace as JSON Lines."""

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from service.cli.connection import connected, creating
from service.cli.counts import counted
from service.cli.documents import print_json
from service.cli.failures import fail
from service.cli.options import FileArgument, JsonOption, NamespaceOption

if TYPE_CHECKING:
    from structmem import Client


@connected
def export(
    client: "Client",
    namespace: NamespaceOption,
    output: Annotated[
        Path, typer.Option("--output", "-o", allow_dash=True, help='The file; ".gz" at its end compresses it; - for standard output.')
    ],
    without_vectors: Annotated[bool, typer.Option("--without-vectors", help="Smaller; an import embeds anew.")] = False,
    json: JsonOption = False,
) -> None:
    """Writes all of a namespace to a file: one element a line, of one revision, ids and times kept."""
    standard = str(output) == "-"
    if standard and json:
        fail("--json and -o - both want standard output", 2)
    records = client.export_namespace(namespace, sys.stdout if standard else output, with_vectors=not without_vectors)
    if json:
        print_json({"namespace": namespace, "file": str(output), "records": records})
    else:
        typer.echo(f"Exported {namespace}: {counted(records, 'record')}.", err=standard)


@creating
def import_(
    client: "Client",
    file: FileArgument,
    namespace: Annotated[str, typer.Option("--namespace", "-n", help="Create it under this name; default: the exported one.")] = "",
    json: JsonOption = False,
) -> None:
    """Creates a namespace from an export: the same memory, wherever it came from."""
    done = client.import_namespace(sys.stdin if str(file) == "-" else file, namespace=namespace)
    if json:
        print_json(done)
    else:
        typer.echo(f"Imported {done.namespace}: {counted(done.record_count, 'record')}.")
