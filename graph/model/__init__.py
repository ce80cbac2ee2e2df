"""The memory graph as plain data: nodes, edges, ids, times, jobs, namespaces and filters. No I/O."""

from graph.model.edges import Edge, EdgeKind, implied_edges
from graph.model.filters import NO_LABELS, LabelCondition, LabelFilter, MemoryFilter
from graph.model.ids import MEMORY_KINDS, PREFIXES, STATEMENT_KINDS, IdSource, NodeKind, UuidSource, id_of, kind_of, uuid_of
from graph.model.jobs import TERMINAL_STATES, Job, JobError, JobKind, JobState, Lease
from graph.model.namespaces import (
    NO_EMBEDDING,
    NO_EXTRACTION,
    EmbeddingSpec,
    ExtractionMode,
    ExtractorSpec,
    Generation,
    Namespace,
    namespace_name_problem,
)
from graph.model.nodes import Entity, EntityKind, Event, Message, Node, Participant, Role, Session, Statement, kind_of_node
from graph.model.profiles import NO_PROFILE, EntityType, ExtractionProfile, RelationType, profile_problems
from graph.model.times import DISTANT_FUTURE, DISTANT_PAST, Granularity, TimeRange, TimeSpan, from_micros, to_micros

__all__ = [
    "DISTANT_FUTURE",
    "DISTANT_PAST",
    "MEMORY_KINDS",
    "NO_EMBEDDING",
    "NO_EXTRACTION",
    "NO_LABELS",
    "NO_PROFILE",
    "PREFIXES",
    "STATEMENT_KINDS",
    "TERMINAL_STATES",
    "Edge",
    "EdgeKind",
    "EmbeddingSpec",
    "Entity",
    "EntityKind",
    "EntityType",
    "Event",
    "ExtractionMode",
    "ExtractionProfile",
    "ExtractorSpec",
    "Generation",
    "Granularity",
    "IdSource",
    "Job",
    "JobError",
    "JobKind",
    "JobState",
    "LabelCondition",
    "LabelFilter",
    "Lease",
    "MemoryFilter",
    "Message",
    "Namespace",
    "Node",
    "NodeKind",
    "Participant",
    "RelationType",
    "Role",
    "Session",
    "Statement",
    "TimeRange",
    "TimeSpan",
    "UuidSource",
    "from_micros",
    "id_of",
    "implied_edges",
    "kind_of",
    "kind_of_node",
    "namespace_name_problem",
    "profile_problems",
    "to_micros",
    "uuid_of",
]
