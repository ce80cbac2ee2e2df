"""The neutral benchmark format: conversations with questions whose evidence is known.

    {"name", "conversations": [
      {"id", "sessions": [{"id", "messages": [{"id", "speaker", "role", "text", "sent_at", "image_caption"?}]}],
       "questions": [{"id", "text", "category", "evidence": [message id], "suspect"?: reason, "asked_at"?, "session"?,
                      "answer"?}],
       "facts"?: [{"text", "speaker", "evidence": [message id]}]}]}

A time without a zone is read as UTC. A question with `asked_at` was asked then: what was said later does not count. One with `session` is a
turn of that session, which does not count either. What else an object carries is ignored.
"""

import json
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from bench.report import BenchError

ROLES = frozenset({"user", "assistant", "system", "tool"})


@dataclass(frozen=True, slots=True)
class ChatMessage:
    """One turn. `id` is unique in its conversation."""

    id: str
    speaker: str
    role: str
    text: str
    sent_at: datetime
    image_caption: str = ""


@dataclass(frozen=True, slots=True)
class ChatSession:
    """Turns in their order."""

    id: str
    messages: tuple[ChatMessage, ...]


@dataclass(frozen=True, slots=True)
class Question:
    """A question, and the ids of the messages that together answer it. `suspect` says why it should not be counted.

    `asked_at`: only what was said before counts; None: it is asked at the end. `session`: the one of which it is a turn, or "".
    `answer`: the right one in words, or "".
    """

    id: str
    text: str
    category: str
    evidence: tuple[str, ...]
    suspect: str = ""
    asked_at: datetime | None = None
    session: str = ""
    answer: str = ""

    @property
    def counted(self) -> bool:
        """Whether the question can be judged: it has evidence, nothing is wrong with it, and it is not a trick."""
        return bool(self.evidence) and not self.suspect and self.category != "adversarial"


@dataclass(frozen=True, slots=True)
class RecordedFact:
    """A fact that somebody extracted before, with the ids of the messages it rests on."""

    text: str
    speaker: str
    evidence: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Conversation:
    """One chat of several sessions, which goes into a namespace of its own."""

    id: str
    sessions: tuple[ChatSession, ...]
    questions: tuple[Question, ...]
    facts: tuple[RecordedFact, ...] = ()

    @property
    def messages(self) -> tuple[ChatMessage, ...]:
        """All turns, in order."""
        return tuple(message for session in self.sessions for message in session.messages)

    def seen_by(self, question: Question) -> frozenset[str]:
        """The ids of the messages that count for a question: said before it was asked, and not in its own session."""
        return frozenset(
            message.id
            for session in self.sessions
            if session.id != question.session
            for message in session.messages
            if question.asked_at is None or message.sent_at < question.asked_at
        )


@dataclass(frozen=True, slots=True)
class Dataset:
    """A file in the neutral format."""

    name: str
    conversations: tuple[Conversation, ...]


def read_dataset(path: Path) -> Dataset:
    """Reads a file.

    Raises:
        BenchError: it cannot be read or is not in the format; says where.
    """
    try:
        document = json.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise BenchError(f"cannot read {path}: {error.strerror}") from error
    except ValueError as error:
        raise BenchError(f"{path} is not JSON: {error}") from error
    conversations = tuple(_conversation(value, f"conversations[{i}]") for i, value in enumerate(_list(document, "conversations", "")))
    if not conversations:
        raise BenchError(f"{path}: conversations: is empty")
    return Dataset(_text(document, "name", "", default=path.stem), conversations)


def _conversation(value: object, place: str) -> Conversation:
    sessions = tuple(_session(item, f"{place}.sessions[{i}]") for i, item in enumerate(_list(value, "sessions", place)))
    questions = tuple(_question(item, f"{place}.questions[{i}]") for i, item in enumerate(_list(value, "questions", place)))
    known: set[str] = set()
    for session in sessions:
        for message in session.messages:
            if message.id in known:
                raise BenchError(f"{place}: two messages have the id {message.id!r}")
            known.add(message.id)
    for question in questions:
        unknown = [id_ for id_ in question.evidence if id_ not in known]
        if question.counted and unknown:
            raise BenchError(f"{place}: question {question.id!r} names evidence {unknown[0]!r}, which is no message")
    facts: tuple[RecordedFact, ...] = ()
    if _field(value, "facts", place):
        facts = tuple(_fact(item, f"{place}.facts[{i}]", known) for i, item in enumerate(_list(value, "facts", place)))
    return Conversation(_text(value, "id", place), sessions, questions, facts)


def _session(value: object, place: str) -> ChatSession:
    messages = tuple(_message(item, f"{place}.messages[{i}]") for i, item in enumerate(_list(value, "messages", place)))
    return ChatSession(_text(value, "id", place), messages)


def _message(value: object, place: str) -> ChatMessage:
    role = _text(value, "role", place, default="user")
    if role not in ROLES:
        raise BenchError(f"{place}.role: must be one of {', '.join(sorted(ROLES))}")
    sent_at = _time(value, "sent_at", place)
    caption = _text(value, "image_caption", place, default="")
    return ChatMessage(_text(value, "id", place), _text(value, "speaker", place), role, _text(value, "text", place), sent_at, caption)


def _question(value: object, place: str) -> Question:
    evidence = tuple(dict.fromkeys(str(id_) for id_ in _list(value, "evidence", place)))
    suspect = _text(value, "suspect", place, default="")
    category, session = _text(value, "category", place, default=""), _text(value, "session", place, default="")
    asked_at = _time(value, "asked_at", place) if _field(value, "asked_at", place) else None
    answer = str(_field(value, "answer", place) or "")  # a number in some files
    return Question(_text(value, "id", place), _text(value, "text", place), category, evidence, suspect, asked_at, session, answer)


def _time(value: object, key: str, place: str) -> datetime:
    try:
        moment = datetime.fromisoformat(_text(value, key, place))
    except ValueError as error:
        raise BenchError(f"{place}.{key}: is no ISO 8601 time") from error
    return moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment.astimezone(UTC)


def _fact(value: object, place: str, known: set[str]) -> RecordedFact:
    evidence = tuple(dict.fromkeys(str(id_) for id_ in _list(value, "evidence", place)))
    if not evidence or not known.issuperset(evidence):
        raise BenchError(f"{place}.evidence: must name messages of the conversation, at least one")
    return RecordedFact(_text(value, "text", place), _text(value, "speaker", place), evidence)


def _field(value: object, key: str, place: str) -> Any:
    if not isinstance(value, dict):
        raise BenchError(f"{place or 'the document'}: must be an object")
    return value.get(key)


def _list(value: object, key: str, place: str) -> list[Any]:
    found = _field(value, key, place)
    if not isinstance(found, list):
        raise BenchError(f"{place}.{key}: must be a list".lstrip("."))
    return found


def _text(value: object, key: str, place: str, default: str | None = None) -> str:
    found = _field(value, key, place)
    if found is None and default is not None:
        return default
    if not isinstance(found, (str, int, bool)) or (found == "" and default is None):
        raise BenchError(f"{place}.{key}: must be a text".lstrip("."))
    return str(found)
