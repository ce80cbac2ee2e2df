"""Appending messages to a session."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Protocol

from graph.model import (
    Role,
)
from graph.store.port.extracting import Float16Vector


@dataclass(frozen=True, slots=True)
class MessageDraft:
    """A message to append, already validated. `embedding` (float16, unit length) only for namespaces with client vectors.

    `edited_at`: when its writer wrote this version of it; such a one takes the place of an older one with its client_id.
    `sent_at_assumed`: its writer gave no time, so `sent_at` is when it was received and does not count as content: a repeat of the message
    or of the request is the same although it was received later.
    """

    speaker: str
    role: Role
    text: str
    sent_at: datetime
    client_id: str = ""
    labels: Mapping[str, str] = field(default_factory=dict)
    image_caption: str = ""
    embedding: Float16Vector | None = None
    sent_at_assumed: bool = False
    edited_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class AppendCommand:
    """Messages for the end of a session. `idle` is how long the extraction may wait for more of them."""

    session: str
    messages: tuple[MessageDraft, ...]
    idle: timedelta
    time_zone: str = ""
    request_id: str = ""


@dataclass(frozen=True, slots=True)
class AppendedMessage:
    """Where a message went. `duplicate`: it was there already, with the same client_id and content; `edited`: it is a new version."""

    id: str
    seq: int
    client_id: str
    duplicate: bool
    edited: bool = False


@dataclass(frozen=True, slots=True)
class AppendOutcome:
    """The answer to an append: messages in the order of the command. `job_id` is empty when nothing is left to do.

    `namespace_uid` spares the caller, who needs it for the consistency token, a read of the namespace.
    """

    messages: tuple[AppendedMessage, ...]
    revision: int
    job_id: str
    namespace_uid: str = ""


class Appends(Protocol):
    """Appending messages to a session."""

    async def append(self, command: AppendCommand) -> AppendOutcome:
        """Stores messages, their passages and edges and the extraction work, in one transaction.

        The session is created when it is not there. A message whose client_id is known with the same content is answered as a duplicate.
        The session's job that nobody has leased yet is used, or one is created. It is due at once, for the vectors' sake, unless
        its attempts have failed; now + idle is until when its half-full buffer waits for more messages (`PendingWork.idle_until`).
        A repeat of a request_id within 24 hours returns the first answer. A message with `edited_at` whose client_id is known with other
        content is a new version of that one, which keeps its id and place: what it said before is kept (`Message.versions`), all that was
        made of it goes as with a deletion, and what stays is extracted anew. One that comes after a later version is kept among those.

        Raises:
            RequestReused, DuplicateMessage: the same id with other content. Nothing is stored then.
            InvalidArgument: the session has another time zone, or a vector has another dimension.
        """
        ...

    async def flush(self, session: str) -> tuple[str, ...]:
        """Marks the end of each session's messages as a durable segment boundary and makes their jobs due; "" means every session.

        Returns the ids of the jobs that cover what was waiting. Raises NotFound for an unknown session.
        """
        ...
