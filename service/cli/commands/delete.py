"""`structmem delete`: memories, a session, or messages by speaker, label and time, for good."""

from typing import TYPE_CHECKING, Annotated

import typer

from service.cli.connection import connected
from service.cli.counts import counted
from service.cli.documents import print_json
from service.cli.failures import fail
from service.cli.filters import label_filter, time_range
from service.cli.options import FromOption, JsonOption, LabelsOption, NamespaceOption, SpeakersOption, ToOption, YesOption, ZoneOption
from service.cli.times import times_of

if TYPE_CHECKING:
    from structmem import Client, DeletionReceipt


@connected
def delete(
    client: "Client",
    namespace: NamespaceOption,
    ids: Annotated[list[str] | None, typer.Argument(help="Ids of messages, events, facts or relations.")] = None,
    session: Annotated[
        list[str] | None, typer.Option("--session", help="A session, with all its messages; with the options below, only those of it.")
    ] = None,
    speaker: SpeakersOption = None,
    label: LabelsOption = None,
    since: FromOption = None,
    until: ToOption = None,
    timezone: ZoneOption = None,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Delete nothing; say what would go.")] = False,
    yes: YesOption = False,
    json: JsonOption = False,
) -> None:
    """Deletes memories, a session, or messages, with all that was derived from them, for good. With --json prints the receipt."""
    some = bool(speaker or label or since or until)
    if len(session or ()) > 1 and not (speaker or label or since or until):
        fail("give one --session; several go with --speaker, --label, --from or --to", 2)
    if bool(ids) == (bool(session) or some):
        fail("give either ids, or --session, --speaker, --label, --from or --to", 2)
    if ids:
        what = counted(len(ids), "memory")
    elif some:
        what = "all messages that these options name"
    else:
        what = f"session {(session or [''])[0]}"
    if not (yes or dry_run) and not typer.confirm(f"Delete {what} and what was derived from it, for good?", err=True):
        fail("nothing was deleted")
    if ids:
        receipt = client.delete_memories(namespace, ids, dry_run=dry_run)
    elif some:
        zone = times_of(client, [namespace], timezone).zone
        receipt = client.delete_messages(
            namespace,
            sessions=session or (),
            speakers=speaker or (),
            said=time_range(since, until, zone),
            labels=label_filter(label),
            dry_run=dry_run,
        )
    else:
        receipt = client.delete_session(namespace, (session or [""])[0], dry_run=dry_run)
    if json:
        print_json(receipt)
    else:
        show_receipt(receipt)


def show_receipt(receipt: "DeletionReceipt") -> None:
    """What a deletion did, in a sentence or three."""
    counts = ", ".join(counted(count, str(kind)) for kind, count in receipt.counts.items() if count) or "nothing"
    typer.echo(f"Deleted: {counts} (receipt {receipt.id})." if receipt.id else f"Would delete: {counts}.")
    if receipt.extracted_anew_count:
        typer.echo(f"Facts that also rested on other messages: {counted(receipt.extracted_anew_count, 'message')} are read again.")
    if receipt.missing_ids:
        typer.echo(f"Not there: {', '.join(receipt.missing_ids)}", err=True)
