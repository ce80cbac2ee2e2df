"""The demo's course: start, ingest, list events and relations, ask, build a context, summarize, stop."""

import tempfile
import time
from contextlib import ExitStack
from datetime import datetime
from importlib.resources import files
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING

import typer

from service.cli import tables
from service.cli.chats import read_chat
from service.cli.commands.delete import show_receipt
from service.cli.commands.events import event_row, events_table
from service.cli.commands.search import print_hit, sources_of
from service.cli.counts import counted
from service.cli.dates import zone_of
from service.cli.demo.questions import (
    BETWEEN_CHANGES,
    CHANGED_QUERY,
    CHANGED_SESSION,
    CHANGES,
    CONTEXT_QUERY,
    CONTEXT_TOKENS,
    MEMORIES,
    QUESTIONS,
    SENTENCES,
    SUMMARIZED_SESSION,
    Question,
)
from service.cli.demo.server import ServerDidNotStart, server
from service.cli.demo.words import in_words
from service.cli.excerpts import Excerpts
from service.cli.failures import fail
from service.cli.progress import extract, progress
from service.cli.summary_lines import print_profile, print_summary
from service.cli.summary_tree import print_tree
from service.cli.times import Times

if TYPE_CHECKING:
    from structmem import Client

NAMESPACE = "demo/maria-and-tom"
TIME_ZONE = "Europe/Berlin"
_TIMES = Times(zone_of(TIME_ZONE), TIME_ZONE)
_EVENTS_SHOWN = 12


def run(directory: Path | None) -> int:
    """Runs the demo and returns its exit code: 1 when anything that should be there is not.

    Args:
        directory: where the memory is kept; None for a temporary one that is deleted at the end.
    """
    from structmem import Client

    if directory is not None and directory.exists() and any(directory.iterdir()):
        fail(f"{directory} is not empty; give a new directory")
    started = time.monotonic()
    with ExitStack() as stack:
        place = directory or Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="structmem-demo-")))
        _say("Starting a server", f"structmem serve --data-dir {place} --listen 127.0.0.1:0")
        try:
            address = stack.enter_context(server(place))
        except ServerDidNotStart as error:
            fail(f"the server did not start:\n{error}")
        client = stack.enter_context(Client(address, token=""))
        missing = _show(client, address, time.monotonic() - started)
    _say("Done", f"in {time.monotonic() - started:.0f} seconds" + (f"; the memory is in {directory}" if directory else ""))
    for what in missing:
        tables.console().print(f"[bold red]missing:[/] {tables.plain(what)}")
    return 1 if missing else 0


def _show(client: "Client", address: str, seconds: float) -> list[str]:
    """Everything that the demo shows; returns what was not found."""
    info = client.server_info()
    tables.console().print(
        f"  ready at {address} after {seconds:.1f} s: version {info.version}, {info.store} store, {info.embedder.model} embedder, "
        f"{info.extractor} extractor",
        soft_wrap=True,
    )
    missing = _ingest(client)
    missing += _list_events(client)
    missing += _list_relations(client)
    for number, question in enumerate(QUESTIONS, start=1):
        missing += _ask(client, number, question)
    return missing + _build_context(client) + _summarize(client) + _change(client) + _forget(client)


def _ingest(client: "Client") -> list[str]:
    chat = read_chat(files("service.cli.demo").joinpath("conversation.jsonl").read_bytes(), "demo")
    sessions = dict.fromkeys(line.session for line in chat.lines)
    _say("Storing a conversation", f"{len(chat.lines)} messages of Maria and Tom in {len(sessions)} sessions, over gRPC")
    started = time.monotonic()
    client.create_namespace(NAMESPACE, time_zone=TIME_ZONE)
    with progress() as bars:
        bar = bars.add("storing", len(chat.lines))
        messages = bar.counting((line.session, line.message) for line in chat.lines)
        imported = client.import_messages(NAMESPACE, messages)
    jobs = extract(client, imported)
    graph = client.graph_stats(NAMESPACE)
    counts = ", ".join(counted(count, str(kind)) for kind, count in graph.nodes.items() if count)
    links = f"{counted(sum(graph.edges.values()), 'edge')}, {counted(graph.vector_count, 'vector')}"
    tables.console().print(
        f"  stored and extracted in {time.monotonic() - started:.1f} s: {counts}; {links}",
        soft_wrap=True,
    )
    failed = [f"job {job.id} is {job.state}" for job in jobs if job.state.value != "succeeded"]
    stored = [] if imported.stored_count == len(chat.lines) else [f"{len(chat.lines) - imported.stored_count} messages"]
    return failed + stored


def _list_events(client: "Client") -> list[str]:
    found = list(client.list_events(NAMESPACE, page_size=500))
    dated = [event for event in found if event.time]
    shown = min(len(dated), _EVENTS_SHOWN)
    _say("Its events", f"by when they happened; the first {shown} of {len(dated)} that name a time, {len(found)} in all")
    made = events_table(_TIMES)
    for event in islice(dated, _EVENTS_SHOWN):
        made.add_row(*event_row(event, _TIMES))
    made.show("  none")
    every = f"All of them: structmem demo --dir DIR, then structmem events -n {NAMESPACE} --data-dir DIR"
    tables.console().print(f"  [dim]{every}[/]", soft_wrap=True)
    return [] if dated else ["events with times"]


