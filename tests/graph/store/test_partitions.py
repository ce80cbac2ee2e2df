"""Several stores as one: where a namespace goes, and what happens when a store is away or the map changes."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import timedelta
from pathlib import Path

import pytest

from graph.errors import AlreadyExists, Conflict, NamespaceNotFound, NotFound, StoreBusy, StoreUnavailable
from graph.model import ExtractionMode, JobKind
from graph.store.embedded import EmbeddedStore
from graph.store.partitioned import Partition, PartitionedStore
from graph.store.partitioned import store as partitioned_store
from graph.store.port import AppendCommand, JobDeferred, NamespaceSpec
from tests.graph.store.conftest import IDLE, LEASE, SPEC, CountingIds, ManualClock, draft

NAMES = ("acme", "acme/support", "acme-2", "acme/support/eu", "beta", "globex", "globex/ana", "zeta")
MAP = {"rest": (), "acme": ("acme",), "eu": ("globex", "acme/support/eu")}
EXTRACTION = {JobKind.EXTRACTION}


class AwayMemory:
    """A namespace of a store that cannot be asked."""

    async def settings(self):
        raise StoreUnavailable("the store is away")

    list_sessions = append = settings


class Away(EmbeddedStore):
    """A store that cannot be asked."""

    async def lease_job(self, *_, **__):
        raise StoreUnavailable("the store is away")

    async def wait_for_work(self, *_, **__):
        raise StoreUnavailable("the store is away")

    def namespace(self, *_, **__):
        return AwayMemory()

    async def ping(self):
        raise StoreUnavailable("the store is away")


@pytest.fixture
def opened(tmp_path: Path, clock: ManualClock, ids: CountingIds):
    """`async with opened(map) as (store, parts)`: stores in directories named as the map's keys."""

    @asynccontextmanager
    async def open_(prefixes=MAP, away: tuple[str, ...] = ()) -> AsyncIterator[tuple[PartitionedStore, dict[str, EmbeddedStore]]]:
        kinds = {name: Away if name in away else EmbeddedStore for name in prefixes}
        parts = {name: kinds[name](tmp_path / name, clock=clock, ids=ids) for name in prefixes}
        store = PartitionedStore([Partition(name, parts[name], given) for name, given in prefixes.items()])
        await store.open()
        try:
            yield store, parts
        finally:
            await store.close()

    return open_


async def create(store, *names: str) -> None:
    for name in names:
        await store.create_namespace(NamespaceSpec(name, SPEC, ExtractionMode.EVENT))


async def say(store, name: str, *sessions: str) -> None:
    for session in sessions:
        await store.namespace(name).append(AppendCommand(session, (draft("Hello"),), IDLE))
        await store.namespace(name).flush(session)


async def held(store) -> list[str]:
    return [namespace.name for namespace in await store.list_namespaces("", "", 100)]


async def test_the_longest_prefix_of_whole_segments_decides(opened):
    async with opened() as (store, parts):
        await create(store, *NAMES)

        assert await held(parts["acme"]) == ["acme", "acme/support"]
        assert await held(parts["eu"]) == ["acme/support/eu", "globex", "globex/ana"]
        assert await held(parts["rest"]) == ["acme-2", "beta", "zeta"]


@pytest.mark.parametrize("limit", [1, 2, 3, 100])
@pytest.mark.parametrize("prefix", ["", "acme", "acme/support", "globex", "nothing"])
async def test_a_listing_is_that_of_one_store(opened, prefix: str, limit: int):
    async with opened() as (store, _):
        await create(store, *NAMES)
        listed, after = [], ""
        while page := await store.list_namespaces(prefix, after, limit):
            assert len(page) <= limit
            listed += [namespace.name for namespace in page]
            after = listed[-1]

    assert listed == sorted(name for name in NAMES if not prefix or name == prefix or name.startswith(f"{prefix}/"))


async def test_every_store_has_its_turn(opened):
    async with opened() as (store, _):
        await create(store, "acme", "beta", "globex")
        await say(store, "acme", "s1", "s2", "s3")
        await say(store, "beta", "s1")
        await say(store, "globex", "s1", "s2")
        of_one = await store.lease_job("w", LEASE, EXTRACTION, "globex")
        assert of_one is not None
        await store.namespace("globex").finish_job(of_one, JobDeferred(of_one.job.run_after))
        order = []
        while (lease := await store.lease_job("w", LEASE, EXTRACTION)) is not None:
            order.append(lease.job.namespace)

    assert sorted(order[:3]) == ["acme", "beta", "globex"]
    assert sorted(order[3:5]) == ["acme", "globex"]
    assert order[5:] == ["acme"]


async def test_work_in_any_store_wakes(opened):
    async with opened() as (store, _):
        await create(store, "acme", "beta")
        for name in ("acme", "beta"):
            waiting = asyncio.create_task(store.wait_for_work(timedelta(seconds=60)))
            await asyncio.sleep(0.05)
            assert not waiting.done()
            await say(store, name, "s1")
            async with asyncio.timeout(20):
                await waiting
            assert await store.lease_job("w", LEASE, EXTRACTION) is not None


