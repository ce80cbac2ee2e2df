"""A long analysis whose caller has given up stops at its next passage, in the threads of either store."""

import asyncio
import threading
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime
from typing import Any

import pytest

from graph.giving_up import GivenUp, in_thread
from graph.store.embedded.files.workers import Workers
from graph.text import index_turn

_LONG = "Ana went to Lisbon on 8 May 2023. " * 25_000
_NOW = datetime(2024, 3, 5, tzinfo=UTC)


@pytest.fixture(params=["pool", "thread"])
def run(request: Any) -> Any:
    if request.param == "thread":
        yield in_thread
        return
    workers = Workers(1)
    yield workers.run
    workers.close()


async def test_an_analysis_that_was_given_up_stops(run: Callable[[Callable[[], object]], Awaitable[object]]) -> None:
    begun, ended = threading.Event(), threading.Event()
    raised: list[BaseException] = []

    def work() -> None:
        begun.set()
        try:
            # Until somebody gives up: it would not end by itself.
            while True:
                index_turn("Tom", _LONG, "", _NOW, UTC)
        except BaseException as error:
            raised.append(error)
            raise
        finally:
            ended.set()

    calling = asyncio.ensure_future(run(work))
    await asyncio.to_thread(begun.wait)
    calling.cancel()
    with pytest.raises(asyncio.CancelledError):
        await calling
    assert await asyncio.to_thread(ended.wait, 60)
    assert [type(error) for error in raised] == [GivenUp]


async def test_what_is_waited_for_is_done(run: Callable[[Callable[[], Any]], Awaitable[Any]]) -> None:
    indexed = await run(lambda: index_turn("Tom", _LONG, "", _NOW, UTC))
    assert len(indexed.passages) > 100
