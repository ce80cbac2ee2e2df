"""Faults of the disk: a clear error, nothing acknowledged that is not kept, nothing of the machine in the message."""

import importlib.util
import os
import secrets
import tempfile
from datetime import timedelta
from pathlib import Path

import pytest

from graph.errors import NamespaceCorrupt, StorageFull, StoreUnavailable
from graph.model import EmbeddingSpec, ExtractionMode
from graph.store.commands import AppendCommand, Deletion, MessageQuery, NamespaceSpec
from graph.store.embedded import EmbeddedStore

_spec = importlib.util.spec_from_file_location("faulty_vfs", Path(__file__).with_name("faulty_vfs.py"))
faulty_vfs = importlib.util.module_from_spec(_spec)
_spec.loader.exec_module(faulty_vfs)

SPEC = EmbeddingSpec("test", "f", 8)


@pytest.fixture
def vfs():
    layer = faulty_vfs.FaultyVfs(f"faulty-{secrets.token_hex(4)}")
    yield layer
    layer.unregister()


@pytest.fixture
async def faulty(bench, vfs, tmp_path):
    """A bench on a store whose disk can fail."""
    bench.store = EmbeddedStore(tmp_path / "faulty", clock=bench.clock, ids=bench.ids, vfs=vfs.name)
    await bench.store.open()
    await bench.create()
    yield bench
    vfs.fault, vfs.fail_reads = None, False
    await bench.store.close()


def says_nothing_of_the_machine(error, tmp_path):
    text = str(error)
    assert not any(word in text for word in (str(tmp_path), "SELECT", "INSERT", "injected", "sqlite", ".db", "nodes"))
    return True


@pytest.mark.parametrize(
    ("fault", "error"), [("ENOSPC", StorageFull), ("EIO", StoreUnavailable), ("sync", StoreUnavailable)]
)  # fmt: skip
async def test_a_write_that_fails_is_not_acknowledged_and_leaves_nothing(faulty, vfs, tmp_path, fault, error):
    await faulty.say("before")
    vfs.fault = fault
    with pytest.raises(error) as caught:
        await faulty.say("lost", "too")
    assert says_nothing_of_the_machine(caught.value, tmp_path)
    if error is StoreUnavailable:
        assert caught.value.retry_after == timedelta(seconds=1)
    vfs.fault = None
    assert await faulty.texts() == ["before"]
    assert (await faulty.say("after")).messages[0].seq == 2
    assert await faulty.store.check(faulty.namespace) == []


async def test_a_namespace_that_cannot_be_made_leaves_nothing(faulty, vfs):
    vfs.fault = "ENOSPC"
    with pytest.raises(StorageFull):
        await faulty.create("other")
    vfs.fault = None
    await faulty.create("other")


async def test_a_read_that_fails_says_so(faulty, vfs, tmp_path):
    await faulty.say("a")
    await faulty.store.close()
    faulty.store = EmbeddedStore(tmp_path / "faulty", clock=faulty.clock, ids=faulty.ids, vfs=vfs.name)
    await faulty.store.open()
    vfs.fail_reads = True
    with pytest.raises(StoreUnavailable) as caught:
        await faulty.texts()
    assert says_nothing_of_the_machine(caught.value, tmp_path)
    vfs.fail_reads = False
    assert await faulty.texts() == ["a"]


@pytest.mark.parametrize("rounds", [1, 4])
async def test_a_power_cut_loses_nothing_that_was_acknowledged(faulty, vfs, tmp_path, rounds):
    said = []
    for number in range(rounds):
        for text in "abc":
            await faulty.say(f"{text}{number}")
            said.append(f"{text}{number}")
        if number == 0:
            await faulty.extract()
        # The process is gone with the power: its handles are closed without a word, and what was not synced is lost.
        directory = faulty.store._engine.directory
        abandoned = faulty.store
        vfs.power_cut()
        copy = tmp_path / f"copy{number}"
        copy_tree(directory, copy)
        faulty.store = EmbeddedStore(copy, clock=faulty.clock, ids=faulty.ids, vfs=vfs.name)
        await faulty.store.open()
        assert await faulty.texts() == said
        assert await faulty.store.check(faulty.namespace) == []
        await abandoned.close()


def copy_tree(source: Path, target: Path) -> None:
    """The files as a restart would find them; the log's shared index does not outlive the process that made it."""
    for file in source.rglob("*"):
        if file.is_file() and not file.name.endswith("-shm"):
            place = target / file.relative_to(source)
            place.parent.mkdir(parents=True, exist_ok=True)
            place.write_bytes(file.read_bytes())


