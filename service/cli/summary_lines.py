"""A summary for people, in a few lines."""

from collections.abc import Iterator
from typing import TYPE_CHECKING

from service.cli import tables
from service.cli.counts import counted
from service.cli.excerpts import Excerpts
from service.cli.times import Times
from service.cli.why import why

if TYPE_CHECKING:
    from structmem import Summary, SummaryHit

# A thread may be of hundreds.
_MOST_SESSIONS = 5
_MEMBERS = {"window": "event", "thread": "window", "profile": "thread"}


def print_summary(it: "Summary", times: Times, texts: Excerpts) -> None:
    """When what it tells of was said, its title, what it says, and where it comes from."""
    from rich.text import Text

    out = tables.console()
    when, text = times.period(it.said_from, it.said_to), texts.of(it.text) or "It says nothing."
    if begins_with(it.text, it.title):
        out.print(Text.assemble((when, "cyan"), "  ", text), soft_wrap=True)
    else:
        out.print(Text.assemble((when, "cyan"), "  ", (title_of(it), "bold")), soft_wrap=True)
        out.print(Text(f"     {text}"), soft_wrap=True)
    out.print(Text("     " + " · ".join(about(it, times)), style="dim"), soft_wrap=True)


def print_summary_hit(hit: "SummaryHit", times: Times, texts: Excerpts, several: bool = False) -> None:
    """A summary that a query found, and if it was asked for, why."""
    from rich.text import Text

    it, out = hit.summary, tables.console()
    line = Text.assemble(
        (f"{hit.rank:>3}. ", "bold"), (times.period(it.said_from, it.said_to), "cyan"), "  ", texts.of(it.text or it.title)
    )
    out.print(line, soft_wrap=True)
    facts = [*about(it, times), f"score {hit.score:.3f}"] + ([f"namespace {hit.namespace}"] if several else [])
    out.print(Text("     " + " · ".join(facts), style="dim"), soft_wrap=True)
    if hit.contributions:
        out.print(Text(f"     {why(hit.contributions)}", style="dim"), soft_wrap=True)


def print_profile(it: "Summary", times: Times, texts: Excerpts) -> None:
    """A profile, a sentence a line."""
    from rich.text import Text

    out = tables.console()
    out.print(Text(title_of(it), "bold"), soft_wrap=True)
    for sentence in it.sentences:
        out.print(Text(f"  - {texts.of(sentence.text)}"), soft_wrap=True)
    out.print(Text("    " + " · ".join(about(it, times)), style="dim"), soft_wrap=True)
    texts.note()


def title_of(it: "Summary") -> str:
    """Its title; in brackets that of one that has none."""
    return it.title or f"({it.level})"


def begins_with(text: str, title: str) -> bool:
    """Whether a title, which may be cut, is how the text begins: it tells nothing then that the text does not."""
    return bool(title) and text.startswith(title.removesuffix("…").rstrip())


def about(it: "Summary", times: Times) -> "Iterator[str]":
    """What it is, where it comes from, and whether it stands."""
    yield str(it.level)
    yield it.id
    yield f"of {counted(len(it.member_ids), _MEMBERS.get(it.level, 'node'))}"
    if it.sessions:
        shown = ", ".join(it.sessions[:_MOST_SESSIONS])
        more = f" and {len(it.sessions) - _MOST_SESSIONS} more" if len(it.sessions) > _MOST_SESSIONS else ""
        yield ("session " if len(it.sessions) == 1 else "sessions ") + shown + more
    yield f"written {times.instant(it.consolidated_at)}"
    if it.stale_since:
        yield f"stale since {times.instant(it.stale_since)}"
