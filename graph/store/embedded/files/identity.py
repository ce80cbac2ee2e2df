"""Whether a file is the one that it should be, asked before anything in it is read or written."""

import apsw

from graph.errors import NamespaceCorrupt
from graph.store.embedded.files.connection import rows
from graph.store.embedded.files.schema import NAMESPACE_MIGRATIONS


class UnfitFile(NamespaceCorrupt):
    """A namespace's file is missing, empty or another one's. `problem` and `detail` are what the integrity check says of it."""

    def __init__(self, namespace: str, problem: str, detail: str) -> None:
        super().__init__(f"namespace {namespace}: {detail}; structmem doctor tells more", metadata={"namespace": namespace})
        self.problem = problem
        self.detail = detail


def missing(namespace: str) -> UnfitFile:
    """The error for a namespace that the catalog knows and whose file is not there."""
    return UnfitFile(namespace, "MISSING_FILE", "its file is missing")


def verify(db: apsw.Connection, namespace: str, uid: str) -> None:
    """Asks a file for the uid of its namespace. A file of a newer schema is left to the migration, which refuses it.

    Raises:
        UnfitFile: it holds no namespace, or another one.
    """
    version = int(db.pragma("user_version"))
    if version > len(NAMESPACE_MIGRATIONS):
        return
    try:
        found = rows(db, "SELECT uid FROM state") if version else []
    except apsw.SQLError:  # no such table
        found = []
    if not found:
        raise UnfitFile(namespace, "DAMAGED_FILE", "its file is damaged: it holds no namespace")
    if found[0][0] != uid:
        raise UnfitFile(namespace, "OTHER_NAMESPACE", "its file is that of another namespace")
