"""`structmem search` and `structmem context`."""

from collections.abc import Sequence
from enum import StrEnum
from typing import TYPE_CHECKING, Annotated

import typer

from service.cli import tables
from service.cli.connection import connected
from service.cli.counts import counted
from service.cli.dates import range_of
from service.cli.documents import document, hit_document, print_json, summary_hit_document
from service.cli.excerpts import Excerpts, FullOption
from service.cli.filters import memory_filter, time_range
from service.cli.options import (
    AsAskedOption,
    AskedAtOption,
    AsOfOption,
    FromOption,
    JsonOption,
    LabelsOption,
    NamespacesOption,
    NotIdsOption,
    NotSessionsOption,
    SessionsOption,
    SpeakersOption,
    SummariesOption,
    ToOption,
    TurnOfOption,
    TurnsOption,
    ZoneOption,
)
from service.cli.summary_lines import print_summary_hit
from service.cli.times import Times, times_of
from service.cli.why import why

if TYPE_CHECKING:
    from structmem import Client, Context, Hit, Message, QueryPlan, Retrieval

# Most facts rest on one or two messages; more would bury the hit.
_SOURCES = 3


class MemoryKind(StrEnum):
    """What a search may return."""

    MESSAGE = "message"
    FACT = "fact"
    RELATION = "relation"


QueryArgument = Annotated[str, typer.Argument(help="What to remember, in plain words.")]
RecipeOption = Annotated[str, typer.Option(help="hybrid, lexical, dense or graph; default hybrid.")]
KindsOption = Annotated[list[MemoryKind] | None, typer.Option("--kind", help="Only this kind; may be given several times.")]
RelevanceOption = Annotated[
    float, typer.Option("--min-relevance", min=0, max=1, help="Only memories of at least this relevance, 0 to 1; may leave none.")
]


@connected
def search(
    client: "Client",
    query: QueryArgument,
    namespace: NamespacesOption,
    k: Annotated[int, typer.Option("-k", help="How many memories.")] = 10,
    recipe: RecipeOption = "",
    explain: Annotated[bool, typer.Option("--explain", help="Say why each memory, and each summary, is where it is.")] = False,
    since: FromOption = None,
    until: ToOption = None,
    speaker: SpeakersOption = None,
    session: SessionsOption = None,
    not_session: NotSessionsOption = None,
    not_id: NotIdsOption = None,
    turn_of: TurnOfOption = "",
    turn: TurnsOption = None,
    asked_at: AskedAtOption = None,
    as_asked: AsAskedOption = False,
    as_of: AsOfOption = None,
    kind: KindsOption = None,
    label: LabelsOption = None,
    min_relevance: RelevanceOption = 0.0,
    summaries: SummariesOption = 0,
    timezone: ZoneOption = None,
    full: FullOption = False,
    json: JsonOption = False,
) -> None:
    """Finds the memories that fit a query best."""
    times = times_of(client, namespace, timezone)
    happened = time_range(since, until, times.zone)
    answer = client.retrieve(
        query,
        namespace,
        k=k,
        recipe=recipe,
        filter=memory_filter(kind, session, speaker, happened, label, not_session, not_id),
        time_zone=timezone or "",
        explain=explain,
        min_relevance=min_relevance,
        session=turn_of,
        turns=turn or (),
        asked_at=range_of(asked_at, None, times.zone)[0],
        as_asked=as_asked,
        as_of=range_of(None, as_of, times.zone)[1],
        summaries=summaries,
    )
    if json:
        hits = {"hits": [hit_document(hit) for hit in answer], "omitted": answer.omitted}
        hits |= {"summaries": [summary_hit_document(hit) for hit in answer.summaries]} if summaries else {}
        about = {"nothing_relevant": answer.nothing_relevant, "best_relevance": answer.best_relevance}
        print_json({"query": query, "namespaces": namespace, "plan": answer.plan, **about, **hits})
        return
    _print_notes(answer.plan)
    texts = Excerpts(full)
    for hit in answer:
        print_hit(hit, sources_of(client, hit), times, texts, several=len(namespace) > 1)
    for left_out in answer.omitted:
        told = f"no room in an answer of the service; `structmem show {left_out.node_id} -n {left_out.namespace}` shows it"
        typer.echo(f"{left_out.rank:>3}. {left_out.node_id}: {told}", err=True)
    if answer.summaries:
        typer.echo("Summaries:")
    for found in answer.summaries:
        print_summary_hit(found, times, texts, several=len(namespace) > 1)
    texts.note()
    if answer.hits or answer.omitted or answer.summaries:
        typer.echo(f"(times in {times.name})", err=True)
    else:
        tables.console().print(_nothing(answer))


