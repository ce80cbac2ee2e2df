"""What replaced what in a namespace."""

from typing import Protocol

from graph.model import Supersessions


class Reconciles(Protocol):
    """What replaced what in a namespace."""

    async def supersessions(self, seen: int) -> Supersessions | None:
        """All SUPERSEDES and REPEATS edges between current nodes; None when none came or went since the `version` that was seen.

        They go with either of their ends, so that what was replaced stands again, and with the generation whose extraction found them.
        """
        ...