def _list_relations(client: "Client") -> list[str]:
    found = list(client.list_statements(NAMESPACE, kinds=["relation"], page_size=500))
    _say("Its relations", "between people, places and things, and between causes and effects")
    made = tables.table(_TIMES.heading("said"), "relation", "statement", "id", wrap=("statement",))
    for relation in found:
        made.add_row(_TIMES.instant(relation.said_at), tables.plain(relation.predicate), tables.plain(relation.text), relation.id)
    made.show("  none")
    return [] if found else ["relations"]


def _ask(client: "Client", number: int, question: Question) -> list[str]:
    _say(f"Question {number}: {question.text}", question.shows)
    answer = client.retrieve(question.text, NAMESPACE, k=MEMORIES, explain=True)
    for hit in answer:
        print_hit(hit, sources_of(client, hit), _TIMES, Excerpts(full=True))
        if number == hit.rank == 1:
            tables.console().print(tables.plain_lines(f"     {in_words(hit)}"), soft_wrap=True)
    return [] if answer.hits else [f"memories for: {question.text}"]


def _build_context(client: "Client") -> list[str]:
    _say(f"A context for a prompt: {CONTEXT_QUERY}", f"at most {CONTEXT_TOKENS} tokens")
    context = client.build_context(CONTEXT_QUERY, NAMESPACE, token_budget=CONTEXT_TOKENS)
    tables.console().print(tables.plain_lines(context.text), soft_wrap=True)
    tables.console().print(f"  ({counted(context.token_count, 'token')}, {counted(len(context.entries), 'memory')})")
    if context.token_count > CONTEXT_TOKENS:
        return [f"a context within {CONTEXT_TOKENS} tokens"]
    return [] if context.entries else ["memories in the context"]


def _summarize(client: "Client") -> list[str]:
    started = time.monotonic()
    client.wait_for(client.consolidate(NAMESPACE))
    found = list(client.list_summaries(NAMESPACE, page_size=500))
    windows, threads = ([one for one in found if one.level.value == level] for level in ("window", "thread"))
    counts = f"{counted(len(windows), 'window')} of events and {counted(len(threads), 'thread')} in {time.monotonic() - started:.1f} s"
    profile = client.get_profile(NAMESPACE)
    told = next((one for one in windows if SUMMARIZED_SESSION in one.sessions), None)
    across = next((one for one in threads if len(one.sessions) > 1), None)
    if profile is None or told is None or across is None:
        return ["summaries"]
    texts = Excerpts(full=True)
    _say("What it comes to", f"{counts}; the first {SENTENCES} sentences of one summary, and what they rest on")
    print_tree(client.get_summary(NAMESPACE, told.id), _TIMES, texts, SENTENCES)
    _say("A thread", "what belongs together across sessions, and changes from one to the next")
    print_summary(across, _TIMES, Excerpts())
    _say("The profile", "who the memory is about, and what lasts of what was said; `structmem summary` leads from it down to the messages")
    print_profile(profile, _TIMES, texts)
    return []


def _change(client: "Client") -> list[str]:
    from structmem import NewMessage

    messages = [NewMessage("Maria", text, sent_at) for sent_at, text in CHANGES]
    client.wait_for(client.append(NAMESPACE, CHANGED_SESSION, messages))
    moments = {"Now": None, "As of 2 July": datetime.fromisoformat(BETWEEN_CHANGES)}
    shows = {"Now": "what was said last holds", "As of 2 July": "what held before; `--as-of` on the command line"}
    first: list[str] = []
    for when, moment in moments.items():
        _say(f"{CHANGED_QUERY} {when}", shows[when])
        answer = client.retrieve(CHANGED_QUERY, NAMESPACE, k=1, as_of=moment)
        for hit in answer:
            print_hit(hit, sources_of(client, hit), _TIMES, Excerpts(full=True))
        first += [getattr(hit.memory, "text", "") for hit in answer]
    held = len(first) == len(moments) and "19 July" in first[0] and "12 July" in first[1]
    return [] if held else ["what holds now, and what held before"]


def _forget(client: "Client") -> list[str]:
    _say("Forgetting it", "the session with all that was made of it, and a receipt that lists what went without holding it")
    receipt = client.delete_session(NAMESPACE, CHANGED_SESSION)
    show_receipt(receipt)
    items = list(client.list_deleted_items(NAMESPACE, receipt.id))
    check = client.check_deletion(NAMESPACE, receipt)
    typer.echo(f"The receipt is genuine, and all that it lists is gone: {counted(len(items), 'node')}." if check.authentic else "")
    left = any("farewell" in getattr(hit.memory, "text", "") for hit in client.retrieve(CHANGED_QUERY, NAMESPACE))
    return [] if check.authentic and check.kept and not check.found_ids and not left else ["a deletion without a trace"]


def _say(what: str, more: str) -> None:
    tables.console().print(f"\n[bold]{tables.plain(what)}[/]  [dim]{tables.plain(more)}[/]", soft_wrap=True)
