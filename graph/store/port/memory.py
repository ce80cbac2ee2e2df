"""The handle of one namespace: everything that is read of it or written to it."""

from typing import Protocol

from graph.model import Namespace
from graph.store.port.appending import Appends
from graph.store.port.changing import Changes
from graph.store.port.consolidating import Consolidates
from graph.store.port.extracting import Extracts
from graph.store.port.jobs import Jobs
from graph.store.port.moving import Moves
from graph.store.port.namespaces import NamespaceChange
from graph.store.port.reading import Reads
from graph.store.port.reconciling import Reconciles
from graph.store.port.searching import Searches


class Memory(Appends, Extracts, Consolidates, Jobs, Changes, Reads, Reconciles, Searches, Moves, Protocol):
    """One namespace of a store, by `Store.namespace`.

    Nothing happens until the first call. That call resolves the name, and from then on the handle is of the namespace that it found: when
    that one is deleted and another one made under its name, the handle's calls raise NotFound. Every read sees the write that the handle's
    `at_least` names, or raises RevisionNotReached.

    Every call raises NotFound when there is no such namespace, Conflict when another database holds it, NamespaceCorrupt when its data is
    damaged, StoreUnavailable or StorageFull when it cannot be read or written now; nothing is acknowledged that is not durable.
    """

    @property
    def name(self) -> str:
        """The namespace's name."""
        ...

    async def settings(self) -> Namespace:
        """The namespace with its revision and generation."""
        ...

    async def update(self, change: NamespaceChange) -> Namespace:
        """Changes settings."""
        ...

    def position(self) -> tuple[str, ...]:
        """What a reader needs beside the revision to see all that this process has written to the namespace; () where that says it all.

        Opaque. Where several servers hold copies of one database, a revision alone does not say which of them have it.
        """
        ...
