"""`structmem explain-miss` and `structmem eval`: what is not found, and why."""

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from service.cli import tables
from service.cli.commands.search import KindsOption, RecipeOption, RelevanceOption, print_hit
from service.cli.connection import connected
from service.cli.counts import counted
from service.cli.documents import document, hit_document, print_json
from service.cli.excerpts import Excerpts, FullOption
from service.cli.failures import fail
from service.cli.filters import memory_filter, time_range
from service.cli.options import (
    FileArgument,
    FromOption,
    JsonOption,
    LabelsOption,
    NamespaceOption,
    NotIdsOption,
    NotSessionsOption,
    SessionsOption,
    SpeakersOption,
    ToOption,
    TurnOfOption,
    TurnsOption,
    ZoneOption,
)
from service.cli.problems import report_problems
from service.cli.times import times_of

if TYPE_CHECKING:
    from structmem import Client, Miss, Rival

    from service.cli.golden import Judged, Question
    from service.cli.times import Times

_SHOWN_ABSENT = 5


@connected
def explain_miss(
    client: "Client",
    id: Annotated[str, typer.Argument(help="The id of the memory that was expected.")],
    query: Annotated[str, typer.Argument(help="The query in whose answer it was expected.")],
    namespace: NamespaceOption,
    k: Annotated[int, typer.Option("-k", help="How many memories the answer has.")] = 10,
    recipe: RecipeOption = "",
    since: FromOption = None,
    until: ToOption = None,
    speaker: SpeakersOption = None,
    session: SessionsOption = None,
    not_session: NotSessionsOption = None,
    not_id: NotIdsOption = None,
    turn_of: TurnOfOption = "",
    turn: TurnsOption = None,
    kind: KindsOption = None,
    label: LabelsOption = None,
    min_relevance: RelevanceOption = 0.0,
    timezone: ZoneOption = None,
    full: FullOption = False,
    json: JsonOption = False,
) -> None:
    """Says why a memory is not in the answer to a query; the options are those of `search`."""
    times = times_of(client, [namespace], timezone)
    miss = client.explain_miss(
        namespace,
        id,
        query,
        k=k,
        recipe=recipe,
        filter=memory_filter(kind, session, speaker, time_range(since, until, times.zone), label, not_session, not_id),
        time_zone=timezone or "",
        min_relevance=min_relevance,
        session=turn_of,
        turns=turn or (),
    )
    if json:
        print_json(_miss_document(miss))
    else:
        texts = Excerpts(full)
        _print_miss(miss, id, times, texts)
        texts.note()


def _print_miss(miss: "Miss", id_: str, times: "Times", texts: Excerpts) -> None:
    from service.cli.reasons import channel_in_short, reason_in_short

    out = tables.console()
    sentence = reason_in_short(miss, id_)
    out.print(tables.plain(f"{sentence[0].upper()}{sentence[1:]}."), soft_wrap=True)
    if miss.hit:
        print_hit(miss.hit, [], times, texts)
    for channel in miss.channels:
        out.print(tables.plain(f"in {channel_in_short(channel)}"), soft_wrap=True)
    for rival in (*miss.stood_for_by, *miss.rivals):
        _print_rival(rival, times, texts)
    if miss.truncated:
        typer.echo("The answer had no room for all memories that are ahead of it.", err=True)


def _print_rival(rival: "Rival", times: "Times", texts: Excerpts) -> None:
    from service.cli.reasons import rival_in_short

    print_hit(rival.hit, [], times, texts)
    tables.console().print(tables.plain(f"ahead by: {rival_in_short(rival)}"), soft_wrap=True)


def _miss_document(miss: "Miss") -> dict[str, object]:
    def rivals(them: "tuple[Rival, ...]") -> list[object]:
        return [{"hit": hit_document(rival.hit), "differences": document(rival.differences)} for rival in them]

    return {
        "reason": miss.reason.value,
        "hit": hit_document(miss.hit) if miss.hit else None,
        "plan": document(miss.plan),
        "filtered_by": document(miss.filtered_by),
        "channels": document(miss.channels),
        "stood_for_by": rivals(miss.stood_for_by),
        "rivals": rivals(miss.rivals),
    }


