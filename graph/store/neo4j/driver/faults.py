"""Turns what the driver and the server raise into the errors of StructMem, in one place. No query, address or library's text gets out."""

import logging
import re
from datetime import timedelta

from neo4j.exceptions import (
    AuthError,
    BrokenRecordError,
    ClientError,
    ConfigurationError,
    ConstraintError,
    DatabaseError,
    DriverError,
    Forbidden,
    Neo4jError,
    ServiceUnavailable,
    SessionExpired,
    TransientError,
)

from graph.errors import InvalidArgument, StorageFull, StoreLimit, StoreUnavailable, StructMemError

RETRY_AFTER = timedelta(seconds=1)
_READ_ONLY = ("General.WriteOnReadOnlyAccessDatabase", "General.ForbiddenOnReadOnlyDatabase")
_NO_DATABASE = "Neo.ClientError.Database.DatabaseNotFound"
_BOOKMARK = "Transaction.InvalidBookmark"
_NO_INDEX = "Neo.ClientError.Schema.IndexNotFound"
_PROCEDURE = "Neo.ClientError.Procedure.ProcedureCallFailed"
_SECURITY = "Neo.ClientError.Security."
# What the server ran out of, with the setting that bounds it unless the message names another: the pools of one transaction, of a database
# and of the whole server have one code, Neo.TransientError.General.MemoryPoolOutOfMemoryError, and differ in that name alone.
_MEMORY = {
    "TransactionOutOfMemory": "db.memory.transaction.max",
    "MemoryPoolOutOfMemory": "dbms.memory.transaction.total.max",
    "TransactionMemoryLimit": "server.memory.off_heap.transaction_max_size",
    "OutOfMemoryError": "server.memory.heap.max_size",
}
_MEMORY_SETTING = re.compile(r"\b(?:db|dbms)\.memory\.transaction\.(?:total\.)?max\b")
# Memory of the one transaction, whoever else works: it takes as much again when it is tried again.
OWN_MEMORY = "db.memory.transaction.max"
_STACK = "StackOverFlow"
# Both time limits of a transaction, the server's db.transaction.timeout and the client's, end in TransactionTimedOutClientConfiguration, or
# in LockClientStopped where it was waiting for a lock (tried on 2026.09); TransactionTimedOut is what the manual says of the server's.
# What took too long by itself takes as long again; who waited for another may find the lock free.
_TOOK_TOO_LONG = ("Transaction.TransactionTimedOut", "Procedure.ProcedureTimedOut", "Statement.ExecutionTimeout")
_WAITED_TOO_LONG = ("Transaction.LockClientStopped", "Transaction.LockAcquisitionTimeout")
_ENDED = "Neo.ClientError.Transaction.Terminated"
_DISK = ("OutOfDiskSpace", "NoSpaceLeft", "TransactionLogError")
# Something that the transaction had matched was deleted while it waited for a lock, or another made the same index, which IF NOT EXISTS
# does not prevent: another try sees what there is now.
_RACED = ("Neo.ClientError.Statement.EntityNotFound", "Neo.ClientError.Schema.EquivalentSchemaRuleAlreadyExists")
_log = logging.getLogger(__name__)

DriverFault = (DriverError, Neo4jError)


class IndexMissing(StoreUnavailable):
    """An index that a search needs was dropped, or is still being filled."""


def memory_setting(error: DriverError | Neo4jError) -> str:
    """The server's setting that bounds the memory that ran out; "" where it was not memory that ran out."""
    code = _code(error)
    setting = next((setting for word, setting in _MEMORY.items() if word in code), "")
    named = _MEMORY_SETTING.search(getattr(error, "message", None) or "") if setting else None
    return named[0] if named else setting


def timed_out(error: DriverError | Neo4jError) -> bool:
    """Whether a transaction, or its wait for a lock, took longer than the server or the caller allows."""
    return any(word in _code(error) for word in (*_TOOK_TOO_LONG, *_WAITED_TOO_LONG))


