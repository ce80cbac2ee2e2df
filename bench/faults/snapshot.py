"""A memory by its content: what holds the same messages, events and edges is equal, whatever ids and times of recording they have."""

import hashlib
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from google.protobuf.message import Message as ProtoMessage
from structmem.v1 import exchange_pb2, memory_service_pb2, node_pb2, time_pb2

from bench.connection import DEADLINE_S, Connection

# What an item is, then what it holds.
Item = tuple[str, ...]


@dataclass
class Snapshot:
    """The content of some namespaces: how often each item is there. `clients` counts messages by (namespace, client id)."""

    items: Counter[Item] = field(default_factory=Counter)
    clients: Counter[tuple[str, str]] = field(default_factory=Counter)


@dataclass(frozen=True, slots=True)
class Comparison:
    """How a memory that was killed differs from one that was not.

    Attributes:
        lost: acknowledged messages that are not there.
        duplicated: items that are there more often than in the other memory.
        different: items that only one of the two has, but for those lost.
        changes: edges of change that only one of the two has; they are not among the different ones.
        examples: a few of them, for people.
    """

    lost: int
    duplicated: int
    different: int
    changes: int
    examples: tuple[str, ...]


def compare(killed: Snapshot, reference: Snapshot, acknowledged: Iterable[tuple[str, str]]) -> Comparison:
    """Compares two memories; `acknowledged` are (namespace, client id) of messages that must be there."""
    missing = {key for key in acknowledged if not killed.clients[key]}
    duplicated = different = changes = 0
    examples: list[str] = []
    for item in sorted(killed.items.keys() | reference.items.keys()):
        surplus = killed.items[item] - reference.items[item]
        if not surplus:
            continue
        if item[0] == "edge" and item[2] in _CHANGES:
            changes += abs(surplus)
            continue
        if item[0] == "message" and (item[1], item[2]) in missing:
            continue  # counted below, and its edges as different
        examples.append(f"{surplus:+d} {' | '.join(item)}"[:300])
        if surplus > 0 and reference.items[item]:
            duplicated += surplus
        else:
            different += abs(surplus)
    lost = len(missing)
    examples.extend(f"lost {namespace} {client_id}" for namespace, client_id in sorted(missing))
    return Comparison(lost, duplicated, different, changes, tuple(examples[:20]))


async def take(connection: Connection, namespaces: Iterable[str]) -> Snapshot:
    """Reads everything of the namespaces: what an export holds, and the edges between messages, which it leaves out."""
    snapshot = Snapshot()
    for namespace in namespaces:
        reading = _Reading(namespace, snapshot)
        export = connection.memory.ExportNamespace(memory_service_pb2.ExportNamespaceRequest(namespace=namespace))
        reading.read([record async for part in export for record in part.batch.records])
        for id_ in reading.message_ids:
            request = memory_service_pb2.GetNodeRequest(namespace=namespace, node_id=id_, max_edges=1000)
            shown = await connection.memory.GetNode(request, timeout=DEADLINE_S)
            reading.edges(edge for edge in shown.edges if edge.source_id == id_ and edge.kind in _BETWEEN_MESSAGES)
    return snapshot


_BETWEEN_MESSAGES = (node_pb2.EDGE_KIND_NEXT, node_pb2.EDGE_KIND_IN_SESSION)

# What replaced a message is looked for among the few nearest to it when it is extracted, and sessions are extracted in any order: where a
# kill changes the order, such an edge may be found from one side and not from the other.
_CHANGES = frozenset({"EDGE_KIND_SUPERSEDES", "EDGE_KIND_MAY_SUPERSEDE", "EDGE_KIND_REPEATS"})


