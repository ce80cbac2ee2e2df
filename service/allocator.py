"""The C library's allocator: memory that large answers took goes back to the system.

glibc gives each thread an arena of its own, up to eight a core, and keeps what was freed in them. Elsewhere than on glibc nothing is done.
"""

import asyncio
import ctypes
from typing import Any

# mallopt(3): M_ARENA_MAX. Two arenas are enough for threads that hold Python's lock most of the time.
_ARENA_MAX = -8
_ARENAS = 2
_EVERY_S = 5.0


def bound_arenas() -> None:
    """Bounds the number of arenas. Before threads start."""
    if set_option := _function("mallopt"):
        set_option(_ARENA_MAX, _ARENAS)


async def trim_for_ever() -> None:
    """Gives back what is free, again and again, in a thread and without Python's lock."""
    trim = _function("malloc_trim")
    while trim is not None:
        await asyncio.sleep(_EVERY_S)
        await asyncio.to_thread(trim, 0)


def _function(name: str) -> Any:
    """A function of the C library; None where it has none of this name."""
    try:
        return getattr(ctypes.CDLL(None), name, None)
    except OSError:
        return None
