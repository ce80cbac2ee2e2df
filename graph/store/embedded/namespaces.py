"""Creating, showing, changing and deleting namespaces."""

from collections.abc import Iterable
from dataclasses import replace
from itertools import islice

import apsw

from graph.errors import NamespaceNotFound, StructMemError
from graph.model import Namespace
from graph.store.embedded.files.engine import Engine
from graph.store.embedded.files.namespace_file import NamespaceFile
from graph.store.embedded.generations import current_generation
from graph.store.port import NamespaceChange, NamespaceSpec, Shows, everything


def create(engine: Engine, spec: NamespaceSpec) -> Namespace:
    """See `Store.create_namespace`."""
    return engine.create(spec).settings


def complete(db: apsw.Connection, settings: Namespace) -> Namespace:
    """The namespace with the revision and generation that its file knows."""
    revision = int(db.execute("SELECT revision FROM state").get)
    return replace(settings, revision=revision, generation=current_generation(db))


def shown(file: NamespaceFile, settings: Namespace) -> Namespace:
    """The namespace as it is now."""
    with file.read() as db:
        return complete(db, settings)


def listed(engine: Engine, prefix: str, after: str, limit: int, shows: Shows = everything) -> list[Namespace]:
    """See `Store.list_namespaces`. One whose file cannot be read is listed with revision 0, so that it hides no other."""
    return list(islice(_readable(engine, filter(shows, engine.catalog.names(prefix, after))), limit))


def _readable(engine: Engine, names: Iterable[str]) -> Iterable[Namespace]:
    for name in names:
        try:
            yield _read(engine, engine.entry(name).settings)
        except NamespaceNotFound:  # deleted meanwhile
            continue


def _read(engine: Engine, settings: Namespace) -> Namespace:
    try:
        return engine.with_file(settings.name, shown, settings.uid)
    except NamespaceNotFound:
        raise
    except StructMemError:
        return settings


def update(engine: Engine, file: NamespaceFile, change: NamespaceChange) -> Namespace:
    """See `Memory.update`."""
    entry = engine.catalog.change(file.name, change)
    with file.write(entry.settings) as tx:
        tx.step()
    return shown(file, entry.settings)


def delete(engine: Engine, name: str) -> None:
    """See `Store.delete_namespace`. From the first commit on it is gone; what a crash leaves of its files is swept at the next start."""
    engine.discard(engine.catalog.begin_deletion(name))
