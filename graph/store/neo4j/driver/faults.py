"""Turns what the driver and the server raise into the errors of StructMem, in one place. No query, address or library's text gets out."""

import logging
from datetime import timedelta

from neo4j.exceptions import (
    AuthError,
    ClientError,
    ConfigurationError,
    ConstraintError,
    DriverError,
    Forbidden,
    Neo4jError,
    ServiceUnavailable,
    SessionExpired,
    TransientError,
)

from graph.errors import InvalidArgument, StorageFull, StoreUnavailable, StructMemError

RETRY_AFTER = timedelta(seconds=1)
_READ_ONLY = "Neo.ClientError.General.WriteOnReadOnlyAccessDatabase"
_NO_DATABASE = "Neo.ClientError.Database.DatabaseNotFound"
_BOOKMARK = "Neo.ClientError.Transaction.InvalidBookmark"
_NO_INDEX = "Neo.ClientError.Schema.IndexNotFound"
_PROCEDURE = "Neo.ClientError.Procedure.ProcedureCallFailed"
# What the server ran out of, with the setting that bounds it.
_MEMORY = {
    "TransactionOutOfMemory": "db.memory.transaction.max",
    "MemoryPoolOutOfMemory": "dbms.memory.transaction.total.max",
    "OutOfMemoryError": "server.memory.heap.max_size",
}
_DISK = ("OutOfDiskSpace", "NoSpaceLeft", "TransactionLogError")
# Something that the transaction had matched was deleted while it waited for a lock, or another made the same index, which IF NOT EXISTS
# does not prevent: another try sees what there is now.
_RACED = (
    "Neo.ClientError.Statement.EntityNotFound",
    "Neo.ClientError.Transaction.TransactionTimedOut",
    "Neo.ClientError.Schema.EquivalentSchemaRuleAlreadyExists",
)
_log = logging.getLogger(__name__)

DriverFault = (DriverError, Neo4jError)


class IndexMissing(StoreUnavailable):
    """An index that a search needs was dropped, or is still being filled."""


def worth_retrying(error: DriverError | Neo4jError) -> bool:
    """Whether another try may end better: the server was away, or another transaction stood in the way."""
    if isinstance(error, AuthError | ConfigurationError):
        return False
    if isinstance(error, ServiceUnavailable | SessionExpired | TransientError):
        return True
    # Of two transactions that made the same node one was refused; now it will see the other's.
    return error.is_retryable() or isinstance(error, ConstraintError) or (isinstance(error, Neo4jError) and error.code in _RACED)


def translated(error: DriverError | Neo4jError) -> StructMemError:
    """The error that a caller gets."""
    if isinstance(error, AuthError):
        return StoreUnavailable("Neo4j refuses the store's user or password", retry_after=RETRY_AFTER)
    code = error.code or "" if isinstance(error, Neo4jError) else ""
    if code == _READ_ONLY:
        return StoreUnavailable("the database is read-only", retry_after=RETRY_AFTER)
    if isinstance(error, Forbidden):
        return StoreUnavailable(
            "Neo4j does not let the store's user do this; it has to read, write and make indexes", retry_after=RETRY_AFTER
        )
    if code == _NO_DATABASE:
        return StoreUnavailable("there is no such database in Neo4j", retry_after=RETRY_AFTER)
    if code == _BOOKMARK:
        return InvalidArgument.of("at_least", "is of another database, or of one that was replaced since")
    if code == _NO_INDEX or (code == _PROCEDURE and "index" in (error.message or "")):
        told = "an index of the database is missing or still being filled; it is made again where it is missing"
        return IndexMissing(told, retry_after=RETRY_AFTER)
    for word, setting in _MEMORY.items():
        if word in code:
            told = f"this takes more memory than Neo4j has; do less at once, or raise its {setting}"
            return StoreUnavailable(told, retry_after=RETRY_AFTER)
    if any(word in code for word in _DISK):
        return StorageFull("there is no space left to store this")
    if isinstance(error, ConstraintError) or (isinstance(error, ClientError) and not worth_retrying(error)):
        _log.error("Neo4j refuses a statement of the store: %s", code)
        return StructMemError("the store met an unexpected fault")
    return StoreUnavailable("Neo4j cannot be reached, or is busy, now", retry_after=RETRY_AFTER)