class _Reading:
    """Names every node of one namespace by its content, and counts nodes, edges, progress and vectors under those names."""

    def __init__(self, namespace: str, snapshot: Snapshot) -> None:
        self._namespace = namespace
        self._snapshot = snapshot
        self._names: dict[str, str] = {}
        self.message_ids: list[str] = []

    def read(self, records: Iterable[exchange_pb2.ExportRecord]) -> None:
        """Reads an export: sessions, messages and entities come before what names them."""
        for record in records:
            match record.WhichOneof("kind"):
                case "node":
                    self._node(record.node)
                case "edge":
                    self.edges([record.edge])
                case "progress":
                    marks = ",".join(map(str, record.progress.flush_marks))
                    self._count("progress", record.progress.session, str(record.progress.extracted_seq), marks)
                case "vector":
                    vector = record.vector
                    digest = hashlib.sha256(vector.float16_values).hexdigest()[:16]
                    self._count("vector", self._names[vector.owner_id], str(vector.ordinal), digest)

    def edges(self, edges: Iterable[node_pb2.Edge]) -> None:
        """Counts edges between nodes that were read."""
        for edge in edges:
            ends = (self._names[edge.source_id], self._names[edge.target_id], self._names.get(edge.via_id, ""))
            self._count("edge", node_pb2.EdgeKind.Name(edge.kind), *ends, _properties(edge.properties))

    def _node(self, node: node_pb2.Node) -> None:
        match node.WhichOneof("kind"):
            case "session":
                self._session(node.session)
            case "message":
                self._message(node.message)
            case "entity":
                entity = node.entity
                self._name(entity.id, "entity", entity.name.casefold(), node_pb2.EntityKind.Name(entity.kind))
                self._count("aliases", self._names[entity.id], *sorted(entity.aliases))
            case "statement":
                self._statement(node.statement)
            case "event":
                self._event(node.event)

    def _session(self, session: node_pb2.Session) -> None:
        self._name(session.id, "session", session.name, session.time_zone, str(session.message_count))

    def _message(self, message: node_pb2.Message) -> None:
        self.message_ids.append(message.id)
        self._snapshot.clients[self._namespace, message.client_id] += 1
        versions = (version.text for version in message.earlier_versions)
        content = (
            message.client_id,
            message.session,
            str(message.seq),
            message.speaker,
            message.text,
            *versions,
            message.sent_at.ToJsonString(),
        )
        self._name(message.id, "message", *content, _properties(message.labels))

    def _statement(self, statement: node_pb2.Statement) -> None:
        stated = (
            statement.text,
            statement.speaker,
            statement.predicate,
            statement.subject,
            statement.object,
            f"{statement.confidence:.4f}",
        )
        evidence = self._list(statement.evidence_ids)
        kind = node_pb2.NodeKind.Name(statement.kind)
        self._name(
            statement.id, "statement", kind, *stated, evidence, _span(statement.time), _retired(statement), str(statement.generation)
        )
        self._implied("EVIDENCED_BY", statement.id, statement.evidence_ids)
        self._implied("MENTIONS", statement.id, statement.entity_ids)

    def _event(self, event: node_pb2.Event) -> None:
        evidence = self._list(event.evidence_ids)
        self._name(event.id, "event", event.session, event.title, evidence, _span(event.time), _retired(event), str(event.generation))
        self._implied("EVIDENCED_BY", event.id, event.evidence_ids)
        self._implied("STATES", event.id, event.statement_ids)
        for participant in event.participants:
            self._count("edge", f"INVOLVES {participant.role}", self._names[event.id], self._names[participant.entity_id])

    def _implied(self, kind: str, source: str, targets: Iterable[str]) -> None:
        for target in targets:
            self._count("edge", kind, self._names[source], self._names[target])

    def _list(self, ids: Iterable[str]) -> str:
        return " + ".join(self._names[id_] for id_ in ids)

    def _name(self, id_: str, kind: str, *content: str) -> None:
        """Remembers a short name for the node, by its content, and counts the node."""
        digest = hashlib.sha256("\0".join(content).encode()).hexdigest()[:12]
        self._names[id_] = f"{kind} {digest}"
        self._count(kind, *content)

    def _count(self, kind: str, *content: str) -> None:
        self._snapshot.items[kind, self._namespace, *content] += 1


def _span(span: time_pb2.TimeSpan) -> str:
    return _text(span)


def _retired(node: node_pb2.Statement | node_pb2.Event) -> str:
    return "retired" if node.HasField("retired_at") else ""


def _properties(properties: Mapping[str, str]) -> str:
    return " ".join(f"{key}={value}" for key, value in sorted(properties.items()))


def _text(message: ProtoMessage) -> str:
    return message.SerializeToString(deterministic=True).hex()
