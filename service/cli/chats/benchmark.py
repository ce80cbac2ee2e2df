"""The neutral benchmark format: `{"conversations": [{"id", "sessions": [{"id", "started_at", "messages": [...]}]}]}`."""

from typing import Any

from pydantic import BaseModel, ConfigDict, ValidationError

from service.cli.chats.chat import Chat, ChatLine, LineProblem
from service.cli.chats.entries import GivenName, MessageEntry, Name, with_id
from service.cli.chats.reasons import reason_of
from service.cli.counts import counted


class _Session(BaseModel):
    model_config = ConfigDict(extra="ignore")
    id: GivenName
    messages: list[Any]


class _Conversation(BaseModel):
    model_config = ConfigDict(extra="ignore")
    id: Name
    sessions: list[Any]


class _File(BaseModel):
    model_config = ConfigDict(extra="ignore")
    conversations: list[_Conversation]


class NoSuchConversation(ValueError):
    """The file has several conversations, or not the one that was named; says which there are."""


def read_benchmark(document: Any, conversation: str | None) -> Chat:
    """Reads one conversation of a benchmark file. Times without an offset are UTC.

    Raises:
        NoSuchConversation: `conversation` does not choose one.
        ValueError: the file, or a conversation, has another form.
    """
    try:
        file = _File.model_validate(document)
    except ValidationError as error:
        raise ValueError(reason_of(error)) from None
    chosen = _chosen(file.conversations, conversation)
    found: list[ChatLine] = []
    problems: list[LineProblem] = []
    for number, given in enumerate(chosen.sessions, start=1):
        try:
            session = _Session.model_validate(given)
        except ValidationError as error:
            problems.append(LineProblem(with_id(f"session {number}", given), reason_of(error)))
            continue
        for position, entry in enumerate(session.messages, start=1):
            place = f"session {session.id if session.id.isprintable() else number}, message {position}"
            try:
                found.append(ChatLine(place, session.id, MessageEntry.model_validate(entry).message()))
            except ValidationError as error:
                problems.append(LineProblem(with_id(place, entry), reason_of(error)))
    return Chat(tuple(found), tuple(problems), time_zone="UTC")


def _chosen(conversations: list[_Conversation], name: str | None) -> _Conversation:
    names = ", ".join(conversation.id for conversation in conversations[:20]) + (", ..." if len(conversations) > 20 else "")
    if name is None:
        if len(conversations) == 1:
            return conversations[0]
        raise NoSuchConversation(f"the file has {counted(len(conversations), 'conversation')}; choose one with --conversation: {names}")
    for conversation in conversations:
        if conversation.id == name:
            return conversation
    raise NoSuchConversation(f'the file has no conversation "{name}"; it has {names}')
