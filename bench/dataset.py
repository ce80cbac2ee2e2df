"""The neutral benchmark format: conversations with questions whose evidence is known.

    {"name", "conversations": [
      {"id", "sessions": [{"id", "messages": [{"id", "speaker", "role", "text", "sent_at", "image_caption"?}]}],
       "questions": [{"id", "text", "category", "evidence": [message id], "suspect"?: reason, "asked_at"?, "session"?,
                      "answer"?, "abstention"?}],
       "facts"?: [{"text", "speaker", "evidence": [message id]}]}]}

A time without a zone is read as UTC. A question with `asked_at` was asked then: what was said later does not count. One with `session` is a
turn of that session, which does not count either. What else an object carries is ignored.
"""

import json
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from bench.fields import field_of, list_of, text_of
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
    `answer`: the right one in words, or "". `abstention`: whether the right answer is that nothing was said of it, which `answer` explains.
    """

    id: str
    text: str
    category: str
    evidence: tuple[str, ...]
    suspect: str = ""
    asked_at: datetime | None = None
    session: str = ""
    answer: str = ""
    abstention: bool = False

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
    if isinstance(document, list):
        raise BenchError(f"{path} is an array: LoCoMo and LongMemEval as published go through `python -m bench convert` first")
    conversations = tuple(_conversation(value, f"conversations[{i}]") for i, value in enumerate(list_of(document, "conversations", "")))
    if not conversations:
        raise BenchError(f"{path}: conversations: is empty")
    return Dataset(text_of(document, "name", "", default=path.stem), conversations)


def _conversation(value: object, place: str) -> Conversation:
    sessions = tuple(_session(item, f"{place}.sessions[{i}]") for i, item in enumerate(list_of(value, "sessions", place)))
    questions = tuple(_question(item, f"{place}.questions[{i}]") for i, item in enumerate(list_of(value, "questions", place)))
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
    if field_of(value, "facts", place):
        facts = tuple(_fact(item, f"{place}.facts[{i}]", known) for i, item in enumerate(list_of(value, "facts", place)))
    return Conversation(text_of(value, "id", place), sessions, questions, facts)


def _session(value: object, place: str) -> ChatSession:
    messages = tuple(_message(item, f"{place}.messages[{i}]") for i, item in enumerate(list_of(value, "messages", place)))
    return ChatSession(text_of(value, "id", place), messages)


def _message(value: object, place: str) -> ChatMessage:
    role = text_of(value, "role", place, default="user")
    if role not in ROLES:
        raise BenchError(f"{place}.role: must be one of {', '.join(sorted(ROLES))}")
    sent_at = _time(value, "sent_at", place)
    caption = text_of(value, "image_caption", place, default="")
    return ChatMessage(text_of(value, "id", place), text_of(value, "speaker", place), role, text_of(value, "text", place), sent_at, caption)


def _question(value: object, place: str) -> Question:
    evidence = tuple(dict.fromkeys(str(id_) for id_ in list_of(value, "evidence", place)))
    suspect = text_of(value, "suspect", place, default="")
    category, session = text_of(value, "category", place, default=""), text_of(value, "session", place, default="")
    asked_at = _time(value, "asked_at", place) if field_of(value, "asked_at", place) else None
    answer = text_of(value, "answer", place, default="")  # a number in some files
    id_, text = text_of(value, "id", place), text_of(value, "text", place)
    return Question(id_, text, category, evidence, suspect, asked_at, session, answer, field_of(value, "abstention", place) is True)


def _time(value: object, key: str, place: str) -> datetime:
    try:
        moment = datetime.fromisoformat(text_of(value, key, place))
    except ValueError as error:
        raise BenchError(f"{place}.{key}: is no ISO 8601 time") from error
    return moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment.astimezone(UTC)


def _fact(value: object, place: str, known: set[str]) -> RecordedFact:
    evidence = tuple(dict.fromkeys(str(id_) for id_ in list_of(value, "evidence", place)))
    if not evidence or not known.issuperset(evidence):
        raise BenchError(f"{place}.evidence: must name messages of the conversation, at least one")
    return RecordedFact(text_of(value, "text", place), text_of(value, "speaker", place), evidence)
