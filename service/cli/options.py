"""Options that several commands share."""

from pathlib import Path
from typing import Annotated

import typer

from service.cli.dates import checked_date, checked_zone

NamespaceOption = Annotated[str, typer.Option("--namespace", "-n", help="The namespace, such as alice or acme/support/maria.")]
NamespacesOption = Annotated[list[str], typer.Option("--namespace", "-n", help="A namespace to read; may be given several times.")]
JsonOption = Annotated[bool, typer.Option("--json", help="Print a JSON document instead of a table.")]
FromOption = Annotated[
    str | None,
    typer.Option("--from", callback=checked_date, help="Beginning with this date: 2024, 2024-03, 2024-03-05, 2024-03-05T10:00+01:00."),
]
ToOption = Annotated[
    str | None, typer.Option("--to", callback=checked_date, help="Up to the end of this date, such as 2024-03: all of March.")
]
ZoneOption = Annotated[
    str | None,
    typer.Option("--timezone", callback=checked_zone, help="IANA time zone of dates, given and shown; default: the namespace's, else UTC."),
]
LimitOption = Annotated[int, typer.Option("--limit", min=1, help="At most this many.")]
SessionsOption = Annotated[list[str] | None, typer.Option("--session", help="Only this session; may be given several times.")]
NotSessionsOption = Annotated[list[str] | None, typer.Option("--not-session", help="Nothing of this session; may be given several times.")]
NotIdsOption = Annotated[list[str] | None, typer.Option("--not-id", help="Not the memory with this id; may be given several times.")]
TurnOfOption = Annotated[
    str,
    typer.Option(
        "--turn-of", metavar="SESSION", help="The query is a turn of this running session, of which nothing is shown; with one -n."
    ),
]
TurnsOption = Annotated[
    list[str] | None, typer.Option("--turn", help="A last turn of the session of --turn-of, oldest first; may be given several times.")
]
AskedAtOption = Annotated[
    str | None,
    typer.Option("--asked-at", callback=checked_date, help='The "now" of the query, such as 2024-03-05T10:00+01:00; default: now.'),
]
AsAskedOption = Annotated[bool, typer.Option("--as-asked", help="See only what was said before --asked-at, or now.")]
AsOfOption = Annotated[
    str | None, typer.Option("--as-of", callback=checked_date, help="What held, and had been said, at this moment, such as 2024-03-05.")
]
SpeakersOption = Annotated[list[str] | None, typer.Option("--speaker", help="Only this speaker; may be given several times.")]
LabelsOption = Annotated[
    list[str] | None, typer.Option("--label", help="Only messages with this label, as KEY or KEY=VALUE; may be given several times.")
]
FileArgument = Annotated[Path, typer.Argument(help="The file; - for standard input.", allow_dash=True)]
SummariesOption = Annotated[int, typer.Option("--summaries", min=0, max=50, help="Also at most this many summaries.")]
YesOption = Annotated[bool, typer.Option("--yes", "-y", help="Do not ask.")]
