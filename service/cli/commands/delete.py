"""`structmem delete`: memories or a session, for good."""

from typing import TYPE_CHECKING, Annotated

import typer

from service.cli.connection import connected
from service.cli.counts import counted
from service.cli.documents import print_json
from service.cli.failures import fail
from service.cli.options import JsonOption, NamespaceOption, YesOption

if TYPE_CHECKING:
    from structmem import Client


@connected
def delete(
    client: "Client",
    namespace: NamespaceOption,
    ids: Annotated[list[str] | None, typer.Argument(help="Ids of messages, events, facts or relations.")] = None,
    session: Annotated[str | None, typer.Option("--session", help="A session, with all its messages.")] = None,
    yes: YesOption = False,
    json: JsonOption = False,
) -> None:
    """Deletes memories, or a session, with all that was derived from them, for good."""
    if bool(ids) == (session is not None):
        fail("give either ids or --session", 2)
    what = f"session {session}" if session is not None else counted(len(ids or ()), "memory")
    if not yes and not typer.confirm(f"Delete {what} and what was derived from it, for good?", err=True):
        fail("nothing was deleted")
    receipt = client.delete_session(namespace, session) if session is not None else client.delete_memories(namespace, ids or ())
    if json:
        print_json(receipt)
        return
    counts = ", ".join(counted(count, str(kind)) for kind, count in receipt.counts.items() if count)
    typer.echo(f"Deleted: {counts or 'nothing'} (receipt {receipt.id}).")
    if receipt.missing_ids:
        typer.echo(f"Not there: {', '.join(receipt.missing_ids)}", err=True)
