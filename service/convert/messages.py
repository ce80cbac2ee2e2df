"""Messages as their writer gives them, from the contract."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from zoneinfo import ZoneInfo

import numpy as np
from structmem.v1 import memory_service_pb2

from graph.model import MAX_NAME_LENGTH, Namespace, Role
from graph.store.port import MessageDraft
from service.validate import Violations, enum_value, instant, local_time, numbers, text, vector

MAX_MESSAGES = 1000
MAX_TEXT = 1_000_000
# Of a text and its caption in UTF-8: with everything beside them a message then fits an answer of 3 MiB, `max_send_mb`.
MAX_TEXT_BYTES = 3_000_000
MAX_SPEAKER = MAX_NAME_LENGTH
MAX_CAPTION = 20_000
MAX_CLIENT_ID = 200
MAX_LABELS = 32
MAX_LABEL_KEY = 100
MAX_LABEL_VALUE = 500


@dataclass(frozen=True, slots=True)
class Circumstances:
    """What a message is read in: its namespace, the zone of local times, the time of receipt and the embedder that the service runs.

    `namespace` is None while it is about to be created, and where no message has a vector. `is_known`: False where the request is refused
    already, so that nothing was looked up, and of a vector only its numbers can be judged.
    """

    namespace: Namespace | None
    zone: ZoneInfo | None
    received_at: datetime
    served_fingerprint: str
    is_known: bool = True


def drafts_from_proto(
    found: Violations, field: str, messages: Sequence[memory_service_pb2.MessageInput], circumstances: Circumstances
) -> tuple[MessageDraft, ...]:
    """The messages of one request; `field` is where they stand in it."""
    if not 1 <= len(messages) <= MAX_MESSAGES:
        found.add(field, f"must hold 1 to {MAX_MESSAGES:,} messages; it holds {len(messages):,}")
        return ()
    drafts = tuple(_draft(found, f"{field}[{index}]", message, circumstances) for index, message in enumerate(messages))
    first: dict[str, int] = {}
    for index, message in enumerate(messages):
        if message.HasField("edited_at"):
            continue
        if message.client_id and messages[first.setdefault(message.client_id, index)] != message:
            found.add(f"{field}[{index}].client_id", f"repeats that of {field}[{first[message.client_id]}] with other content")
    return drafts


def _draft(found: Violations, field: str, message: memory_service_pb2.MessageInput, circumstances: Circumstances) -> MessageDraft:
    embedding = None
    if message.HasField("embedding"):
        if not circumstances.is_known:
            numbers(found, f"{field}.embedding.values", message.embedding.values)
        elif circumstances.namespace is None:
            found.add(f"{field}.embedding", "a namespace created on the way has the service's own vectors; create it first")
        else:
            values = message.embedding.values
            embedding = vector(found, f"{field}.embedding.values", values, circumstances.namespace, circumstances.served_fingerprint)
    within_bytes(found, field, message.text, message.image_caption)
    sent_at = _sent_at(found, field, message, circumstances)
    return MessageDraft(
        speaker=text(found, f"{field}.speaker", message.speaker, MAX_SPEAKER),
        role=enum_value(found, f"{field}.role", message.role, Role) or Role.USER,
        text=text(found, f"{field}.text", message.text, MAX_TEXT),
        sent_at=sent_at,
        client_id=text(found, f"{field}.client_id", message.client_id, MAX_CLIENT_ID, required=False),
        labels=labels_from_proto(found, f"{field}.labels", dict(message.labels)),
        image_caption=text(found, f"{field}.image_caption", message.image_caption, MAX_CAPTION, required=False),
        embedding=None if embedding is None else embedding.astype(np.float16),
        sent_at_assumed=message.WhichOneof("sent") is None,
        edited_at=_edited_at(found, field, message, sent_at) if message.HasField("edited_at") else None,
    )


def _edited_at(found: Violations, field: str, message: memory_service_pb2.MessageInput, sent_at: datetime) -> datetime:
    if not message.client_id:
        found.add(f"{field}.edited_at", "needs a client_id, which tells of what message this is a version")
    edited_at = instant(found, f"{field}.edited_at", message.edited_at)
    if message.WhichOneof("sent") is not None and not found and edited_at < sent_at:
        found.add(f"{field}.edited_at", "is before the message was sent")
    return edited_at


def _sent_at(found: Violations, field: str, message: memory_service_pb2.MessageInput, circumstances: Circumstances) -> datetime:
    match message.WhichOneof("sent"):
        case "sent_at":
            return instant(found, f"{field}.sent_at", message.sent_at)
        case "sent_at_local":
            return local_time(found, f"{field}.sent_at_local", message.sent_at_local, circumstances.zone)
        case _:
            return circumstances.received_at


def within_bytes(found: Violations, field: str, said: str, caption: str) -> None:
    """A text and its caption that can be read again: whoever writes more than an answer holds would never get it back."""
    # Most texts are shorter than this in any script.
    if len(said) + len(caption) > MAX_TEXT_BYTES // 4:
        size = len(said.encode()) + len(caption.encode())
        if size > MAX_TEXT_BYTES:
            with_caption = " with its image_caption" if caption else ""
            found.add(f"{field}.text", f"must be at most {MAX_TEXT_BYTES:,} bytes in UTF-8{with_caption}; it has {size:,}")


def labels_from_proto(found: Violations, field: str, labels: dict[str, str]) -> dict[str, str]:
    """The labels of one message."""
    if len(labels) > MAX_LABELS:
        found.add(field, f"must hold at most {MAX_LABELS} labels; it holds {len(labels):,}")
        return {}
    for key, value in labels.items():
        text(found, f"{field}.key", key, MAX_LABEL_KEY)
        text(found, f"{field}[{key[:MAX_LABEL_KEY]}]", value, MAX_LABEL_VALUE, required=False)
    return labels
