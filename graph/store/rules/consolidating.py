"""Consolidation: what may be written, what is left of a summary when something below it was deleted, and when its job is made."""

from collections.abc import Collection, Iterable, Mapping
from dataclasses import replace
from typing import Any

from graph.errors import InvalidArgument, StaleWrite
from graph.model import Granularity, Seed, Summary, SummaryLevel, SummarySentence, TimeSpan, from_micros, kind_of, to_micros
from graph.model.ids import NodeKind
from graph.store.port import ConsolidationWrite
from graph.store.port.consolidating import MAX_SENTENCE, MAX_SENTENCES, MAX_TITLE

# What a summary of each level summarizes.
_MEMBERS = {SummaryLevel.WINDOW: NodeKind.EVENT, SummaryLevel.THREAD: NodeKind.SUMMARY, SummaryLevel.PROFILE: NodeKind.SUMMARY}


def check_write(write: ConsolidationWrite) -> None:
    """Refuses summaries that do not say what they rest on, or say too much. Raises InvalidArgument."""
    ids = [summary.id for summary in write.summaries]
    if len({*ids, *write.retire_ids}) < len(ids) + len(write.retire_ids):
        raise InvalidArgument.of("summaries", "one is written twice, or written and retired")
    for number, summary in enumerate(write.summaries):
        problem = _problem(summary)
        if problem:
            raise InvalidArgument.of(f"summaries[{number}]", problem)


def _problem(summary: Summary) -> str:
    members = set(summary.member_ids)
    if not members or len(members) < len(summary.member_ids):
        return "has no members, or one twice"
    if any(kind_of(member) is not _MEMBERS[summary.level] for member in members) or summary.id in members:
        return "has a member that is not of the level below"
    if summary.level is SummaryLevel.WINDOW and len(summary.sessions) != 1:
        return "is a window and must be of one session"
    if any(not sentence.source_ids or not members.issuperset(sentence.source_ids) for sentence in summary.sentences):
        return "has a sentence that rests on none of its members, or on others"
    if len(summary.title) > MAX_TITLE or len(summary.sentences) > MAX_SENTENCES:
        return f"has a title of more than {MAX_TITLE} characters, or more than {MAX_SENTENCES} sentences"
    if any(not sentence.text or len(sentence.text) > MAX_SENTENCE for sentence in summary.sentences):
        return f"has an empty sentence, or one of more than {MAX_SENTENCE} characters"
    return ""


def expected_namespace(write: ConsolidationWrite, generation: int, removed: int) -> None:
    """Lets a write pass that is of what the namespace holds. `removed`: the revision of its last deletion. Raises StaleWrite."""
    if generation != write.generation:
        raise StaleWrite("another generation has begun")
    if removed > write.revision:
        raise StaleWrite("something was deleted meanwhile")


def require_free(owners: Mapping[str, str], write: ConsolidationWrite) -> None:
    """Lets a write pass whose members are of no other summary. `owners`: the summary of each member that has one. Raises StaleWrite."""
    gone = {*write.retire_ids, *(summary.id for summary in write.summaries)}
    if any(owner not in gone for owner in owners.values()):
        raise StaleWrite("another summary tells of it by now")
    members = [member for summary in write.summaries for member in summary.member_ids]
    if len(set(members)) < len(members):
        raise InvalidArgument.of("summaries", "two tell of the same")


def require_levels(write: ConsolidationWrite, known: Mapping[str, SummaryLevel], profiles: Iterable[str]) -> None:
    """Lets a write pass whose summaries tell of the level below, and that leaves one profile. Raises InvalidArgument.

    `known`: the levels of the members that are there already; `profiles`: the ids of the profiles that are.
    """
    levels = {**known, **{summary.id: summary.level for summary in write.summaries}}
    for number, summary in enumerate(write.summaries):
        if summary.level is not SummaryLevel.WINDOW and any(levels.get(id_) != summary.level - 1 for id_ in summary.member_ids):
            raise InvalidArgument.of(f"summaries[{number}]", "has a member that is not of the level below")
    written = [summary.id for summary in write.summaries if summary.level is SummaryLevel.PROFILE]
    if len({*profiles, *written} - {*write.retire_ids}) > 1 and written:
        raise second_profile("summaries")


def second_profile(field: str) -> InvalidArgument:
    """The error of a profile beside another one."""
    return InvalidArgument.of(field, "has a second profile")


def with_calls(write: ConsolidationWrite, owners: Mapping[str, str], shared: Mapping[str, Collection[str]]) -> tuple[Summary, ...]:
    """The summaries of a write with the marks that they take over from those in whose place they are, or whose members they take.

    Another summary of such a call may still repeat what these rest on, and a deletion has to find it.

    Args:
        owners: the summary of each member that has one.
        shared: the marks of the summaries that are rewritten or go, as far as one that stays has them, too.
    """
    made = []
    for summary in write.summaries:
        before = dict.fromkeys((summary.id, *(owners[member] for member in summary.member_ids if member in owners)))
        made.append(replace(summary, calls=tuple(sorted({*summary.calls, *(call for id_ in before for call in shared.get(id_, ()))}))))
    return tuple(made)


def emptied_body(body: Mapping[str, Any], level: SummaryLevel) -> dict[str, Any]:
    """What is left of the `stored_body` of a summary when something below it was deleted: its place, without a word.

    A window keeps the name of its session, which is its place.
    """
    sessions = body["sessions"] if level is SummaryLevel.WINDOW else []
    return {**body, "title": "", "sentences": [], "names": [], "sessions": sessions}


def stored_body(summary: Summary) -> dict[str, Any]:
    """What no query asks for of a summary, as JSON values."""
    return {
        "title": summary.title,
        "sentences": [[sentence.text, list(sentence.source_ids)] for sentence in summary.sentences],
        "time": [to_micros(summary.time.start), to_micros(summary.time.end), int(summary.time.granularity), summary.time.expression],
        "consolidated_at": to_micros(summary.consolidated_at),
        "consolidator": summary.consolidator,
        "sessions": list(summary.sessions),
        "names": list(summary.names),
        "calls": list(summary.calls),
    }


def summary_of(body: Mapping[str, Any], **told: Any) -> Summary:
    """The summary of a `stored_body`; `told` are the fields that stand elsewhere."""
    start, end, granularity, expression = body["time"]
    return Summary(
        title=body["title"],
        sentences=tuple(SummarySentence(text, tuple(sources)) for text, sources in body["sentences"]),
        time=TimeSpan(from_micros(start), from_micros(end), Granularity(granularity), expression),
        consolidated_at=from_micros(body["consolidated_at"]),
        consolidator=body["consolidator"],
        sessions=tuple(body["sessions"]),
        names=tuple(body["names"]),
        calls=tuple(body["calls"]),
        **told,
    )


def seed_of(event_id: str, properties: Mapping[str, str]) -> Seed:
    """A seed as its edge tells of it."""
    return Seed(event_id, float(properties.get("similarity", "0")))


def referred_ids(summaries: Iterable[Summary]) -> set[str]:
    """The ids of all members and seeds."""
    return {id_ for summary in summaries for id_ in (*summary.member_ids, *(seed.event_id for seed in summary.seeds))}
