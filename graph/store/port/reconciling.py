"""What replaced what in a namespace, and taking such a decision back."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

from graph.model import Edge, Supersession, Supersessions


@dataclass(frozen=True, slots=True)
class Reversal:
    """That one memory does not replace, or repeat, another one after all, as somebody says. `restore`: that it does."""

    newer_id: str
    older_id: str
    decided_by: str = ""
    restore: bool = False


@dataclass(frozen=True, slots=True)
class Reverted:
    """The SUPERSEDES, MAY_SUPERSEDE and REPEATS edges from the one to the other as they are now, at least one."""

    edges: tuple[Edge, ...]
    revision: int


class Reconciles(Protocol):
    """What replaced what in a namespace, and taking such a decision back."""

    async def supersessions(self, seen: int) -> Supersessions | None:
        """All SUPERSEDES, MAY_SUPERSEDE and REPEATS edges between current nodes that nobody reverted; None when none came or went since
        that version.

        They go with either of their ends, so that what was replaced stands again, and with the generation whose extraction found them.
        """
        ...

    async def replaced(self, ids: Sequence[str]) -> Mapping[str, tuple[Supersession, ...]]:
        """What replaced each of these memories, what was said first first; nothing of what nothing replaced.

        Of what `supersessions` has, read of these alone.
        """
        ...

    async def revert(self, reversal: Reversal) -> Reverted:
        """Takes back, or puts back, that the one memory replaces, or repeats, the other, in one transaction.

        A reverted edge has `reverted_at` and `reverted_by`, has no effect, and outlives its generation, between retired nodes too. It is
        about the messages that its two ends rest on: an edge of its kind that a later extraction finds between memories of which the newer
        one rests on a message of its newer one, and the older one on a message of its older one, is stored as reverted. To put it back
        takes all such decisions back. What is so already changes nothing and makes no revision.

        Raises:
            NotFound: there is no such edge from the one to the other.
        """
        ...
