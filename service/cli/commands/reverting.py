"""`structmem revert`: takes back that one memory replaces another one."""

from typing import TYPE_CHECKING, Annotated

import typer

from service.cli.connection import connected
from service.cli.documents import document, print_json
from service.cli.options import JsonOption, NamespaceOption

if TYPE_CHECKING:
    from structmem import Client


@connected
def revert(
    client: "Client",
    newer: Annotated[str, typer.Argument(help="The id of the message, fact or relation that replaces, or repeats, the other one.")],
    older: Annotated[str, typer.Argument(help="The id of the other one, which then stands again; `show` lists both.")],
    namespace: NamespaceOption,
    restore: Annotated[bool, typer.Option("--restore", help="Put it back: it replaces, or repeats, the other one after all.")] = False,
    json: JsonOption = False,
) -> None:
    """Takes back that one memory replaces, or repeats, another one. No later extraction brings it back; --restore does."""
    reverted = client.revert_decision(namespace, newer, older, restore=restore)
    if json:
        print_json({"edges": document(reverted.edges)})
        return
    for edge in reverted.edges:
        told = f"{newer} {edge.kind} {older}{f' ({edge.reason})' if edge.reason else ''}"
        typer.echo(f"Taken back: {told}." if edge.reverted else f"Holds: {told}.")
