"""An append: what identifies it, which of its messages are new, and what the answer is."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from graph.errors import DuplicateMessage, InvalidArgument
from graph.model import EmbeddingSpec, IdSource, Message, to_micros
from graph.store.memory_rows import MemoryRow, memory_rows, source_of
from graph.store.port import AppendCommand, AppendedMessage, AppendOutcome, Float16Vector, MessageDraft
from graph.store.rules.requests import body_digest
from graph.store.rules.spec_rules import takes_client_vectors
from graph.store.rules.vector_checks import checked_vector

# Positions of refused messages that an error tells: what travels beside a status has little room.
_TOLD_POSITIONS = 200


@dataclass(frozen=True, slots=True)
class AnalysedMessage:
    """A message to append with the columns that searches read. Its `seq` is 0 until the append is planned."""

    message: Message
    columns: MemoryRow
    embedding: Float16Vector | None
    sent_at_assumed: bool


@dataclass(frozen=True, slots=True)
class AppendPlan:
    """What an append does to its session: `fresh` messages, with their seqs, are stored; `answers` are for all, in the command's order."""

    fresh: tuple[AnalysedMessage, ...]
    answers: tuple[AppendedMessage, ...]

    @property
    def last_seq(self) -> int:
        """The greatest seq among the answers; 0 when there are none."""
        return max((answer.seq for answer in self.answers), default=0)

    @property
    def sent_at(self) -> tuple[int, int]:
        """When the first and the last of the fresh messages were sent, microseconds since 1970. There must be one."""
        times = [to_micros(item.message.sent_at) for item in self.fresh]
        return min(times), max(times)

    @property
    def speakers(self) -> Counter[str]:
        """How many of the fresh messages each speaker said."""
        return Counter(item.message.speaker for item in self.fresh)

    def outcome(self, revision: int, job_id: str, uid: str) -> AppendOutcome:
        """The answer to the append."""
        return AppendOutcome(self.answers, revision, job_id, uid)


def check_embeddings(spec: EmbeddingSpec, command: AppendCommand) -> None:
    """Refuses vectors that the namespace does not take. Raises InvalidArgument."""
    for index, draft in enumerate(command.messages):
        if draft.embedding is None:
            continue
        field = f"messages[{index}].embedding"
        if not takes_client_vectors(spec):
            raise InvalidArgument.of(field, "the namespace's vectors do not come with its messages")
        checked_vector(draft.embedding, spec.dimension, field)


def append_digest(command: AppendCommand) -> bytes:
    """Identifies the command; empty when it has no request id. A time that nobody gave is no part of it."""
    if not command.request_id:
        return b""
    return body_digest("append", command.session, command.time_zone, [_sent(draft) for draft in command.messages])


def _sent(draft: MessageDraft) -> list[object]:
    sent_at = to_micros(draft.sent_at) if not draft.sent_at_assumed else None
    vector = None if draft.embedding is None else draft.embedding.tobytes().hex()
    return [draft.client_id, draft.speaker, int(draft.role), draft.text, sent_at, dict(draft.labels), draft.image_caption, vector]


def analysed_messages(command: AppendCommand, ids: IdSource, zone: str) -> list[AnalysedMessage]:
    """The command's messages, analysed in this time zone ("" is UTC). It takes the processor's time; no transaction should wait for it."""
    messages = [_message(draft, ids.mint("msg"), command.session) for draft in command.messages]
    rows = memory_rows(source_of(message, zone) for message in messages)
    return [
        AnalysedMessage(message, row, draft.embedding, draft.sent_at_assumed)
        for message, row, draft in zip(messages, rows, command.messages, strict=True)
    ]


def _message(draft: MessageDraft, id_: str, session: str) -> Message:
    return Message(
        id=id_,
        session=session,
        seq=0,
        speaker=draft.speaker,
        role=draft.role,
        text=draft.text,
        sent_at=draft.sent_at,
        recorded_at=draft.sent_at,
        client_id=draft.client_id,
        labels=draft.labels,
        image_caption=draft.image_caption,
    )


def planned_append(last_seq: int, known: Mapping[str, Message], analysed: list[AnalysedMessage]) -> AppendPlan:
    """Plans an append to a session whose last message had this seq. `known`: its messages by client_id, those of the command at least.

    Raises:
        DuplicateMessage: messages have the client_ids of others, and other content; which ones the metadata's `positions` say.
    """
    seen = dict(known)
    fresh: list[AnalysedMessage] = []
    answers: list[AppendedMessage] = []
    refused: list[int] = []
    for position, item in enumerate(analysed):
        client_id = item.message.client_id
        first = seen.get(client_id) if client_id else None
        if first is None:
            message = replace(item.message, seq=last_seq + len(fresh) + 1)
            fresh.append(replace(item, message=message))
            answers.append(AppendedMessage(message.id, message.seq, client_id, duplicate=False))
            if client_id:
                seen[client_id] = message
        elif _content(first, item) != _content(item.message, item):
            refused.append(position)
        else:
            answers.append(AppendedMessage(first.id, first.seq, client_id, duplicate=True))
    if refused:
        raise _reused([analysed[position].message.client_id for position in refused], refused)
    return AppendPlan(tuple(fresh), tuple(answers))


def _reused(client_ids: Sequence[str], positions: Sequence[int]) -> DuplicateMessage:
    told = "a message with this client_id and other content is in the session"
    others = f"; of the request, so it is with {len(positions):,} messages" if len(positions) > 1 else ""
    metadata = {"client_id": client_ids[0], "positions": ",".join(map(str, positions[:_TOLD_POSITIONS]))}
    return DuplicateMessage(f"{told}{others}", metadata=metadata)


def _content(message: Message, judged: AnalysedMessage) -> tuple[object, ...]:
    """What must be equal in a repeat of a message: of its time, only one that the writer gave."""
    sent_at = None if judged.sent_at_assumed else to_micros(message.sent_at)
    return (message.speaker, message.role, message.text, dict(message.labels), message.image_caption, sent_at)


def stored_outcome(outcome: AppendOutcome) -> list[Any]:
    """The outcome as JSON values, for repeats of the request."""
    messages = [[answer.id, answer.seq, answer.client_id, answer.duplicate] for answer in outcome.messages]
    return [messages, outcome.revision, outcome.job_id]


def outcome_of(stored: list[Any], uid: str) -> AppendOutcome:
    """The outcome that `stored_outcome` made, of the namespace with this uid."""
    messages, revision, job_id = stored
    return AppendOutcome(tuple(AppendedMessage(*values) for values in messages), revision, job_id, uid)
