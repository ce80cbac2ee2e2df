"""`structmem ask`."""

from typing import TYPE_CHECKING, Annotated

import typer

from service.cli import tables
from service.cli.connection import connected
from service.cli.counts import counted
from service.cli.dates import range_of
from service.cli.documents import document, print_json
from service.cli.excerpts import Excerpts, FullOption
from service.cli.filters import memory_filter, time_range
from service.cli.options import (
    AsOfOption,
    FromOption,
    JsonOption,
    LabelsOption,
    NamespacesOption,
    NotSessionsOption,
    SessionsOption,
    SpeakersOption,
    SummariesOption,
    ToOption,
    ZoneOption,
)
from service.cli.times import Times, times_of

if TYPE_CHECKING:
    from structmem import Answer, Citation, Client

_ENDINGS = {
    "cut_off": "the answer reached its limit of tokens (llm_output_tokens)",
    "withheld": "a filter of the model's provider kept the answer, or its rest, back",
}


@connected
def ask(
    client: "Client",
    question: Annotated[str, typer.Argument(help="What to answer from memory, in plain words.")],
    namespace: NamespacesOption,
    budget: Annotated[int, typer.Option(help="The model reads at most this many tokens of memories, 16 to 100,000.")] = 1500,
    as_of: AsOfOption = None,
    since: FromOption = None,
    until: ToOption = None,
    speaker: SpeakersOption = None,
    session: SessionsOption = None,
    not_session: NotSessionsOption = None,
    label: LabelsOption = None,
    summaries: SummariesOption = 0,
    profile: Annotated[bool, typer.Option("--profile", help="Let the model read the profile of each namespace, too.")] = False,
    timezone: ZoneOption = None,
    full: FullOption = False,
    json: JsonOption = False,
) -> None:
    """Answers a question from memory by the service's language model, with the sources of the answer."""
    times = times_of(client, namespace, timezone)
    parts = client.stream_answer(
        question,
        namespace,
        token_budget=budget,
        filter=memory_filter(None, session, speaker, time_range(since, until, times.zone), label, not_session, None),
        time_zone=timezone or "",
        as_of=range_of(None, as_of, times.zone)[1],
        summaries=summaries,
        profile=profile,
    )
    for part in parts:
        if not isinstance(part, str):
            if json:
                print_json({"question": question, "namespaces": namespace, **document(part)})
            else:
                _print_end(part, times, Excerpts(full), len(namespace) > 1)
        elif not json:
            typer.echo(part, nl=False)


def _print_end(answer: "Answer", times: Times, texts: Excerpts, several: bool) -> None:
    """What comes after the text: its sources, and what is to be known of it."""
    for note in answer.plan.degraded:
        typer.echo(f"note: {note.message}", err=True)
    if answer.text:
        typer.echo()
    for citation in answer.citations:
        _print_source(citation, times, texts, several)
    texts.note()
    for told in _notes(answer):
        typer.echo(f"({told})", err=True)
    if answer.citations:
        typer.echo(f"(times in {times.name})", err=True)


def _print_source(citation: "Citation", times: Times, texts: Excerpts, several: bool) -> None:
    from rich.text import Text

    out = tables.console()
    said = [citation.speaker or citation.kind.value, times.instant(citation.said_at), citation.node_id]
    said += [f"namespace {citation.namespace}"] if several else []
    out.print(Text.assemble((f"[{citation.number}] ", "bold"), " · ".join(said)), soft_wrap=True)
    out.print(Text(f"    {texts.of(' '.join(citation.text.split()))}", style="dim"), soft_wrap=True)


def _notes(answer: "Answer") -> list[str]:
    told = []
    if answer.not_in_memory:
        told.append("not in memory")
    elif not answer.grounded:
        told.append("not grounded: the answer names no memory that it rests on")
    if answer.rejected_citations:
        told.append(f"left out: {counted(len(answer.rejected_citations), 'citation')} of what the model did not read")
    if answer.ending.value in _ENDINGS:
        told.append(_ENDINGS[answer.ending.value])
    if answer.usage:
        used = answer.usage
        read = f"{counted(answer.memory_count, 'memory')}, {used.prompt_tokens:,} tokens"
        told.append(f"{used.model} read {read}, and wrote {used.completion_tokens:,}")
    return told
