"""A namespace from one memory to another, and whether it is the same there."""

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
Passed = Callable[[int], None]


class Outcome(StrEnum):
    """How the two namespaces stand to each other at the end."""

    COPIED = "copied"
    SAME = "same"
    WENT_ON = "went_on"
    DIFFERENT = "different"
    MISSING = "missing"


@dataclass(frozen=True, slots=True)
class Copied:
    """A namespace at both ends; `differences` names the parts of `graph.store.digest` in which they differ.

    WENT_ON: the messages are the same, and jobs of the target have changed the rest since. `target` is None where it is MISSING.
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
        return self.outcome not in (Outcome.DIFFERENT, Outcome.MISSING)


def copied(source: "Client", target: "Client", namespace: str, name: str, passed: Passed, compared: Passed) -> Copied:
    """Copies a namespace to `name` and compares the two; where there is one already, nothing is written and it is compared alone.

    The target shows the copy when it is whole, not before, so what was broken off is simply done again.
    """
    from structmem import AlreadyExistsError

    written = False
    if not _exists(target, name):
        measured = Measured(source.export_elements(namespace), passed)
        try:
            target.import_elements(measured, namespace=name)
            written = True
        except AlreadyExistsError:
            pass  # somebody else's copy was the first to be whole
    ours = measured.digest() if written else Measured(source.export_elements(namespace), passed).read_all()
    theirs = Measured(target.export_elements(name), compared).read_all()
    return _judged(namespace, name, ours, theirs, written)


def verified(source: "Client", target: "Client", namespace: str, name: str, passed: Passed, compared: Passed) -> Copied:
    """Compares two namespaces and writes nothing."""
    ours = Measured(source.export_elements(namespace), passed).read_all()
    if not _exists(target, name):
        return Copied(namespace, name, Outcome.MISSING, ours, None)
    return _judged(namespace, name, ours, Measured(target.export_elements(name), compared).read_all(), written=False)


def _judged(namespace: str, name: str, ours: NamespaceDigest, theirs: NamespaceDigest, written: bool) -> Copied:
    differences = ours.differences(theirs)
    if not differences:
        outcome = Outcome.COPIED if written else Outcome.SAME
    elif theirs.revision > ours.revision and not _UNTOUCHED_BY_JOBS & set(differences):
        outcome = Outcome.WENT_ON
    else:
        outcome = Outcome.DIFFERENT
    return Copied(namespace, name, outcome, ours, theirs, differences)


def _exists(client: "Client", name: str) -> bool:
    from structmem import NotFoundError

    try:
        client.get_namespace(name)
    except NotFoundError:
        return False
    return True
