"""Work that is given up, more than once and at any moment: it has ended before its caller goes on, and nothing of it stays."""

import asyncio
import threading
import time

import apsw
import pytest

from graph.errors import StoreUnavailable, TooManyExports
from graph.giving_up import given_up
from graph.store.embedded.files.workers import Workers


def nobody_reads(directory, uid):
    """Whether the log of a namespace's file can be emptied, as it can be when no snapshot of it is open."""
    db = apsw.Connection(str(directory / "namespaces" / f"{uid}.db"))
    try:
        db.wal_checkpoint(mode=apsw.SQLITE_CHECKPOINT_TRUNCATE)
    except apsw.BusyError:
        return False
    finally:
        db.close()
    return True


async def test_a_caller_that_is_cancelled_twice_waits_for_the_step_all_the_same():
    workers = Workers(1)
    begun, ended = threading.Event(), threading.Event()

    def step():
        begun.set()
        while not given_up():
            time.sleep(0.001)
        time.sleep(0.02)
        ended.set()

    caller = asyncio.create_task(workers.run_to_end(step))
    await asyncio.to_thread(begun.wait)
    for _ in range(3):
        caller.cancel()
        await asyncio.sleep(0.001)
    with pytest.raises(asyncio.CancelledError):
        await caller
    assert ended.is_set()
    workers.close()


async def test_what_closes_something_is_done_even_without_threads():
    workers = Workers(1)
    workers.close()
    done = []
    await workers.let_go(lambda: done.append(True))
    assert done
    with pytest.raises(StoreUnavailable):
        await workers.run(list)


async def test_an_export_that_is_cancelled_twice_in_the_middle_of_a_step_lets_go_of_its_snapshot(bench, tmp_path):
    await bench.say(*(f"message {n}" for n in range(1_000)))
    uid = (await bench.store.namespace(bench.namespace).settings()).uid
    for number in range(100):
        records = bench.store.namespace(bench.namespace).export()
        step = asyncio.create_task(anext(aiter(records)))
        await asyncio.sleep(number / 20_000)
        step.cancel()
        await asyncio.sleep(0)
        step.cancel()
        await asyncio.wait([step])
        assert step.cancelled() or not isinstance(step.exception(), ValueError | RuntimeError)
        await records.aclose()
        assert nobody_reads(tmp_path / "data", uid)
    await bench.say("still written to")


async def test_only_so_many_exports_are_read_at_once(bench):
    await bench.say("a")
    exports = [bench.store.namespace(bench.namespace).export() for _ in range(40)]
    refused = 0
    for records in exports:
        try:
            await anext(aiter(records))
        except TooManyExports:
            refused += 1
    assert refused == 8
    for records in exports:
        await records.aclose()
    assert [batch async for batch in bench.store.namespace(bench.namespace).export()]
