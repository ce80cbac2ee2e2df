"""What is resident in memory, as Linux counts it."""

import asyncio
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from pathlib import Path

import psutil

from bench.server import MB, ServerProcess

_PAUSE_S = 0.05


@dataclass(frozen=True, slots=True)
class Taken:
    """What one step took.

    Attributes:
        peak_mb: the highest resident memory of the service while it lasted; with_children_mb: of it and its child processes.
        after_mb: what was resident when it had ended.
    """

    step: str
    seconds: float
    peak_mb: float
    with_children_mb: float
    after_mb: float


def can_be_read() -> bool:
    """Whether this system tells peaks."""
    return Path("/proc/self/clear_refs").exists()


async def taken(process: ServerProcess, step: str, work: Callable[[], Awaitable[None]]) -> Taken:
    """What the service takes while the work is done."""
    main = psutil.Process(process.pid)
    _begin_anew(main)
    began = time.perf_counter()
    task = asyncio.ensure_future(work())
    highest = 0.0
    while not task.done():
        highest = max(highest, _resident(main) + sum(map(_resident, main.children(recursive=True))))
        await asyncio.wait({task}, timeout=_PAUSE_S)
    await task
    peak = _highest(main)
    return Taken(step, time.perf_counter() - began, peak, max(peak, highest), _resident(main))


def _begin_anew(process: psutil.Process) -> None:
    """Lets the highest resident memory count from now on: proc(5)."""
    Path(f"/proc/{process.pid}/clear_refs").write_text("5")


def _highest(process: psutil.Process) -> float:
    lines = Path(f"/proc/{process.pid}/status").read_text().splitlines()
    [peak] = [int(line.split()[1]) * 1024 / MB for line in lines if line.startswith("VmHWM")]
    return peak


def _resident(process: psutil.Process) -> float:
    try:
        return float(process.memory_info().rss) / MB
    except psutil.NoSuchProcess:
        return 0.0
