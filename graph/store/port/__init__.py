"""The store port: what the service and the pipeline ask of a store, as intents, each atomic; with what each takes and answers beside it.

Two stores implement it and one contract suite (`tests/graph/store`) holds for both. Why a handle: docs/decisions.md#handle.
"""

from graph.store.port.appending import AppendCommand, AppendedMessage, AppendOutcome, MessageDraft
from graph.store.port.changing import (
    DeletedItem,
    Deletion,
    DeletionCause,
    DeletionReceipt,
    LinkDecided,
    LinkDecision,
    item_bytes,
    items_digest,
)
from graph.store.port.consolidating import ConsolidationWork, ConsolidationWrite, SearchedSummaries, SummaryQuery
from graph.store.port.extracting import (
    ExtractedSpan,
    ExtractionWrite,
    Float16Vector,
    GenerationStart,
    PassageText,
    PassageVector,
    PendingWork,
    UsageEntry,
)
from graph.store.port.jobs import JobAttemptFailed, JobDeferred, JobOutcome, JobQuery, JobSucceeded
from graph.store.port.memory import Memory
from graph.store.port.moving import ExportRecord, Finding, SessionProgress
from graph.store.port.namespaces import ConsistencyPoint, NamespaceChange, NamespaceSpec
from graph.store.port.reading import (
    PAGE_BYTES,
    Cursor,
    EntityQuery,
    EventQuery,
    GraphDescription,
    MessageQuery,
    NodeEdges,
    NodesWithin,
    Page,
    StatementQuery,
    count_within,
)
from graph.store.port.reconciling import Reversal, Reverted
from graph.store.port.searching import MAX_SCOPE_SPEAKERS, QueryScope
from graph.store.port.store import JOB_RETENTION, REQUEST_ID_RETENTION, Clock, Missing, Shows, Store, everything

__all__ = [
    "JOB_RETENTION",
    "MAX_SCOPE_SPEAKERS",
    "PAGE_BYTES",
    "REQUEST_ID_RETENTION",
    "AppendCommand",
    "AppendOutcome",
    "AppendedMessage",
    "Clock",
    "ConsistencyPoint",
    "ConsolidationWork",
    "ConsolidationWrite",
    "Cursor",
    "DeletedItem",
    "Deletion",
    "DeletionCause",
    "DeletionReceipt",
    "EntityQuery",
    "EventQuery",
    "ExportRecord",
    "ExtractedSpan",
    "ExtractionWrite",
    "Finding",
    "Float16Vector",
    "GenerationStart",
    "GraphDescription",
    "JobAttemptFailed",
    "JobDeferred",
    "JobOutcome",
    "JobQuery",
    "JobSucceeded",
    "LinkDecided",
    "LinkDecision",
    "Memory",
    "MessageDraft",
    "MessageQuery",
    "Missing",
    "NamespaceChange",
    "NamespaceSpec",
    "NodeEdges",
    "NodesWithin",
    "Page",
    "PassageText",
    "PassageVector",
    "PendingWork",
    "QueryScope",
    "Reversal",
    "Reverted",
    "SearchedSummaries",
    "SessionProgress",
    "Shows",
    "StatementQuery",
    "Store",
    "SummaryQuery",
    "UsageEntry",
    "count_within",
    "everything",
    "item_bytes",
    "items_digest",
]
