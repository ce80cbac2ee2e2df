"""What callers give: messages to store, and filters of reads."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import TypeAlias

from structmem._kinds import EntityKind, NodeKind, Role


@dataclass(frozen=True, slots=True)
class NewMessage:
    """A message to store.

    Attributes:
        speaker: who speaks; 1 to 200 characters.
        text: what was said; 1 to 1,000,000 characters, and with `image_caption` at most 3,000,000 bytes in UTF-8.
        sent_at: when. An aware datetime is an instant; a naive one, or a string such as "2024-03-05T18:30:00", is a local time in the
            session's time zone; a string with an offset is an instant. None: when the service receives it.
        client_id: an id of yours, unique in the session. Sending it again with the same content changes nothing.
        labels: at most 32 of your own.
        embedding: the message's vector, for namespaces whose model the service does not serve.
        edited_at: when this version of it was written, an aware datetime; it takes the place of an older one with this `client_id`.
    """

    speaker: str
    text: str
    sent_at: datetime | str | None = None
    role: Role | str = Role.USER
    client_id: str = ""
    labels: Mapping[str, str] = field(default_factory=dict)
    image_caption: str = ""
    embedding: Sequence[float] = ()
    edited_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class TimeRange:
    """A range of time, such as a filter accepts: `start <= t < end`, of aware datetimes. None is an open bound."""

    start: datetime | None = None
    end: datetime | None = None


@dataclass(frozen=True, slots=True)
class AsOf:
    """A moment of which something is wanted, of aware datetimes.

    Attributes:
        valid: what held then; None: what holds now.     known: what had been said by then; None: all.
    """

    valid: datetime | None = None
    known: datetime | None = None


@dataclass(frozen=True, slots=True)
class LabelCondition:
    """The label `key` is there and, when `values` are given, has one of them."""

    key: str
    values: Sequence[str] = ()


@dataclass(frozen=True, slots=True)
class LabelFilter:
    """Conditions on the labels of messages; facts and relations are judged by the messages they rest on."""

    all_of: Sequence[LabelCondition] = ()
    any_of: Sequence[LabelCondition] = ()
    none_of: Sequence[LabelCondition] = ()


@dataclass(frozen=True, slots=True)
class MemoryFilter:
    """Which memories a read may return. Every field that is set must hold; empty ones accept all.

    Nothing of `not_sessions` is returned, and none of `not_ids`.
    """

    kinds: Sequence[NodeKind | str] = ()
    sessions: Sequence[str] = ()
    speakers: Sequence[str] = ()
    said: TimeRange | None = None
    happened: TimeRange | None = None
    labels: LabelFilter | None = None
    not_sessions: Sequence[str] = ()
    not_ids: Sequence[str] = ()


@dataclass(frozen=True, slots=True)
class EmbeddingSpec:
    """The one model whose vectors a namespace holds. "none": it has no vectors."""

    model: str
    dimension: int = 0
    fingerprint: str = ""


@dataclass(frozen=True, slots=True)
class RetentionRule:
    """Messages are deleted `keep` after they were stored: of a session, with a label, or all where neither is named.

    `label_value` "" is any value of the label. Where several rules are about a message, the shortest holds.
    """

    keep: timedelta
    session: str = ""
    label: str = ""
    label_value: str = ""


@dataclass(frozen=True, slots=True)
class EntityType:
    """A type of entity by the namespace's own name, such as "medicine", and the kind that it counts as."""

    name: str
    kind: EntityKind | str
    description: str = ""


@dataclass(frozen=True, slots=True)
class RelationType:
    """A predicate that relations may have, such as "treated_with"."""

    name: str
    description: str = ""


@dataclass(frozen=True, slots=True)
class ExtractionProfile:
    """What a namespace wants to be looked for. Without types of a sort, everything of that sort is. `version` is the service's."""

    entity_types: Sequence[EntityType] = ()
    relation_types: Sequence[RelationType] = ()
    instructions: str = ""
    version: int = 0


ConsistencyTokens: TypeAlias = str | Sequence[str] | None
"""What a read must show: the consistency token of a write, or several; none for None or an empty text."""
