"""Turns what SQLite and the file system raise into the errors of StructMem, in one place. No path and no SQL gets out."""

import errno
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta

import apsw

from graph.errors import NamespaceCorrupt, StorageFull, StoreUnavailable, StructMemError

RETRY_AFTER = timedelta(seconds=1)
CATALOG_DAMAGED = "the catalog of namespaces is damaged; put it back from a backup of the data directory"

_UNAVAILABLE = (
    apsw.IOError,
    apsw.ReadOnlyError,
    apsw.CantOpenError,
    apsw.BusyError,
    apsw.LockedError,
    apsw.PermissionsError,
    apsw.NoLFSError,
    apsw.ProtocolError,
    apsw.AuthError,
)
_CORRUPT = (apsw.CorruptError, apsw.NotADBError, apsw.FormatError)


@contextmanager
def storage_faults(namespace: str = "") -> Iterator[None]:
    """Within this context faults of the storage become StructMem's errors. `namespace` is whose file is being used."""
    try:
        yield
    except (apsw.Error, OSError) as error:
        raise _translated(error, namespace) from error


def _translated(error: Exception, namespace: str) -> Exception:
    metadata = {"namespace": namespace} if namespace else {}
    whose = f"namespace {namespace}: its file" if namespace else "the data directory"
    if isinstance(error, apsw.FullError) or (isinstance(error, OSError) and error.errno in {errno.ENOSPC, errno.EDQUOT}):
        return StorageFull("there is no space left to store this", metadata=metadata)
    if isinstance(error, apsw.ReadOnlyError) or (isinstance(error, OSError) and error.errno in {errno.EROFS, errno.EACCES, errno.EPERM}):
        return StoreUnavailable(f"{whose} cannot be written", metadata=metadata, retry_after=RETRY_AFTER)
    if isinstance(error, (OSError, *_UNAVAILABLE)):
        return StoreUnavailable(f"{whose} cannot be read or written now", metadata=metadata, retry_after=RETRY_AFTER)
    if isinstance(error, _CORRUPT):
        if not namespace:
            return NamespaceCorrupt(CATALOG_DAMAGED)
        return NamespaceCorrupt(f"namespace {namespace}: its data is damaged; structmem doctor tells more", metadata=metadata)
    if isinstance(error, apsw.InterruptError | apsw.AbortError):
        return StoreUnavailable("the call was cancelled", metadata=metadata)
    return StructMemError("the store met an unexpected fault")