@connected
def context(
    client: "Client",
    query: QueryArgument,
    namespace: NamespacesOption,
    tokens: Annotated[int, typer.Option(help="At most this many tokens, 16 to 100,000.")] = 1500,
    k: Annotated[int | None, typer.Option("-k", help="At most this many memories; default: as many as fit.")] = None,
    recipe: RecipeOption = "",
    since: FromOption = None,
    until: ToOption = None,
    speaker: SpeakersOption = None,
    session: SessionsOption = None,
    not_session: NotSessionsOption = None,
    not_id: NotIdsOption = None,
    turn_of: TurnOfOption = "",
    turn: TurnsOption = None,
    asked_at: AskedAtOption = None,
    as_asked: AsAskedOption = False,
    as_of: AsOfOption = None,
    kind: KindsOption = None,
    label: LabelsOption = None,
    min_relevance: RelevanceOption = 0.0,
    summaries: SummariesOption = 0,
    profile: Annotated[bool, typer.Option("--profile", help="Begin with the profile of each namespace.")] = False,
    timezone: ZoneOption = None,
    json: JsonOption = False,
) -> None:
    """Writes memories out as a text for a prompt, within a budget of tokens."""
    times = times_of(client, namespace, timezone)
    happened = time_range(since, until, times.zone)
    answer = client.build_context(
        query,
        namespace,
        token_budget=tokens,
        k=k,
        recipe=recipe,
        filter=memory_filter(kind, session, speaker, happened, label, not_session, not_id),
        time_zone=timezone or "",
        min_relevance=min_relevance,
        session=turn_of,
        turns=turn or (),
        asked_at=range_of(asked_at, None, times.zone)[0],
        as_asked=as_asked,
        as_of=range_of(None, as_of, times.zone)[1],
        summaries=summaries,
        profile=profile,
    )
    if json:
        print_json({"query": query, "namespaces": namespace, **document(answer)})
        return
    _print_notes(answer.plan)
    typer.echo(_nothing(answer) if answer.nothing_relevant else answer.text)
    told = sum(entry.kind.value == "summary" for entry in answer.entries)
    used = f"{answer.token_count:,} of {counted(tokens, 'token')}, {counted(len(answer.entries) - told, 'memory')}"
    used += f", {counted(told, 'summary')}" if told else ""
    typer.echo(f"({used}, times in {times.name})", err=True)
    if profile and not answer.stable_bytes:
        why = (
            "a filter that names sessions shows none"
            if session or not_session
            else "there is none yet, or a quarter of --tokens has no room"
        )
        typer.echo(f"(no profile: {why})", err=True)


def _nothing(answer: "Retrieval | Context") -> str:
    if not answer.nothing_relevant:
        return "Nothing was found."
    return f"Nothing relevant was found: the most relevant memory reaches {answer.best_relevance:.3f}."


def sources_of(client: "Client", hit: "Hit") -> "list[Message]":
    """The messages that a fact or relation rests on; none for a message, which is its own source."""
    from structmem import Message

    if isinstance(hit.memory, Message):
        return []
    nodes = (client.get_node(hit.namespace, id, max_edges=1).node for id in hit.memory.evidence_ids[:_SOURCES])
    return [node for node in nodes if isinstance(node, Message)]


def print_hit(hit: "Hit", sources: "Sequence[Message]", times: Times, texts: Excerpts, several: bool = False) -> None:
    """Prints a hit: its date, its speaker and its words, where it comes from and, if it was asked for, why it is there."""
    from rich.text import Text
    from structmem import Message

    memory = hit.memory
    said_at = memory.sent_at if isinstance(memory, Message) else memory.said_at
    happened = "" if isinstance(memory, Message) else times.span(memory.time)
    kind = "message" if isinstance(memory, Message) else str(memory.kind)
    out = tables.console()
    # A statement that begins with who made it needs no name before it.
    named = kind != "message" and memory.text.startswith(f"{memory.speaker} ")
    speaker, words = ("", texts.of(memory.text)) if named else (memory.speaker, f": {texts.of(memory.text)}")
    # What was not found has no rank.
    line = Text.assemble((f"{hit.rank or '–':>3}. ", "bold"), (times.instant(said_at), "cyan"), "  ", (speaker, "bold"), words)
    out.print(line, soft_wrap=True)
    about = [kind, memory.id, f"session {memory.session}", f"relevance {hit.relevance:.2f}", f"score {hit.score:.3f}"]
    about += [f"happened {happened}"] if happened else []
    about += [f"namespace {hit.namespace}"] if several else []
    out.print(Text("     " + " · ".join(about), style="dim"), soft_wrap=True)
    for source in sources:
        said = f"{times.instant(source.sent_at)} {source.speaker}: “{texts.of(source.text)}”"
        out.print(Text(f"     source: {source.id} {said}", style="dim"), soft_wrap=True)
    if hit.explanation:
        for text in explanation_lines(hit):
            out.print(Text(f"     {text}", style="dim"), soft_wrap=True)


def explanation_lines(hit: "Hit") -> list[str]:
    """Why a hit is where it is, in lines: what each signal added, its place in each channel, its path through the graph."""
    if hit.explanation is None:
        return []
    told = hit.explanation
    lines = [why(told.contributions)] if told.contributions else []
    if told.channels:
        lines.append("found by: " + ", ".join(f"{channel.channel} (rank {channel.rank})" for channel in told.channels))
    if told.path:
        lines.append("path: " + " ".join(f"-{step.edge}-> {step.node_id}" for step in told.path))
    return lines


def _print_notes(plan: "QueryPlan") -> None:
    for note in plan.degraded:
        typer.echo(f"note: {note.message}", err=True)
