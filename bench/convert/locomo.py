"""LoCoMo: one element of locomo10.json, a chat of two people in many sessions, in the neutral format.

Turns have no time of their own: they follow one another by 30 seconds from the session's. The authors' observations become facts, their
session summaries summaries.
"""

import re
from datetime import datetime, timedelta
from typing import Any

from bench.convert.left_out import LeftOut
from bench.fields import field_of, list_of, text_of
from bench.report import BenchError

# The numbers are those of the file, the names those of the paper (Maharana et al., ACL 2024).
CATEGORIES = {1: "multi-hop", 2: "temporal", 3: "open-domain", 4: "single-hop", 5: "adversarial"}
TURN_APART = timedelta(seconds=30)
_SESSION = re.compile(r"session_(\d+)")
_TIME = "%I:%M %p on %d %B, %Y"
# Evidence is written "D8:6", and besides "D8:6; D9:17", "D9:1 D4:4", "D:11:26" and "D30:05".
_TURN_ID = re.compile(r"D:?(\d+):(\d+)")


def locomo_conversation(raw: Any, place: str, left_out: LeftOut) -> dict[str, Any]:
    """The conversation of one element; `place` is where it stands. Raises BenchError with the place and what is wrong there."""
    id_ = text_of(raw, "sample_id", place)
    talk, where = field_of(raw, "conversation", place), f"{place}.conversation"
    sessions: list[dict[str, Any]] = []
    for number in sorted(int(found[1]) for key in _object(talk, where) if (found := _SESSION.fullmatch(key))):
        sessions.append(_session(talk, f"session_{number}", where, left_out))
    known: set[str] = set()
    for message in (message for session in sessions for message in session["messages"]):
        if message["id"] in known:
            raise BenchError(f"{where}: two turns have the dia_id {message['id']!r}")
        known.add(message["id"])
    if not known:
        raise BenchError(f"{where}: has no session with turns")
    asked = enumerate(list_of(raw, "qa", place))
    return {
        "id": id_,
        "sessions": sessions,
        "questions": [_question(one, f"{id_}-q{number}", f"{place}.qa[{number}]", known, left_out) for number, one in asked],
        "facts": _facts(raw, place, known, left_out),
        "summaries": _summaries(raw, place, left_out),
    }


def _session(talk: Any, name: str, place: str, left_out: LeftOut) -> dict[str, Any]:
    started_at = _time(text_of(talk, f"{name}_date_time", place), f"{place}.{name}_date_time")
    messages: list[dict[str, Any]] = []
    for number, turn in enumerate(list_of(talk, name, place)):
        where = f"{place}.{name}[{number}]"
        text = left_out.storable(text_of(turn, "text", where, default=""))
        caption = left_out.storable(text_of(turn, "blip_caption", where, default=""))
        if not text.strip():
            left_out.count("turns without text")
            continue
        message = {
            "id": text_of(turn, "dia_id", where),
            "speaker": left_out.storable(text_of(turn, "speaker", where)),
            "role": "user",
            "text": text,
            "sent_at": (started_at + number * TURN_APART).isoformat(),
        }
        messages.append(message | ({"image_caption": caption} if caption.strip() else {}))
    return {"id": name, "started_at": started_at.isoformat(), "messages": messages}


def _time(text: str, place: str) -> datetime:
    try:
        return datetime.strptime(text.strip(), _TIME)
    except ValueError:
        raise BenchError(f'{place}: must be a time such as "1:56 pm on 8 May, 2023"; it is {text!r}') from None


def _question(raw: Any, id_: str, place: str, known: set[str], left_out: LeftOut) -> dict[str, Any]:
    number = field_of(raw, "category", place)
    if number not in CATEGORIES:
        raise BenchError(f"{place}.category: must be a number from 1 to 5; it is {number!r}")
    key = "adversarial_answer" if number == 5 and field_of(raw, "adversarial_answer", place) is not None else "answer"
    found = {
        "id": id_,
        "text": left_out.storable(text_of(raw, "question", place)),
        "category": CATEGORIES[number],
        # A few tricky questions have no answer; of the others each has one.
        "answer": left_out.storable(text_of(raw, key, place, default="" if number == 5 else None)),
    }
    evidence, unknown = _evidence(list_of(raw, "evidence", place), known)
    if unknown:
        # What is left of it must not be counted as all of it.
        left_out.count("evidence that names no turn", len(unknown))
        found["suspect"] = f"its evidence names no turn: {', '.join(unknown)}"
    return found | {"evidence": evidence}


def _evidence(written: list[Any], known: set[str]) -> tuple[list[str], list[str]]:
    """The ids of turns, each once, and what is none."""
    ids: list[str] = []
    unknown: list[str] = []
    for part in map(str, written):
        named = [f"D{int(session)}:{int(turn)}" for session, turn in _TURN_ID.findall(part)]
        ids += [id_ for id_ in named if id_ in known]
        unknown += [id_ for id_ in named if id_ not in known] if named else [repr(part)]
    return list(dict.fromkeys(ids)), unknown


def _facts(raw: Any, place: str, known: set[str], left_out: LeftOut) -> list[dict[str, Any]]:
    facts: list[dict[str, Any]] = []
    for key, by_speaker in _by_session(raw, "observation", place):
        where = f"{place}.observation.{key}"
        for speaker in _object(by_speaker, where):
            for number, one in enumerate(list_of(by_speaker, speaker, where)):
                if not isinstance(one, list) or len(one) != 2 or not isinstance(one[0], str):
                    raise BenchError(f"{where}.{speaker}[{number}]: must be a list of a text and the ids of turns")
                named = one[1] if isinstance(one[1], list) else [one[1]]
                evidence, _ = _evidence(named, known)
                if evidence and one[0].strip():
                    facts.append({"text": left_out.storable(one[0]), "speaker": left_out.storable(speaker), "evidence": evidence})
                else:
                    left_out.count("observations whose evidence names no turn")
    return facts


def _summaries(raw: Any, place: str, left_out: LeftOut) -> list[dict[str, str]]:
    return [
        {"session": key.removesuffix("_summary"), "text": left_out.storable(str(text))}
        for key, text in _by_session(raw, "session_summary", place)
    ]


def _by_session(raw: Any, key: str, place: str) -> list[tuple[str, Any]]:
    """What stands under `session_N_...`, in order of the sessions; nothing where the file leaves the whole out."""
    found = field_of(raw, key, place)
    if not found:
        return []
    numbered = [(int(match[1]), name) for name in _object(found, f"{place}.{key}") if (match := _SESSION.match(name))]
    return [(name, found[name]) for _, name in sorted(numbered)]


def _object(value: Any, place: str) -> dict[str, Any]:
    if not isinstance(value, dict):
        raise BenchError(f"{place}: must be an object")
    return value
