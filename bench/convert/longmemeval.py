"""LongMemEval: one element of longmemeval_s.json, _m.json or _oracle.json, a question with its own haystack, in the neutral format.

Each question is a conversation of its own, whose sessions are put in order of time (in the oracle file they are not). Turns have no
time of their own: they follow one another by 30 seconds from the session's. Evidence are the turns that are marked; a question to
which there is no answer (its id has `_abs`) has none, as in the authors' own evaluation of retrieval.
"""

from datetime import datetime, timedelta
from typing import Any

from bench.convert.left_out import LeftOut
from bench.fields import field_of, list_of, text_of
from bench.report import BenchError

TURN_APART = timedelta(seconds=30)
_ABSTENTION = "_abs"
_TIMES = ("%Y/%m/%d (%a) %H:%M", "%Y/%m/%d %H:%M")
_ROLES = ("user", "assistant", "system")


def longmemeval_conversation(raw: Any, place: str, left_out: LeftOut) -> dict[str, Any]:
    """The conversation of one element; `place` is where it stands. Raises BenchError with the place and what is wrong there."""
    id_ = text_of(raw, "question_id", place)
    dates, ids, haystack = (list_of(raw, f"haystack_{part}", place) for part in ("dates", "session_ids", "sessions"))
    if not len(dates) == len(ids) == len(haystack):
        raise BenchError(
            f"{place}: haystack_dates, haystack_session_ids and haystack_sessions must be equally long; "
            f"they have {len(dates)}, {len(ids)} and {len(haystack)}"
        )
    evidence: list[str] = []
    sessions: list[dict[str, Any]] = []
    named: set[str] = set()
    for number, (date, name) in enumerate(zip(dates, ids, strict=True)):
        started_at = _time(date, f"{place}.haystack_dates[{number}]")
        unique = _unique(str(name), named)
        session, marked = _session(haystack[number], unique, started_at, f"{place}.haystack_sessions[{number}]", left_out)
        sessions.append(session)
        evidence += marked
    abstention = _ABSTENTION in id_
    question: dict[str, Any] = {
        "id": id_,
        "text": left_out.storable(text_of(raw, "question", place)),
        "category": text_of(raw, "question_type", place),
        "answer": left_out.storable(text_of(raw, "answer", place)),
        "asked_at": _time(field_of(raw, "question_date", place), f"{place}.question_date").isoformat(),
        "evidence": [] if abstention else evidence,
    }
    if abstention:
        question["abstention"] = True
    return {"id": id_, "sessions": sorted(sessions, key=lambda session: str(session["started_at"])), "questions": [question]}


def _unique(name: str, named: set[str]) -> str:
    """The session's id; a haystack may hold one twice."""
    unique, again = name, 1
    while unique in named:
        again += 1
        unique = f"{name}#{again}"
    named.add(unique)
    return unique


def _session(turns: Any, id_: str, started_at: datetime, place: str, left_out: LeftOut) -> tuple[dict[str, Any], list[str]]:
    """The session, and the ids of those of its messages that are marked as evidence."""
    if not isinstance(turns, list):
        raise BenchError(f"{place}: must be a list of turns")
    messages: list[dict[str, Any]] = []
    marked: list[str] = []
    for number, turn in enumerate(turns):
        where = f"{place}[{number}]"
        role = text_of(turn, "role", where)
        if role not in _ROLES:
            raise BenchError(f"{where}.role: must be one of {', '.join(_ROLES)}; it is {role!r}")
        text = left_out.storable(text_of(turn, "content", where, default=""))
        if not text.strip():
            left_out.count("turns without text")
            continue
        message = {"id": f"{id_}:{number}", "speaker": role, "role": role, "text": text}
        messages.append(message | {"sent_at": (started_at + number * TURN_APART).isoformat()})
        if field_of(turn, "has_answer", where) is True:
            marked.append(message["id"])
    return {"id": id_, "started_at": started_at.isoformat(), "messages": messages}, marked


def _time(text: Any, place: str) -> datetime:
    for form in _TIMES:
        try:
            return datetime.strptime(str(text).strip(), form)
        except ValueError:
            continue
    raise BenchError(f'{place}: must be a time such as "2023/05/20 (Sat) 02:21"; it is {text!r}')
