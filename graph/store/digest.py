"""Whether two namespaces hold the same: counts and digests over the records of their exports, in any order and from any store."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from hashlib import sha256

import orjson

from graph.model import Edge, Entity, Event, Message, Namespace, Session, Statement, Summary
from graph.store.port import ExportRecord, PassageVector, SessionProgress

_BITS = 256
_JSON = orjson.OPT_SORT_KEYS
# How records are named in reports, in the order of an export. Decisions are edges too, but the only ones that no extraction can bring back.
PARTS = ("sessions", "messages", "entities", "statements", "events", "summaries", "edges", "decisions", "progress", "vectors")
PART_OF: Mapping[type, str] = {
    Session: "sessions",
    Message: "messages",
    Entity: "entities",
    Statement: "statements",
    Event: "events",
    Summary: "summaries",
    SessionProgress: "progress",
    PassageVector: "vectors",
}


@dataclass(frozen=True, slots=True)
class PartDigest:
    """How many records of a sort there are, and 64 hexadecimal digits that change with any of them."""

    count: int
    digest: str


@dataclass(frozen=True, slots=True)
class NamespaceDigest:
    """What a namespace holds. `settings` digests all that is recorded of it but its name, its uid and its revision."""

    revision: int
    settings: str
    parts: Mapping[str, PartDigest]

    @property
    def records(self) -> int:
        """How many records an export of it has."""
        return sum(part.count for part in self.parts.values())

    @property
    def digest(self) -> str:
        """One digest of all of it; equal exactly where nothing differs."""
        lines = [f"settings {self.settings}", *(f"{name} {self.parts[name].count} {self.parts[name].digest}" for name in PARTS)]
        return sha256("\n".join(lines).encode()).hexdigest()

    def differences(self, other: "NamespaceDigest") -> tuple[str, ...]:
        """The parts, "settings" before them, in which two namespaces differ. Revisions are not content and may differ."""
        settings = ("settings",) if self.settings != other.settings else ()
        return settings + tuple(name for name in PARTS if self.parts[name] != other.parts[name])


class RecordDigests:
    """Takes the records of an export, in any order, in constant memory.

    The digest of a part is the sum, modulo 2^256, of the SHA-256 of its records: it knows no order, and a record that comes twice counts
    twice. It finds what was lost or changed on the way; against records chosen to collide it is not made.
    """

    def __init__(self) -> None:
        self._sums = dict.fromkeys(PARTS, 0)
        self._counts = dict.fromkeys(PARTS, 0)

    def add(self, records: Iterable[ExportRecord]) -> None:
        """Takes the next records."""
        for record in records:
            part = _part(record)
            self._sums[part] += int.from_bytes(sha256(_canonical(record)).digest())
            self._counts[part] += 1

    def digest(self, namespace: Namespace) -> NamespaceDigest:
        """The digest of a namespace whose records are those taken so far."""
        parts = {name: PartDigest(self._counts[name], f"{self._sums[name] % (1 << _BITS):064x}") for name in PARTS}
        bare = replace(namespace, name="", uid="", revision=0)
        return NamespaceDigest(namespace.revision, sha256(orjson.dumps(bare, option=_JSON)).hexdigest(), parts)


def _part(record: ExportRecord) -> str:
    if isinstance(record, Edge):
        return "decisions" if record.is_decision or record.is_reverted else "edges"
    return PART_OF[type(record)]


def _canonical(record: ExportRecord) -> bytes:
    """A record as bytes that depend on its content alone: JSON with sorted keys, times in UTC to the microsecond, a vector's bytes."""
    if isinstance(record, PassageVector):
        return f"{record.owner_id} {record.ordinal} ".encode() + record.vector.astype("<f2").tobytes()
    return orjson.dumps(record, default=dict, option=_JSON)
