"""All commands, registered."""

import typer

from service.cli.commands import about, chats, events, exchange, jobs, listings, namespaces, search, serve, show
from service.cli.commands import delete as deletion
from service.cli.commands import doctor as checks

app = typer.Typer(
    name="structmem",
    help="A long-term memory for agents: messages in, memories out.",
    no_args_is_help=True,
    add_completion=True,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)
app.command()(serve.serve)
app.command()(chats.ingest)
app.command()(search.search)
app.command()(search.context)
app.command()(events.events)
app.command()(events.traverse)
app.command()(listings.facts)
app.command()(listings.messages)
app.command()(listings.sessions)
app.command()(listings.entities)
app.command()(show.show)
app.command()(deletion.delete)
app.command("export")(exchange.export)
app.command("import")(exchange.import_)
app.add_typer(jobs.app, name="jobs")
app.add_typer(namespaces.app, name="namespaces")
app.command()(checks.doctor)
app.command()(about.config)
app.command()(about.info)
app.command()(about.usage)
app.command()(about.version)
app.command()(about.demo)
