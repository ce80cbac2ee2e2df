"""A namespace from one memory to another, and whether it is the same there."""

import time
from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING

from graph.store.digest import NamespaceDigest
from service.cli.copying.reading import Measured

if TYPE_CHECKING:
    from structmem import Client

# What no job of the target changes: where these agree and its revision is higher, its own jobs have gone on with the copy.
_UNTOUCHED_BY_JOBS = {"messages", "decisions"}
# A store lets go of an import that was killed after ten minutes at most.
_PATIENCE_S = 660.0
_PAUSE_S = 2.0


@dataclass(frozen=True, slots=True)
class Watch:
    """Who is told how it goes.

    Attributes:
        passed, compared: how many records of the source, of the target have been read so far.
        waits: that another import of the name is waited for.
    """

    passed: Callable[[int], None]
    compared: Callable[[int], None]
    waits: Callable[[str], None]


class Outcome(StrEnum):
    """How the two namespaces stand to each other at the end."""

    COPIED = "copied"
    SAME = "same"
    WENT_ON = "went_on"
    UNLIKE = "unlike"
    DIFFERENT = "different"
    MISSING = "missing"


@dataclass(frozen=True, slots=True)
class Copied:
    """A namespace at both ends; `differences` names the parts of `graph.store.digest` in which they differ.

    WENT_ON: the messages are the same, and jobs of the target have changed the rest since.
    UNLIKE: it was written, and was not the same when it was read again.
    DIFFERENT: there was something else before, and nothing was written. `target` is None where it is MISSING.
    """

    namespace: str
    name: str
    outcome: Outcome
    source: NamespaceDigest
    target: NamespaceDigest | None
    differences: tuple[str, ...] = ()

    @property
    def is_good(self) -> bool:
        """Whether the target holds what the source held."""
        return self.outcome in (Outcome.COPIED, Outcome.SAME, Outcome.WENT_ON)


def copied(source: "Client", target: "Client", namespace: str, name: str, watch: Watch) -> Copied:
    """Copies a namespace to `name` and compares the two; where there is one already, nothing is written and it is compared alone.

    The target shows the copy when it is whole, not before, so what was broken off is simply done again.
    """
    ours = None if _exists(target, name) else _written(source, target, namespace, name, watch)
    written = ours is not None
    if ours is None:
        ours = Measured(source.export_parts(namespace), watch.passed).read_all()
    return _judged(namespace, name, ours, _read(target, name, watch), written)


def _written(source: "Client", target: "Client", namespace: str, name: str, watch: Watch) -> NamespaceDigest | None:
    """The digest of what was copied; None where somebody else's copy was the first to be whole."""
    from structmem import AlreadyExistsError, StaleWriteError

    patience = time.monotonic() + _PATIENCE_S
    while True:
        measured = Measured(source.export_parts(namespace), watch.passed)
        try:
            target.import_parts(measured, namespace=name)
            return measured.digest()
        except AlreadyExistsError:
            if _exists(target, name):
                return None
            # The name is taken and nothing is seen: an import is under way, or one was killed and the store has not let go of it yet.
            if time.monotonic() > patience:
                raise
            watch.waits(name)
        except StaleWriteError:  # something was deleted or extracted anew at the source meanwhile
            if time.monotonic() > patience:
                raise
        time.sleep(_PAUSE_S)


def verified(source: "Client", target: "Client", namespace: str, name: str, watch: Watch) -> Copied:
    """Compares two namespaces and writes nothing."""
    ours = Measured(source.export_parts(namespace), watch.passed).read_all()
    if not _exists(target, name):
        return Copied(namespace, name, Outcome.MISSING, ours, None)
    return _judged(namespace, name, ours, _read(target, name, watch), written=False)


def _read(target: "Client", name: str, watch: Watch) -> NamespaceDigest:
    return Measured(target.export_parts(name), watch.compared).read_all()


def _judged(namespace: str, name: str, ours: NamespaceDigest, theirs: NamespaceDigest, written: bool) -> Copied:
    differences = ours.differences(theirs)
    if not differences:
        outcome = Outcome.COPIED if written else Outcome.SAME
    elif theirs.revision > ours.revision and not _UNTOUCHED_BY_JOBS & set(differences):
        outcome = Outcome.WENT_ON
    else:
        outcome = Outcome.UNLIKE if written else Outcome.DIFFERENT
    return Copied(namespace, name, outcome, ours, theirs, differences)


def _exists(client: "Client", name: str) -> bool:
    from structmem import NotFoundError

    try:
        client.get_namespace(name)
    except NotFoundError:
        return False
    return True
