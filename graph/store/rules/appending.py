"""An append: what identifies it, which of its messages are new, and what the answer is."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from graph.errors import DuplicateMessage, InvalidArgument
from graph.model import EmbeddingSpec, IdSource, Message, MessageVersion, from_micros, to_micros
from graph.store.memory_rows import MemoryRow, memory_rows, source_of
from graph.store.port import AppendCommand, AppendedMessage, AppendOutcome, Float16Vector, MessageDraft
from graph.store.rules.requests import body_digest
from graph.store.rules.spec_rules import takes_client_vectors
from graph.store.rules.vector_checks import checked_vector

# Of all versions of a message, in UTF-8: as much as of one.
MOST_VERSION_BYTES = 3_000_000
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
    """What an append does to its session: `fresh` messages, with their seqs, are stored; `answers` are for all, in the command's order.

    `edits` take the place of messages that are there, with their ids and seqs; of `late` ones only what they said before is another.
    """

    fresh: tuple[AnalysedMessage, ...]
    answers: tuple[AppendedMessage, ...]
    edits: tuple[AnalysedMessage, ...] = ()
    late: tuple[Message, ...] = ()

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
    sent = [draft.client_id, draft.speaker, int(draft.role), draft.text, sent_at, dict(draft.labels), draft.image_caption, vector]
    return sent if draft.edited_at is None else [*sent, to_micros(draft.edited_at)]


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
        edited_at=draft.edited_at,
    )


def planned_append(last_seq: int, known: Mapping[str, Message], analysed: list[AnalysedMessage]) -> AppendPlan:
    """Plans an append to a session whose last message had this seq. `known`: its messages by client_id, those of the command at least.

    Raises:
        DuplicateMessage: messages have the client_ids of others, and other content; which ones the metadata's `positions` say.
    """
    seen = dict(known)
    # By id, so that a message that is new and edited in one command is stored once.
    fresh: dict[str, AnalysedMessage] = {}
    edits: dict[str, AnalysedMessage] = {}
    late: dict[str, Message] = {}
    answers: list[AppendedMessage] = []
    refused: list[int] = []
    for position, item in enumerate(analysed):
        client_id = item.message.client_id
        first = seen.get(client_id) if client_id else None
        if first is None:
            message = replace(item.message, seq=last_seq + len(fresh) + 1)
            fresh[message.id] = replace(item, message=message)
            answers.append(AppendedMessage(message.id, message.seq, client_id, duplicate=False))
            if client_id:
                seen[client_id] = message
        elif _is_repeat(first, item):
            answers.append(AppendedMessage(first.id, first.seq, client_id, duplicate=True))
        elif item.message.edited_at is None or _frame(first, item) != _frame(item.message, item):
            refused.append(position)
        else:
            message = edited(first, item.message)
            _require_room(position, message)
            kept = fresh if first.id in fresh else edits
            if _says(message) == _says(item.message):
                kept[first.id] = replace(item, message=message)
            elif first.id in kept:
                kept[first.id] = replace(kept[first.id], message=message)
            else:
                late[first.id] = message
            answers.append(AppendedMessage(first.id, first.seq, client_id, duplicate=False, edited=True))
            seen[client_id] = message
    if refused:
        raise _reused([analysed[position].message.client_id for position in refused], refused)
    late = {id_: message for id_, message in late.items() if id_ not in edits}
    return AppendPlan(tuple(fresh.values()), tuple(answers), tuple(edits.values()), tuple(late.values()))


def edited(first: Message, other: Message) -> Message:
    """The message with another version of it: the latest is what it says, the others are kept, in the order in which they were written."""
    versions = [*first.versions, _version(first), _version(other)]
    *before, last = sorted(versions, key=lambda one: one.written_at)
    return replace(
        first,
        text=last.text,
        labels=last.labels,
        image_caption=last.image_caption,
        edited_at=last.written_at,
        versions=tuple(before),
    )


def _require_room(position: int, message: Message) -> None:
    """Refuses a version with which a message could not be read again as a whole. Raises InvalidArgument."""
    versions = (_version(message), *message.versions)
    size = sum(len(one.text.encode()) + len(one.image_caption.encode()) for one in versions)
    if size > MOST_VERSION_BYTES:
        told = f"with its earlier versions the message may have at most {MOST_VERSION_BYTES:,} bytes in UTF-8; it would have {size:,}"
        raise InvalidArgument.of(f"messages[{position}].text", told)


def _version(message: Message) -> MessageVersion:
    return MessageVersion(message.text, message.edited_at or message.sent_at, message.labels, message.image_caption)


def _says(message: Message | MessageVersion) -> tuple[object, ...]:
    """What an edit may change."""
    return (message.text, dict(message.labels), message.image_caption)


def _frame(message: Message, judged: AnalysedMessage) -> tuple[object, ...]:
    """What an edit may not change: of its time, only one that the writer gave."""
    return (message.speaker, message.role, None if judged.sent_at_assumed else to_micros(message.sent_at))


def _is_repeat(first: Message, item: AnalysedMessage) -> bool:
    """Whether the message, or one of its versions, says all this already: what was exported before an edit may be imported again."""
    said = [_says(version) for version in (_version(first), *first.versions)]
    return _frame(first, item) == _frame(item.message, item) and _says(item.message) in said


def _reused(client_ids: Sequence[str], positions: Sequence[int]) -> DuplicateMessage:
    told = "a message with this client_id and other content is in the session"
    others = f"; of the request, so it is with {len(positions):,} messages" if len(positions) > 1 else ""
    metadata = {"client_id": client_ids[0], "positions": ",".join(map(str, positions[:_TOLD_POSITIONS]))}
    return DuplicateMessage(f"{told}{others}", metadata=metadata)


def stored_outcome(outcome: AppendOutcome) -> list[Any]:
    """The outcome as JSON values, for repeats of the request."""
    messages = [[answer.id, answer.seq, answer.client_id, answer.duplicate, answer.edited] for answer in outcome.messages]
    return [messages, outcome.revision, outcome.job_id]


def outcome_of(stored: list[Any], uid: str) -> AppendOutcome:
    """The outcome that `stored_outcome` made, of the namespace with this uid."""
    messages, revision, job_id = stored
    return AppendOutcome(tuple(AppendedMessage(*values) for values in messages), revision, job_id, uid)


def stored_versions(message: Message) -> list[list[Any]]:
    """Earlier versions of a message as JSON values."""
    return [[version.text, to_micros(version.written_at), dict(version.labels), version.image_caption] for version in message.versions]


def versions_of(stored: Sequence[Sequence[Any]]) -> tuple[MessageVersion, ...]:
    """The versions that `stored_versions` made."""
    return tuple(MessageVersion(said, from_micros(at), labels, caption) for said, at, labels, caption in stored)
