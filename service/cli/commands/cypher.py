"""`structmem cypher`."""

import json as plain_json
import sys
from typing import TYPE_CHECKING, Annotated, Any

import typer

from service.cli import tables
from service.cli.connection import connected
from service.cli.cypher_values import shown
from service.cli.documents import print_json
from service.cli.excerpts import Excerpts, FullOption
from service.cli.failures import fail
from service.cli.options import JsonOption, NamespaceOption

if TYPE_CHECKING:
    from structmem import Client


def _parameters(given: list[str] | None) -> dict[str, Any]:
    """Parameters from NAME=VALUE: JSON where it is JSON, text where it is not."""
    found: dict[str, Any] = {}
    for one in given or ():
        name, separator, text = one.partition("=")
        if not separator or not name:
            fail(f"--param {one}: must be NAME=VALUE", 2)
        try:
            found[name] = plain_json.loads(text)
        except (ValueError, RecursionError):
            found[name] = text
    return found


@connected
def cypher(
    client: "Client",
    query: Annotated[str, typer.Argument(help="The query; - reads it from standard input.")],
    namespace: NamespaceOption,
    param: Annotated[
        list[str] | None,
        typer.Option("--param", "-p", help="A parameter, NAME=VALUE, in JSON or plain text; may be given several times."),
    ] = None,
    limit: Annotated[int, typer.Option("--limit", min=1, help="At most this many rows.")] = 1000,
    database: Annotated[
        bool, typer.Option("--database", help="Ask the whole Neo4j database, not a snapshot of the namespace; for administrators.")
    ] = False,
    full: FullOption = False,
    json: JsonOption = False,
) -> None:
    """Asks a question of the graph in Cypher; only reading is allowed."""
    text = sys.stdin.read() if query == "-" else query
    scope = "database" if database else "namespace"
    answer = client.run_cypher(namespace, text, _parameters(param), scope=scope, max_rows=limit)
    if json:
        rows = [{name: shown(value) for name, value in zip(answer.columns, row, strict=True)} for row in answer.rows]
        print_json({"revision": answer.revision, "columns": answer.columns, "rows": rows, "truncated": answer.truncated})
        return
    made = tables.table(*(tables.plain(column) for column in answer.columns), wrap=[tables.plain(column) for column in answer.columns])
    texts = Excerpts(full)
    for row in answer.rows:
        made.add_row(*(tables.plain(texts.of(_cell(value))) for value in row))
    made.show("No rows.")
    texts.note()
    if answer.truncated:
        typer.echo(f"There are more rows than --limit {limit:,}, or the service, allows.", err=True)
    if answer.revision:
        typer.echo(f"revision {answer.revision} of {namespace}", err=True)


def _cell(value: Any) -> str:
    plain = shown(value)
    match plain:
        case None:
            return ""
        case str():
            return plain
        case _:
            return plain_json.dumps(plain, ensure_ascii=False)