async def test_a_store_that_is_away_hinders_no_other(opened):
    async with opened(away=("acme",)) as (store, _):
        await store.ping()
        await create(store, "beta")
        await say(store, "beta", "s1")
        lease = await store.lease_job("w", LEASE, EXTRACTION)
        assert lease is not None
        assert lease.job.namespace == "beta"
        assert await store.lease_job("w", LEASE, EXTRACTION) is None

        waiting = asyncio.create_task(store.wait_for_work(timedelta(seconds=60)))
        await asyncio.sleep(0.05)
        assert not waiting.done()
        await say(store, "beta", "s2")
        async with asyncio.timeout(20):
            await waiting


async def test_a_store_that_does_not_answer_is_not_waited_for(opened, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(partitioned_store, "_LONGEST_WAIT_S", 0.05)
    async with opened(away=("acme",)) as (store, _), asyncio.timeout(20):
        asked = 0

        async def silent(_: AwayMemory) -> None:
            nonlocal asked
            asked += 1
            await asyncio.Event().wait()

        monkeypatch.setattr(AwayMemory, "settings", silent)
        for name in ("beta", "beta-2", "beta-3"):
            with pytest.raises(NamespaceNotFound):
                await store.namespace(name).settings()
    assert asked == 1


async def test_a_store_that_answers_late_is_heard_before_a_namespace_is_made(opened, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(partitioned_store, "_LONGEST_WAIT_S", 0.01)
    async with opened() as (store, parts):
        # Made where the map does not look for it.
        await create(parts["rest"], "acme/ana")
        namespace = parts["rest"].namespace

        class Late:
            """A namespace whose store takes its time."""

            def __init__(self, *given, **named):
                self._memory = namespace(*given, **named)

            async def settings(self):
                await asyncio.sleep(0.2)
                return await self._memory.settings()

        monkeypatch.setattr(parts["rest"], "namespace", Late)
        for _ in range(2):
            with pytest.raises(Conflict):
                await create(store, "acme/ana")


async def test_stores_that_are_all_away_are_no_store(opened):
    async with opened(away=tuple(MAP)) as (store, _):
        with pytest.raises(StoreUnavailable):
            await store.ping()
        with pytest.raises(StoreUnavailable):
            await store.lease_job("w", LEASE, EXTRACTION)


async def test_a_changed_map_moves_nothing_and_is_refused(opened):
    async with opened() as (store, _):
        await create(store, "acme", "beta")
        await say(store, "acme", "s1")
        exported = [batch async for batch in store.namespace("acme").export()]

    async def records() -> AsyncIterator:
        for batch in exported:
            yield batch

    async with opened({"rest": (), "acme": ("other",)}) as (store, parts):
        there = await parts["acme"].namespace("acme").settings()
        for refused in (
            lambda: store.namespace("acme").settings(),
            lambda: say(store, "acme", "s2"),
            lambda: create(store, "acme"),
            lambda: store.import_namespace(there, records()),
            lambda: store.delete_namespace("acme"),
            lambda: anext(store.namespace("acme").export()),
        ):
            with pytest.raises(Conflict, match="another database"):
                await refused()
        assert await held(store) == ["beta"]
        assert [finding.problem for finding in await store.check()] == ["NAMESPACE_MISPLACED"]
        assert await store.lease_job("w", LEASE, EXTRACTION) is None
        with pytest.raises(NotFound):
            await store.namespace("nowhere").settings()
        with pytest.raises(AlreadyExists):
            await create(store, "beta")

    async with opened() as (store, _):
        assert (await store.namespace("acme").settings()).revision == there.revision


async def test_what_is_not_in_its_namespace_is_not_found_as_in_one_store(opened):
    async with opened() as (store, parts):
        await create(store, "acme")
        await create(parts["rest"], "acme")  # as after a copy, before the old one is deleted

        with pytest.raises(NotFound):
            await store.namespace("acme").get_job("job_01hw000000e008000000000003")


async def test_all_are_closed_when_one_cannot_be_opened(opened, tmp_path: Path, clock: ManualClock, ids: CountingIds):
    owner = EmbeddedStore(tmp_path / "acme", clock=clock, ids=ids)
    await owner.open()
    with pytest.raises(StoreBusy, match="acme"):
        async with opened():
            raise AssertionError("a store that another one owns was opened")
    await owner.close()
    async with opened() as (store, _):
        await create(store, *NAMES)


def test_two_stores_cannot_have_one_prefix(tmp_path: Path):
    parts = [Partition(name, EmbeddedStore(tmp_path / name), ("acme",)) for name in ("one", "two")]
    with pytest.raises(ValueError, match="acme"):
        PartitionedStore(parts)
