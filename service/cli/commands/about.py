"""`structmem config`, `info`, `usage`, `version` and `demo`."""

from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from service.cli import tables
from service.cli.connection import ConfigOption, ConnectionOptions, DataDirOption, connected, settings_of
from service.cli.documents import document, print_json
from service.cli.failures import reported
from service.cli.options import JsonOption, NamespaceOption
from service.cli.times import IN_UTC

if TYPE_CHECKING:
    from structmem import Client


def config(data_dir: DataDirOption = None, config: ConfigOption = None, json: JsonOption = False) -> None:
    """Shows the settings in force and where each comes from; secrets are masked."""
    with reported():
        from service.configuration import effective

        found = effective(settings_of(ConnectionOptions(data_dir=data_dir, config=config)))
    if json:
        print_json({"settings": {name: {"value": one.value, "source": one.source} for name, one in found.items()}})
        return
    made = tables.table("setting", "value", "from")
    for name, one in found.items():
        made.add_row(name, tables.plain("" if one.value is None else str(one.value)), tables.plain(one.source))
    made.show("")


@connected
def info(client: "Client", json: JsonOption = False) -> None:
    """Says what the service is: version, store, extractor, embedder, recipes."""
    found = client.server_info()
    if json:
        print_json(found)
        return
    facts = {
        "version": found.version,
        "store": found.store,
        "extractor": found.extractor,
        "": found.extractor_note,
        "embedder": f"{found.embedder.model} ({found.embedder.dimension} dimensions)",
        "recipes": ", ".join(found.recipes),
        "default recipe": found.default_recipe,
        "started": f"{IN_UTC.instant(found.started_at)} UTC",
        "jobs kept": f"{found.job_retention.days} days",
        "request ids": f"{found.request_id_retention // timedelta(hours=1)} hours",
    }
    for name, value in facts.items():
        if value:
            typer.echo(f"{name:>14}  {value}")
    for told in found.warnings:
        typer.echo(f"structmem: {told.setting}: {told.message}", err=True)


@connected
def usage(client: "Client", namespace: NamespaceOption, json: JsonOption = False) -> None:
    """Says what models were called for a namespace."""
    found = client.usage(namespace)
    if json:
        print_json({"namespace": namespace, "usage": document(found)})
        return
    made = tables.table("step", "model", "calls", "items", "prompt tokens", "completion tokens", "errors")
    for entry in found:
        numbers = (entry.calls, entry.items, entry.prompt_tokens, entry.completion_tokens, entry.errors)
        made.add_row(entry.step, tables.plain(entry.model), *(f"{number:,}" for number in numbers))
    made.show("No model was called.")


def version(json: JsonOption = False) -> None:
    """Prints the version."""
    from service.version import VERSION

    if json:
        print_json({"version": VERSION})
    else:
        typer.echo(f"structmem {VERSION}")


def demo(
    directory: Annotated[
        Path | None, typer.Option("--dir", help="Keep the memory in this new directory; default: a temporary one.")
    ] = None,
) -> None:
    """Starts a server, puts a conversation in and asks it questions."""
    with reported():
        from service.cli.demo import run

        raise typer.Exit(run(directory))
