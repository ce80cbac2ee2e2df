"""All commands, registered."""

from collections.abc import Callable
from typing import Annotated

import typer

from service.cli.commands import (
    about,
    asking,
    chats,
    copy,
    cypher,
    deletions,
    entities,
    evaluation,
    events,
    exchange,
    http,
    jobs,
    listings,
    namespaces,
    reverting,
    search,
    serve,
    show,
    summaries,
    timeline,
)
from service.cli.commands import delete as deletion
from service.cli.commands import doctor as checks

app = typer.Typer(
    name="structmem",
    no_args_is_help=True,
    add_completion=True,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)
_PANELS: dict[str, tuple[Callable[..., None], ...]] = {
    "To begin with": (about.demo, serve.serve, chats.ingest, search.search, search.context, asking.ask),
    "What is remembered": (
        summaries.profile,
        summaries.summaries,
        summaries.summary,
        events.events,
        timeline.timeline,
        listings.facts,
        listings.messages,
        listings.sessions,
        show.show,
        events.traverse,
        cypher.cypher,
    ),
    "How well it is found": (evaluation.eval_, evaluation.explain_miss),
    "Keeping it": (reverting.revert, deletion.delete, exchange.export, exchange.import_, copy.copy, summaries.consolidate, checks.doctor),
    "The service": (http.http, about.config, about.info, about.usage, about.version),
}
for panel, commands in _PANELS.items():
    for command in commands:
        app.command(command.__name__.rstrip("_").replace("_", "-"), rich_help_panel=panel)(command)
app.add_typer(entities.app, name="entities", rich_help_panel="What is remembered")
app.add_typer(namespaces.app, name="namespaces", rich_help_panel="Keeping it")
app.add_typer(deletions.app, name="deletions", rich_help_panel="Keeping it")
app.add_typer(jobs.app, name="jobs", rich_help_panel="The service")


def _print_version(wanted: bool) -> None:
    if wanted:
        about.version()
        raise typer.Exit


@app.callback()
def _structmem(
    version: Annotated[bool, typer.Option("--version", callback=_print_version, is_eager=True, help="Print the version.")] = False,
) -> None:
    """A long-term memory for agents: messages in, memories out."""
