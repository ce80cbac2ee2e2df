"""A real store in a temporary directory, and a clock that tests move."""

from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from graph.store.embedded import EmbeddedStore


class MovedClock:
    """Stands still until moved."""

    def __init__(self, now: datetime) -> None:
        self._now = now

    def now(self) -> datetime:
        return self._now

    def move(self, by: timedelta) -> None:
        self._now += by


@pytest.fixture
def clock() -> MovedClock:
    return MovedClock(datetime(2023, 5, 17, 14, 30, tzinfo=UTC))


@pytest.fixture
async def store(tmp_path: Path, clock: MovedClock) -> AsyncIterator[EmbeddedStore]:
    opened = EmbeddedStore(tmp_path / "data", clock=clock)
    await opened.open()
    yield opened
    await opened.close()
