"""The public face of the package: names that callers may rely on, and code that is kept in step."""

import dataclasses
import subprocess
import sys
from enum import Enum
from pathlib import Path

import structmem

NAMES = [
    "AlreadyExistsError",
    "Answer",
    "AnswerEnding",
    "AnswerTooLargeError",
    "Appended",
    "AppendedMessage",
    "AsOf",
    "AsyncClient",
    "CallCanceledError",
    "ChannelRank",
    "ChannelShortfall",
    "Citation",
    "Client",
    "ConflictError",
    "Context",
    "ContextEntry",
    "Contribution",
    "CypherAnswer",
    "CypherDuration",
    "CypherElided",
    "CypherElidedKind",
    "CypherLimitError",
    "CypherNode",
    "CypherPath",
    "CypherPoint",
    "CypherRefusedError",
    "CypherRelationship",
    "CypherScope",
    "CypherTime",
    "DeadlineExceededError",
    "DecisionReverted",
    "Degradation",
    "DegradationReason",
    "DeletedItem",
    "DeletionCause",
    "DeletionCheck",
    "DeletionReceipt",
    "DuplicateMessageError",
    "Edge",
    "EdgeDecision",
    "EdgeKind",
    "ElementTooLargeError",
    "EmbeddingSpec",
    "Entity",
    "EntityKind",
    "EntityType",
    "ErrorReason",
    "Event",
    "EventView",
    "Explanation",
    "ExtractionMode",
    "ExtractionProfile",
    "FieldViolation",
    "Flushed",
    "Generation",
    "Granularity",
    "GraphStats",
    "Hit",
    "Imported",
    "ImportedNamespace",
    "InternalError",
    "InvalidArgumentError",
    "Job",
    "JobFailedError",
    "JobKind",
    "JobProblem",
    "JobState",
    "LabelCondition",
    "LabelFilter",
    "LanguageModelMissingError",
    "LinkDecided",
    "LinkVerdict",
    "MemoryFilter",
    "Message",
    "MessageVersion",
    "Miss",
    "MissReason",
    "Namespace",
    "NamespaceCorruptError",
    "NamespaceNotFoundError",
    "NewMessage",
    "Node",
    "NodeKind",
    "NodeView",
    "NotFoundError",
    "OmittedHit",
    "Participant",
    "PathStep",
    "PermissionDeniedError",
    "QueryPlan",
    "RejectedCitation",
    "RejectionReason",
    "RelationType",
    "RetentionRule",
    "RequestReusedError",
    "RequestTooLargeError",
    "Retrieval",
    "Rival",
    "Role",
    "Seed",
    "ServerInfo",
    "Session",
    "SettingWarning",
    "SignalDifference",
    "StaleWriteError",
    "Statement",
    "Supersession",
    "StorageFullError",
    "StoreLimitError",
    "StructMemError",
    "Summary",
    "SummaryHit",
    "SummaryLevel",
    "SummarySentence",
    "SummaryTree",
    "TimeRange",
    "TimeSpan",
    "TraversedEvent",
    "UnauthenticatedError",
    "UnavailableError",
    "UsageEntry",
    "kind_of",
]
METHODS = [
    "answer",
    "append",
    "build_context",
    "cancel_job",
    "check_deletion",
    "close",
    "consolidate",
    "create_namespace",
    "decide_entity_link",
    "delete_memories",
    "delete_messages",
    "delete_namespace",
    "delete_session",
    "expedite_job",
    "explain_miss",
    "export_namespace",
    "export_parts",
    "flush",
    "get_event",
    "get_job",
    "get_namespace",
    "get_node",
    "get_profile",
    "get_summary",
    "graph_stats",
    "import_messages",
    "import_namespace",
    "import_parts",
    "list_deleted_items",
    "list_deletions",
    "list_entities",
    "list_events",
    "list_jobs",
    "list_messages",
    "list_namespaces",
    "list_sessions",
    "list_statements",
    "list_summaries",
    "retrieve",
    "retry_job",
    "revert_decision",
    "run_cypher",
    "server_info",
    "stream_answer",
    "traverse_events",
    "update_namespace",
    "usage",
    "wait_for",
    "watch_job",
]


def test_the_exported_names_are_these() -> None:
    assert sorted(structmem.__all__) == sorted(NAMES)
    assert all(hasattr(structmem, name) for name in NAMES)


def test_both_clients_have_these_methods() -> None:
    for cls in (structmem.Client, structmem.AsyncClient):
        assert sorted(name for name in dir(cls) if not name.startswith("_")) == METHODS


def test_the_blocking_client_is_made_from_the_asyncio_one() -> None:
    script = Path(__file__).parents[1] / "make_sync_client.py"
    done = subprocess.run([sys.executable, str(script), "--check"], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr


def test_every_error_is_drawn_in_the_tree() -> None:
    from structmem import _errors

    drawn = _errors.__doc__ or ""
    errors = [name for name in structmem.__all__ if name.endswith("Error")]
    assert all(name in drawn for name in errors)
    assert all(issubclass(getattr(structmem, name), structmem.StructMemError) for name in errors)


def test_results_are_frozen() -> None:
    plain = [getattr(structmem, name) for name in structmem.__all__]
    data = [cls for cls in plain if isinstance(cls, type) and not issubclass(cls, Exception | Enum) and "Client" not in cls.__name__]
    assert len(data) > 30
    assert all(dataclasses.is_dataclass(cls) and cls.__dataclass_params__.frozen for cls in data)  # type: ignore[attr-defined]
