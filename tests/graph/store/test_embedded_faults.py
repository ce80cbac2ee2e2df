"""Faults of the disk: a clear error, nothing acknowledged that is not kept, nothing of the machine in the message."""

import asyncio
import importlib.util
import os
import secrets
import tempfile
import threading
from contextlib import closing
from datetime import UTC, datetime, timedelta
from pathlib import Path

import apsw
import hypothesis.strategies as st
import pytest
from hypothesis import HealthCheck, given, settings

from graph.errors import NamespaceCorrupt, StorageFull, StoreUnavailable
from graph.model import EmbeddingSpec, ExtractionMode, Role
from graph.store.embedded import EmbeddedStore
from graph.store.embedded.memory import EmbeddedMemory
from graph.store.port import AppendCommand, Deletion, EventQuery, MessageDraft, MessageQuery, NamespaceSpec

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
    vfs.fault, vfs.fail_reads, vfs.only = None, False, ""
    await bench.store.close()


def says_nothing_of_the_machine(error, tmp_path):
    text = str(error)
    assert not any(word in text for word in (str(tmp_path), "SELECT", "INSERT", "injected", "sqlite", ".db", "nodes"))
    return True


@pytest.mark.parametrize(
    ("fault", "error"),
    [("ENOSPC", StorageFull), ("EIO", StoreUnavailable), ("sync", StoreUnavailable), ("EROFS", StoreUnavailable)],
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
    assert await faulty.store.namespace(faulty.namespace).check() == []


@pytest.mark.parametrize("fault", ["ENOSPC", "EIO", "sync", "EROFS"])
async def test_an_extraction_that_cannot_be_written_leaves_nothing_and_can_be_written_later(faulty, vfs, fault, monkeypatch):
    await faulty.say("a", "b")
    store, commit = faulty.store, EmbeddedMemory.commit_extraction

    async def failing(memory, lease, write):
        vfs.fault = fault
        with pytest.raises((StorageFull, StoreUnavailable)):
            await commit(memory, lease, write)
        vfs.fault = None
        assert (await store.namespace(faulty.namespace).list_events(EventQuery(), None, 9)).items == ()
        assert await store.namespace(faulty.namespace).check() == []
        return await commit(memory, lease, write)

    monkeypatch.setattr(EmbeddedMemory, "commit_extraction", failing)
    write = await faulty.extract()
    page = await store.namespace(faulty.namespace).list_events(EventQuery(), None, 9)
    assert [event.id for event in page.items] == [event.id for event in write.events]
    assert await store.namespace(faulty.namespace).check() == []


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
        assert await faulty.store.namespace(faulty.namespace).check() == []
        await abandoned.close()


@settings(max_examples=10, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(chance=st.randoms(use_true_random=False), rounds=st.integers(1, 2))
async def test_whichever_unsynced_writes_a_power_cut_loses_nothing_acknowledged_goes(vfs, chance, rounds):
    """A disk keeps what it likes of what was not synced, in any order; a write that was refused may be there as a whole."""
    with tempfile.TemporaryDirectory() as place:
        said = []
        store = EmbeddedStore(Path(place) / "0", vfs=vfs.name)
        await store.open()
        await store.create_namespace(NamespaceSpec("n", SPEC, ExtractionMode.OFF))
        for number in range(rounds):
            said.append(f"kept {number}")
            await store.namespace("n").append(AppendCommand("s", (draft(said[-1]),), timedelta(0)))
            vfs.fault = "sync"
            refused = [f"refused {number}.{index} " * 80 for index in range(4)]
            with pytest.raises(StoreUnavailable):
                await store.namespace("n").append(AppendCommand("s", tuple(map(draft, refused)), timedelta(0)))
            assert vfs.power_cut(lambda: chance.random() < 0.5) > 0
            copy_tree(Path(place) / f"{number}", Path(place) / f"{number + 1}")
            vfs.fault = None
            await store.close()
            store = EmbeddedStore(Path(place) / f"{number + 1}", vfs=vfs.name)
            await store.open()
            texts = [message.text for message in (await store.namespace("n").list_messages(MessageQuery(), None, 99)).items]
            assert texts in (said, said + refused)
            said = texts
            assert await store.namespace("n").check() == []
        await store.close()


def draft(text):
    return MessageDraft("Ana", Role.USER, text, datetime(2024, 1, 1, tzinfo=UTC))


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
    entry = faulty.store._engine.catalog.get(faulty.namespace)
    with faulty.store._engine.files.use(entry) as file:
        with file.write(entry.settings) as tx:
            tx.db.execute("INSERT INTO usage VALUES ('x', 'y', 1, 1, 1, 1, 1)")
            tx.db.cache_flush()
        file._writer.pragma("synchronous", "OFF")
        with file.write(entry.settings) as tx:
            tx.db.execute("UPDATE usage SET calls = 2")
    assert vfs.power_cut() > 0


@pytest.mark.parametrize("damage", ["header", "middle", "text", "empty", "truncated", "a page", "no state", "absent", "another's"])
async def test_a_damaged_file_fails_alone_and_by_name(bench, tmp_path, open_store, damage):
    await bench.say("intact")
    intact = await bench.store.namespace(bench.namespace).settings()
    broken = await bench.create("broken")
    await bench.store.namespace("broken").append(
        AppendCommand("s", tuple(bench.draft(f"text {i} " * 50, i) for i in range(200)), timedelta(0))
    )
    await bench.store.close()
    file = tmp_path / "data" / "namespaces" / f"{broken.uid}.db"
    content = bytearray(file.read_bytes())
    match damage:
        case "header":
            content[:100] = os.urandom(100)
        case "middle":
            content[8192:-4096] = os.urandom(len(content) - 8192 - 4096)
        case "text":
            content = bytearray(b"not a database at all" * 300)
        case "empty":
            content = bytearray()
        case "truncated":
            del content[len(content) // 2 :]
        case "a page":
            del content[4096:]
        case "another's":
            content = bytearray(file.with_name(f"{intact.uid}.db").read_bytes())
    file.write_bytes(content)
    match damage:
        case "absent":
            file.unlink()
        case "no state":
            with closing(apsw.Connection(str(file))) as db:
                db.execute("DELETE FROM state")
    bench.store = await open_store()
    assert await bench.texts() == ["intact"]
    with pytest.raises(NamespaceCorrupt, match="broken") as caught:
        await bench.store.namespace("broken").list_messages(MessageQuery(), None, 500)
    assert caught.value.metadata == {"namespace": "broken"}
    assert says_nothing_of_the_machine(caught.value, tmp_path)
    with pytest.raises(NamespaceCorrupt, match="broken"):
        await bench.store.namespace("broken").append(AppendCommand("s", (bench.draft("more"),), timedelta(0)))
    problem = {"absent": "MISSING_FILE", "another's": "OTHER_NAMESPACE"}.get(damage, "DAMAGED_FILE")
    assert [finding.problem for finding in await bench.store.namespace("broken").check()] == [problem]
    assert not (damage == "absent" and file.exists())
    assert damage != "empty" or file.read_bytes() == b"", "nothing is laid into the wreck"
    assert {found.name for found in await bench.store.list_namespaces("", "", 9)} == {"broken", bench.namespace}
    assert (await bench.lease()).job.namespace == bench.namespace
    assert await bench.lease() is None
    await bench.store.ping()
    await bench.store.delete_namespace("broken")


async def test_a_file_that_cannot_be_read_keeps_no_other_namespace_from_its_work(faulty, vfs, tmp_path):
    await faulty.say("a")
    broken = await faulty.create("broken")
    await faulty.store.namespace("broken").append(AppendCommand("s", (faulty.draft("b"),), timedelta(0)))
    await faulty.store.close()
    faulty.store = EmbeddedStore(tmp_path / "faulty", clock=faulty.clock, ids=faulty.ids, vfs=vfs.name)
    await faulty.store.open()
    vfs.fault, vfs.fail_reads, vfs.only = "EIO", True, broken.uid
    assert [found.name for found in await faulty.store.list_namespaces("", "", 9)] == [faulty.namespace, "broken"]
    assert (await faulty.lease()).job.namespace == faulty.namespace
    assert await faulty.lease() is None
    await faulty.store.ping()
    with pytest.raises(StoreUnavailable, match="namespace broken") as caught:
        await faulty.store.namespace("broken").settings()
    assert says_nothing_of_the_machine(caught.value, tmp_path)
    vfs.fault, vfs.fail_reads = None, False
    faulty.clock.advance(10)
    assert (await faulty.lease()).job.namespace == "broken"


@pytest.mark.parametrize(
    ("fault", "error"),
    [("ENOSPC", StorageFull), ("EIO", StoreUnavailable), ("sync", StoreUnavailable), ("EROFS", StoreUnavailable)],
)
async def test_a_ping_tells_whether_the_directory_can_be_written(faulty, vfs, fault, error):
    await faulty.store.ping()
    vfs.fault, vfs.only = fault, "catalog"
    with pytest.raises(error):
        await faulty.store.ping()
    vfs.fault = None
    await faulty.store.ping()


@pytest.mark.parametrize("damage", ["header", "empty", "absent", "no table", "settings"])
async def test_a_damaged_catalog_is_told_and_hides_no_namespace_behind_a_new_one(bench, tmp_path, open_store, damage):
    await bench.say("kept")
    await bench.store.close()
    file = tmp_path / "data" / "catalog.db"
    content = file.read_bytes()
    match damage:
        case "header":
            file.write_bytes(os.urandom(100) + content[100:])
        case "empty":
            file.write_bytes(b"")
        case "absent":
            file.unlink()
        case _:
            with closing(apsw.Connection(str(file))) as db:
                db.execute("DROP TABLE namespaces" if damage == "no table" else "UPDATE namespaces SET settings = '{'")
    for _ in range(2):
        with pytest.raises(NamespaceCorrupt, match="backup") as caught:
            await open_store()
        assert says_nothing_of_the_machine(caught.value, tmp_path)
    file.write_bytes(content)
    bench.store = await open_store()
    assert await bench.texts() == ["kept"]


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


async def test_deleted_text_is_nowhere_on_the_disk(open_store, clock, ids, tmp_path):
    store = await open_store()
    await store.create_namespace(NamespaceSpec("n", EmbeddingSpec("none", "", 0), ExtractionMode.OFF))
    word = "Quixotephrase" + secrets.token_hex(8)
    filler = [MessageDraft("Ana", Role.USER, f"filler {i} " * 20, clock.now()) for i in range(60)]
    secret = MessageDraft("Ana", Role.USER, f"{word} " * 30, clock.now(), labels={"l": word}, image_caption=word, client_id=word)
    outcome = await store.namespace("n").append(AppendCommand("s", (*filler[:30], secret, *filler[30:]), timedelta(0)))
    where = tmp_path / "data"
    assert any(word.encode() in file.read_bytes() for file in where.rglob("*") if file.is_file())
    await store.namespace("n").delete(Deletion((outcome.messages[30].id,)))
    assert [file for file in where.rglob("*") if file.is_file() and word.encode() in file.read_bytes()] == []


async def test_a_cancelled_read_stops(bench):
    endless = "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n) SELECT count(*) FROM n"
    begun = threading.Event()

    def read(db, _):
        begun.set()
        return db.execute(endless).get

    task = asyncio.create_task(bench.store.namespace(bench.namespace).read(read))
    assert await asyncio.to_thread(begun.wait, 30)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    # Reads are one at a time: this one is only answered when the endless one has ended.
    assert await bench.texts() == []


async def test_what_is_deleted_during_an_export_is_gone_with_the_first_write_after_it(bench, tmp_path):
    word = "zyzzyvaquux"
    said = await bench.say(f"the {word} word", "and another")
    export = bench.store.namespace(bench.namespace).export()
    await anext(export)
    await bench.store.namespace(bench.namespace).delete(Deletion((said.messages[0].id,)))
    await bench.say("writes go on meanwhile")
    async for _ in export:
        pass
    await bench.say("the first write after it")
    assert [file for file in tmp_path.rglob("*") if file.is_file() and word.encode() in file.read_bytes()] == []
