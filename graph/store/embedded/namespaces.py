"""Creating, showing, changing and deleting namespaces."""

from collections.abc import Iterable
from dataclasses import replace

import apsw

from graph.errors import NotFound, StructMemError
from graph.model import Namespace
from graph.store.commands import NamespaceChange, NamespaceSpec
from graph.store.embedded.files.engine import Engine
from graph.store.embedded.files.namespace_file import NamespaceFile
from graph.store.embedded.generations import current_generation


def create(engine: Engine, spec: NamespaceSpec) -> Namespace:
    """See `Store.create_namespace`."""
    return engine.create(spec).settings


def complete(db: apsw.Connection, settings: Namespace) -> Namespace:
    """The namespace with the revision and generation that its file knows."""
    revision = int(db.execute("SELECT revision FROM state").get)
    return replace(settings, revision=revision, generation=current_generation(db))


def _show(file: NamespaceFile, settings: Namespace) -> Namespace:
    with file.read() as db:
        return complete(db, settings)


def listed(engine: Engine, prefix: str, after: str, limit: int) -> list[Namespace]:
    """See `Store.list_namespaces`. One whose file cannot be read is listed with revision 0, so that it hides no other."""
    return list(_shown(engine, [entry.settings for entry in engine.catalog.listed(prefix, after, limit)]))


def _shown(engine: Engine, found: Iterable[Namespace]) -> Iterable[Namespace]:
    for settings in found:
        try:
            yield engine.with_file(settings.name, _show)
        except NotFound:  # deleted meanwhile
            continue
        except StructMemError:
            yield settings


def update(engine: Engine, name: str, change: NamespaceChange) -> Namespace:
    """See `Store.update_namespace`."""
    engine.catalog.change(name, change)

    def step(file: NamespaceFile, settings: Namespace) -> Namespace:
        with file.write() as tx:
            tx.step()
        return _show(file, settings)

    return engine.with_file(name, step)


def delete(engine: Engine, name: str) -> None:
    """See `Store.delete_namespace`. From the first commit on it is gone; what a crash leaves of its files is swept at the next start."""
    engine.discard(engine.catalog.begin_deletion(name))