@connected
def eval_(
    client: "Client",
    file: FileArgument,
    namespace: NamespaceOption,
    k: Annotated[int, typer.Option("-k", min=1, max=1000, help="How many memories of questions that name no k.")] = 10,
    recipe: RecipeOption = "",
    min_relevance: RelevanceOption = 0.0,
    explain: Annotated[bool, typer.Option("--explain", help="Say why each memory that was missed is not in the answer.")] = False,
    skip_broken: Annotated[bool, typer.Option("--skip-broken", help="Ask the good lines of a file with broken ones.")] = False,
    fail_under: Annotated[
        float | None,
        typer.Option(
            min=0,
            max=100,
            metavar="PERCENT",
            help="Exit code 1 where the mean recall@k of all questions is below this; else where it is 0.",
        ),
    ] = None,
    timezone: ZoneOption = None,
    json: JsonOption = False,
) -> None:
    """Asks your own questions and counts the memories found that you expect.

    A line is {"question", "expected": [...], "k", "asked_at", "session", "turns", "filter"}; question and expected are required. What is
    expected is a memory's id, a message's client id, or {"text": "words of a message"}. With asked_at only what was said before is
    seen; with session the question is a turn of that running session.
    """
    from service.cli.golden import Directory, asked
    from service.cli.golden.asking import Way

    questions = _questions(file, skip_broken)
    zone = times_of(client, [namespace], timezone).zone
    way = Way(namespace, k, recipe, min_relevance, timezone or "", zone, explain)
    judged = list(asked(client, Directory(client, namespace), questions, way))
    if json:
        print_json({"namespace": namespace, "overall": _overall(judged), "questions": [_judged_document(one) for one in judged]})
    else:
        _print_judged(judged, explain)
    _warn_of_absent(judged, namespace)
    recall = round(100 * _overall(judged)["recall"], 2)
    if fail_under is None and not any(one.recall for one in judged):
        fail("nothing that is expected was found; --explain says why, --fail-under 0 allows it")
    if fail_under is not None and recall < fail_under:
        fail(f"recall@k is {recall:.2f} %, below the {fail_under:g} % of --fail-under")


def _warn_of_absent(judged: "list[Judged]", namespace: str) -> None:
    """Names what no answer can hold: most often the file is of another namespace, or its ids of an earlier ingest."""
    names = dict.fromkeys(found.expected.name for one in judged for found in one.found if not found.expected.there)
    if names:
        told = ", ".join([*names][:_SHOWN_ABSENT]) + (", ..." if len(names) > _SHOWN_ABSENT else "")
        typer.echo(f"structmem: {namespace} has nothing that is meant by {told}", err=True)


def _questions(file: Path, skip_broken: bool) -> "list[Question]":
    from service.cli.golden import read_questions

    content = sys.stdin.buffer.read() if str(file) == "-" else file.read_bytes()
    questions, problems = read_questions(content.split(b"\n"))
    report_problems(problems, skipped=skip_broken)
    if problems and not skip_broken:
        fail("nothing was asked; --skip-broken asks the other lines")
    if not questions:
        fail("there is nothing to ask")
    return questions


def _overall(judged: "list[Judged]") -> dict[str, float]:
    """Means over the questions, from 0 to 1."""
    count = len(judged)
    return {
        "questions": count,
        "recall": round(sum(one.recall for one in judged) / count, 4),
        "all": round(sum(one.all for one in judged) / count, 4),
        "mrr": round(sum(one.reciprocal_rank for one in judged) / count, 4),
    }


def _judged_document(one: "Judged") -> dict[str, object]:
    expected = [
        {"expected": found.expected.name, "rank": found.rank, "miss": _miss_document(found.miss) if found.miss else None}
        for found in one.found
    ]
    measures = {"recall": round(one.recall, 4), "all": one.all, "reciprocal_rank": round(one.reciprocal_rank, 4)}
    return {"line": one.question.line, "question": one.question.question, "k": one.k, **measures, "expected": expected}


def _print_judged(judged: "list[Judged]", explain: bool) -> None:
    from service.cli.reasons import reason_in_short

    made = tables.table("line", "question", "k", "recall@k", "all@k", "rr", "missed", wrap=("question", "missed"))
    for one in judged:
        missed = ", ".join(found.expected.name for found in one.found if found.rank is None)
        measures = (f"{one.recall:.2f}", "yes" if one.all else "no", f"{one.reciprocal_rank:.2f}")
        made.add_row(str(one.question.line), tables.plain(one.question.question), str(one.k), *measures, tables.plain(missed))
    made.show("There is nothing to show.")
    for one in judged if explain else ():
        for found in one.found:
            if found.rank is None:
                why = reason_in_short(found.miss, min(found.expected.ids)) if found.miss else "no message of the namespace is meant by that"
                typer.echo(f"line {one.question.line}: {found.expected.name}: {why}")
    overall = _overall(judged)
    told = ", ".join(f"{name} {overall[name]:.3f}" for name in ("recall", "all", "mrr"))
    typer.echo(f"{counted(len(judged), 'question')}: {told}")
