"""`structmem deletions`: receipts of deletions listed, shown and checked."""

import json as json_format
import sys
from collections.abc import Mapping
from datetime import datetime
from typing import TYPE_CHECKING, Annotated, Any

import typer

from service.cli import tables
from service.cli.connection import connected
from service.cli.counts import counted
from service.cli.documents import print_json, print_list
from service.cli.failures import fail
from service.cli.grouping import ListsByDefault
from service.cli.limits import at_most, page_size
from service.cli.options import FileArgument, JsonOption, LimitOption, NamespaceOption, ZoneOption
from service.cli.times import times_of

if TYPE_CHECKING:
    from structmem import Client, DeletionReceipt

app = typer.Typer(cls=ListsByDefault, help="Receipts of deletions. Without a command: lists them.", pretty_exceptions_enable=False)


@connected
def list_(
    client: "Client", namespace: NamespaceOption, limit: LimitOption = 100, timezone: ZoneOption = None, json: JsonOption = False
) -> None:
    """Lists receipts, newest first."""
    found = at_most(limit, client.list_deletions(namespace, page_size=page_size(limit)))
    if json:
        print_list("deletions", found)
        return
    times = times_of(client, [namespace], timezone)
    made = tables.table(times.heading("deleted"), "by", "what", "read again", "id", wrap=("what",), spare=("by", "read again"))
    for receipt in found:
        counts = ", ".join(counted(count, str(kind)) for kind, count in receipt.counts.items())
        made.add_row(
            times.instant(receipt.deleted_at), tables.plain(receipt.deleted_by), counts, str(receipt.extracted_anew_count), receipt.id
        )
    made.show("Nothing was deleted.")


@connected
def show(
    client: "Client",
    namespace: NamespaceOption,
    receipt_id: Annotated[str, typer.Argument(help="The receipt's id.")],
    limit: LimitOption = 1_000,
    json: JsonOption = False,
) -> None:
    """Lists what a deletion took, and why."""
    found = at_most(limit, client.list_deleted_items(namespace, receipt_id, page_size=page_size(limit)))
    if json:
        print_list("items", found)
        return
    made = tables.table("id", "why")
    for item in found:
        made.add_row(item.id, str(item.cause))
    made.show("The deletion took nothing.")


@connected
def check(client: "Client", namespace: NamespaceOption, file: FileArgument, json: JsonOption = False) -> None:
    """Checks a receipt, as `delete --json` printed it: whether it is genuine, and whether what it lists is still gone."""
    text = sys.stdin.read() if str(file) == "-" else file.read_text("utf-8")
    found = client.check_deletion(namespace, _receipt_of(text))
    if json:
        print_json(found)
    elif not found.authentic:
        fail("this is no receipt of this service for this namespace, or it was changed")
    elif found.found_ids:
        fail(f"still there: {', '.join(found.found_ids)}")
    elif not found.kept:
        typer.echo(f"The receipt is genuine. The namespace does not hold its list of {counted(found.item_count, 'node')} any more.")
    else:
        typer.echo(f"The receipt is genuine, and all that it lists is gone: {counted(found.item_count, 'node')}.")


def _receipt_of(text: str) -> "DeletionReceipt":
    from structmem import DeletionReceipt, NodeKind

    try:
        it: Mapping[str, Any] = json_format.loads(text)
        return DeletionReceipt(
            id=str(it["id"]),
            deleted_at=datetime.fromisoformat(it["deleted_at"]),
            counts={NodeKind(kind): int(count) for kind, count in it["counts"].items()},
            revision=int(it["revision"]),
            missing_ids=tuple(it["missing_ids"]),
            deleted_by=str(it["deleted_by"]),
            extracted_anew_count=int(it["extracted_anew_count"]),
            items_digest=str(it["items_digest"]),
            signature=str(it["signature"]),
        )
    except (ValueError, KeyError, TypeError, AttributeError):
        fail("this is no receipt: give what `structmem delete … --json` printed", 2)


app.command("list")(list_)
app.command()(show)
app.command()(check)