async def test_unsynced_writes_do_get_lost_by_this_layer(faulty, vfs):
    """The layer's own test: a store that would not sync would be caught."""
    await faulty.say("a")
    with faulty.store._engine.files.use(faulty.store._engine.catalog.get(faulty.namespace)) as file:
        with file.write() as tx:
            tx.db.execute("INSERT INTO usage VALUES ('x', 'y', 1, 1, 1, 1, 1)")
            tx.db.cache_flush()
        file._writer.pragma("synchronous", "OFF")
        with file.write() as tx:
            tx.db.execute("UPDATE usage SET calls = 2")
    assert vfs.power_cut() > 0


@pytest.mark.parametrize("damage", ["header", "middle", "empty"])
async def test_a_damaged_file_fails_alone_and_by_name(bench, tmp_path, open_store, damage):
    await bench.say("intact")
    broken = await bench.create("broken")
    await bench.store.append("broken", AppendCommand("s", tuple(bench.draft(f"text {i} " * 50, i) for i in range(200)), timedelta(0)))
    await bench.store.close()
    file = tmp_path / "data" / "namespaces" / f"{broken.uid}.db"
    content = bytearray(file.read_bytes())
    match damage:
        case "header":
            content[:100] = os.urandom(100)
        case "middle":
            content[8192:-4096] = os.urandom(len(content) - 8192 - 4096)
        case "empty":
            content = bytearray(b"not a database at all" * 300)
    file.write_bytes(content)
    bench.store = await open_store()
    assert await bench.texts() == ["intact"]
    with pytest.raises(NamespaceCorrupt, match="broken") as caught:
        await bench.store.list_messages("broken", MessageQuery(), None, 500)
    assert caught.value.metadata == {"namespace": "broken"}
    assert says_nothing_of_the_machine(caught.value, tmp_path)
    assert [finding.problem for finding in await bench.store.check("broken")] == ["DAMAGED_FILE"]
    assert {found.name for found in await bench.store.list_namespaces("", "", 9)} == {"broken", bench.namespace}
    await bench.lease()
    await bench.store.delete_namespace("broken")


@pytest.fixture
def read_only_directory():
    with tempfile.TemporaryDirectory() as place:
        directory = Path(place) / "data"
        (directory / "namespaces").mkdir(parents=True)
        Path(place).chmod(0o755)
        directory.chmod(0o555)
        yield directory
        directory.chmod(0o755)


async def test_a_read_only_directory_is_unavailable(read_only_directory):
    user = os.geteuid()
    # The superuser may write everywhere; for this moment the process is nobody in particular.
    os.seteuid(65534 if user == 0 else user)
    try:
        with pytest.raises(StoreUnavailable) as caught:
            await EmbeddedStore(read_only_directory).open()
    finally:
        os.seteuid(user)
    assert says_nothing_of_the_machine(caught.value, read_only_directory)


async def test_a_directory_that_is_a_file_is_unavailable(tmp_path):
    (tmp_path / "data").write_text("x")
    with pytest.raises(StoreUnavailable) as caught:
        await EmbeddedStore(tmp_path / "data").open()
    assert says_nothing_of_the_machine(caught.value, tmp_path)


async def test_a_disk_that_turns_read_only_is_unavailable(bench, tmp_path, open_store):
    await bench.say("a")
    with bench.store._engine.files.use(bench.store._engine.catalog.get(bench.namespace)) as file:
        file._writer.pragma("query_only", 1)
        with pytest.raises(StoreUnavailable) as caught:
            await bench.say("b")
        file._writer.pragma("query_only", 0)
    assert says_nothing_of_the_machine(caught.value, tmp_path)
    assert await bench.texts() == ["a"]


async def test_deleted_text_is_nowhere_on_the_disk(open_store, clock, ids, tmp_path):
    store = await open_store()
    await store.create_namespace(NamespaceSpec("n", EmbeddingSpec("none", "", 0), ExtractionMode.OFF))
    word = "Quixotephrase" + secrets.token_hex(8)
    from graph.model import Role
    from graph.store.commands import MessageDraft

    filler = [MessageDraft("Ana", Role.USER, f"filler {i} " * 20, clock.now()) for i in range(60)]
    secret = MessageDraft("Ana", Role.USER, f"{word} " * 30, clock.now(), labels={"l": word}, image_caption=word, client_id=word)
    outcome = await store.append("n", AppendCommand("s", (*filler[:30], secret, *filler[30:]), timedelta(0)))
    where = tmp_path / "data"
    assert any(word.encode() in file.read_bytes() for file in where.rglob("*") if file.is_file())
    await store.delete("n", Deletion((outcome.messages[30].id,)))
    assert [file for file in where.rglob("*") if file.is_file() and word.encode() in file.read_bytes()] == []


async def test_a_cancelled_read_stops(bench):
    import asyncio
    import time

    engine = bench.store._engine
    endless = "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n) SELECT count(*) FROM n"
    task = asyncio.create_task(engine.read(bench.namespace, lambda db, _: db.execute(endless).get))
    await asyncio.sleep(0.1)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    started = time.monotonic()
    assert await bench.texts() == []
    assert time.monotonic() - started < 30
