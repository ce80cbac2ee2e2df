"""Work that grows with the number of candidates: few are worked on in place, many in a thread, so that other calls need not wait."""

import asyncio
from collections.abc import Callable
from typing import ParamSpec, TypeVar

P = ParamSpec("P")
R = TypeVar("R")
# Candidates that take so little time (about 2 ms) that other calls may wait for it.
_WORKED_ON_IN_PLACE = 4_000


async def aside(candidates: int, work: Callable[P, R], /, *args: P.args, **kwargs: P.kwargs) -> R:
    """What `work` returns of so many candidates; in a thread where they are many."""
    if candidates <= _WORKED_ON_IN_PLACE:
        return work(*args, **kwargs)
    return await asyncio.to_thread(work, *args, **kwargs)
