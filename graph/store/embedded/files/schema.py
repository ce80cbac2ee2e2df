"""The schema of a namespace's file and of the catalog, and how older files are brought forward."""

from collections.abc import Callable, Sequence
from importlib.resources import files

import apsw

from graph.errors import Conflict

Migration = Callable[[apsw.Connection], object]


def _script(name: str) -> Migration:
    """The step that runs a script of this package."""
    return lambda db: db.execute(files("graph.store.embedded.files").joinpath(name).read_text("utf-8"))


# The step at index n brings a file from version n to n + 1. Steps are only ever added at the end.
NAMESPACE_MIGRATIONS: Sequence[Migration] = tuple(map(_script, ("schema.sql", "summaries.sql", "changes.sql", "deletions.sql")))
CATALOG_MIGRATIONS: Sequence[Migration] = (_script("catalog.sql"),)


def migrate(db: apsw.Connection, migrations: Sequence[Migration], what: str) -> None:
    """Brings a file forward to the newest version, each step in a transaction of its own. `what` names the file in errors.

    Raises:
        Conflict: the file was written by a newer version of StructMem.
    """
    version = int(db.pragma("user_version"))
    if version > len(migrations):
        raise Conflict(f"{what} was written by a newer version of StructMem (schema {version}, this one knows {len(migrations)})")
    for number in range(version, len(migrations)):
        db.execute("BEGIN IMMEDIATE")
        try:
            migrations[number](db)
            db.pragma("user_version", number + 1)
            db.execute("COMMIT")
        except BaseException:
            if db.in_transaction:
                db.execute("ROLLBACK")
            raise