def nested_too_deeply(error: DriverError | Neo4jError) -> bool:
    """Whether a statement nests deeper than the server's stack."""
    return _STACK in _code(error)


def worth_retrying(error: DriverError | Neo4jError) -> bool:
    """Whether another try may end better: the server was away, or another transaction stood in the way."""
    if isinstance(error, AuthError | ConfigurationError) or any(word in _code(error) for word in (*_READ_ONLY, _STACK, *_TOOK_TOO_LONG)):
        return False
    if memory_setting(error) == OWN_MEMORY:
        return False
    if isinstance(error, ServiceUnavailable | SessionExpired | TransientError):
        return True
    # Of two transactions that made the same node one was refused; now it will see the other's.
    return error.is_retryable() or isinstance(error, ConstraintError) or timed_out(error) or _code(error) in _RACED


def translated(error: DriverError | Neo4jError) -> StructMemError:
    """The error that a caller gets."""
    told = _refused(error) or _exhausted(error) or _ended(error) or _defect(error)
    return told or StoreUnavailable("Neo4j cannot be reached, or is busy, now", retry_after=RETRY_AFTER)


def _code(error: DriverError | Neo4jError) -> str:
    return error.code or "" if isinstance(error, Neo4jError) else ""


def _refused(error: DriverError | Neo4jError) -> StructMemError | None:
    """What the server does not do as it, or the store, is set up."""
    code = _code(error)
    if any(word in code for word in _READ_ONLY):
        return _unavailable("the database is read-only")
    if isinstance(error, Forbidden):
        return _unavailable("Neo4j does not let the store's user do this; it has to read, write and make indexes")
    if isinstance(error, AuthError) or code.startswith(_SECURITY):
        return _unavailable("Neo4j refuses the store's user or password")
    if code == _NO_DATABASE:
        return _unavailable("there is no such database in Neo4j")
    if _BOOKMARK in code:
        return InvalidArgument.of("at_least", "is of another database, or of one that was replaced since")
    if code == _NO_INDEX or (code == _PROCEDURE and "index" in (getattr(error, "message", None) or "")):
        told = "an index of the database is missing or still being filled; it is made again where it is missing"
        return IndexMissing(told, retry_after=RETRY_AFTER)
    return None


def _exhausted(error: DriverError | Neo4jError) -> StructMemError | None:
    """What the server has not enough of."""
    setting = memory_setting(error)
    if setting == OWN_MEMORY:
        return StoreLimit(f"this takes more memory than Neo4j gives one transaction; do less at once, or raise its {setting}")
    if setting:
        return _unavailable(f"this takes more memory than Neo4j has; do less at once, or raise its {setting}")
    if nested_too_deeply(error):
        return StoreLimit("this nests deeper than Neo4j's stack")
    if any(word in _code(error) for word in _DISK):
        return StorageFull("there is no space left to store this")
    return None


def _ended(error: DriverError | Neo4jError) -> StructMemError | None:
    """What was stopped on the way."""
    if timed_out(error):
        told = "this took longer than Neo4j allows, or waited so long for another; do less at once, or raise its db.transaction.timeout"
        return _unavailable(told)
    if _code(error) == _ENDED:
        return _unavailable("somebody ended this transaction in Neo4j")
    return None


def _defect(error: DriverError | Neo4jError) -> StructMemError | None:
    """What is at fault: the server, or a statement of ours."""
    if isinstance(error, DatabaseError):
        _log.error("Neo4j failed at a statement of the store: %s", _code(error))
        return _unavailable("Neo4j failed at this itself; its own log says why")
    if isinstance(error, ConstraintError | BrokenRecordError) or (isinstance(error, ClientError) and not worth_retrying(error)):
        _log.error("Neo4j refuses a statement of the store: %s", _code(error) or type(error).__name__)
        return StructMemError("the store met an unexpected fault")
    return None


def _unavailable(told: str) -> StoreUnavailable:
    return StoreUnavailable(told, retry_after=RETRY_AFTER)
