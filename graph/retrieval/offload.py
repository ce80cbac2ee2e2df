"""Work on many candidates goes to a thread, so that the event loop answers other calls meanwhile; on few it is done in place."""

import asyncio
from collections.abc import Callable
from typing import ParamSpec, TypeVar

P = ParamSpec("P")
R = TypeVar("R")
# Work on this many takes about 2 ms: other calls may wait so long.
_FEW = 4_000


async def offload_if_many(candidates: int, work: Callable[P, R], /, *args: P.args, **kwargs: P.kwargs) -> R:
    """What `work` returns; it runs in a thread if its time grows with many candidates."""
    if candidates <= _FEW:
        return work(*args, **kwargs)
    return await asyncio.to_thread(work, *args, **kwargs)
