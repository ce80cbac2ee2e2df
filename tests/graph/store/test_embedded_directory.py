"""The data directory: one owner, versions, what a crash leaves behind, snapshots."""

import asyncio
import os
import signal
import subprocess
import sys
import textwrap
import threading
from dataclasses import replace
from datetime import timedelta

import apsw
import numpy as np
import pytest

from graph.errors import Conflict, NotFound, StoreBusy
from graph.model import EmbeddingSpec, ExtractionMode
from graph.store.embedded import EmbeddedStore
from graph.store.embedded.files import namespace_file, schema
from graph.store.embedded.files.schema import migrate
from graph.store.embedded.importing import namespace_import
from graph.store.embedded.searching import index as search_index
from graph.store.port import AppendCommand, Deletion, MessageQuery, NamespaceSpec
from graph.store.search import SearchIndex


def database(tmp_path, uid):
    return tmp_path / "data" / "namespaces" / f"{uid}.db"


async def test_a_second_store_is_kept_out(bench, tmp_path):
    second = EmbeddedStore(tmp_path / "data")
    with pytest.raises(StoreBusy, match=str(os.getpid())):
        await second.open()
    await second.close()
    await bench.say("still mine")


async def test_a_closed_store_lets_the_next_one_in(bench, open_store):
    await bench.say("kept")
    await bench.store.close()
    bench.store = await open_store()
    assert await bench.texts() == ["kept"]


async def test_a_newer_schema_is_refused(bench, tmp_path, open_store):
    uid = (await bench.store.namespace(bench.namespace).settings()).uid
    await bench.say("a")
    await bench.store.close()
    db = apsw.Connection(str(database(tmp_path, uid)))
    db.pragma("user_version", 99)
    db.close()
    bench.store = await open_store()
    with pytest.raises(Conflict, match=r"newer version of StructMem \(schema 99"):
        await bench.texts()


async def test_a_newer_catalog_is_refused_and_the_lock_let_go(bench, tmp_path, open_store):
    await bench.store.close()
    db = apsw.Connection(str(tmp_path / "data" / "catalog.db"))
    db.pragma("user_version", 99)
    db.close()
    for _ in range(2):
        with pytest.raises(Conflict, match="newer"):
            await open_store()


async def test_an_older_file_is_brought_forward(bench, open_store, monkeypatch):
    """What the next version of the schema will do to files of this one, here with a step that only the test knows."""
    await bench.say("a")
    await bench.store.close()

    def next_step(db):
        db.execute("CREATE TABLE moods (node INTEGER PRIMARY KEY, mood TEXT NOT NULL); INSERT INTO moods SELECT key, 'calm' FROM nodes")

    newer = (*schema.NAMESPACE_MIGRATIONS, next_step)
    monkeypatch.setattr(namespace_file, "NAMESPACE_MIGRATIONS", newer)
    bench.store = await open_store()
    assert await bench.texts() == ["a"]
    moods = await bench.store.namespace(bench.namespace).read(lambda db, _: db.execute("SELECT count(*) FROM moods").get)
    assert moods == 2
    await bench.create("fresh")
    assert await bench.store.namespace("fresh").read(lambda db, _: db.pragma("user_version")) == len(newer)


def test_a_file_without_a_version_gets_the_whole_schema(tmp_path):
    db = apsw.Connection(str(tmp_path / "old.db"))
    migrate(db, schema.NAMESPACE_MIGRATIONS, "the namespace")
    assert db.pragma("user_version") == len(schema.NAMESPACE_MIGRATIONS)
    assert db.execute("SELECT count(*) FROM nodes").get == 0
    db.close()


def test_a_step_that_fails_leaves_the_version_before_it(tmp_path):
    db = apsw.Connection(str(tmp_path / "old.db"))

    def broken(connection):
        connection.execute("CREATE TABLE half (x)")
        raise RuntimeError("broken")

    with pytest.raises(RuntimeError):
        migrate(db, (*schema.NAMESPACE_MIGRATIONS, broken), "the namespace")
    assert db.pragma("user_version") == len(schema.NAMESPACE_MIGRATIONS)
    assert db.execute("SELECT count(*) FROM sqlite_schema WHERE name = 'half'").get == 0
    db.close()


async def test_another_analyser_makes_the_passages_anew(bench, tmp_path, open_store):
    await bench.say("the ferry", "the boat")
    await bench.extract()
    uid = (await bench.store.namespace(bench.namespace).settings()).uid
    await bench.store.close()
    db = apsw.Connection(str(database(tmp_path, uid)))
    db.execute("UPDATE state SET analyser = 0; UPDATE passages SET terms = x'', counts = x'', length = 0")
    db.execute("UPDATE passages SET digest = x'00' WHERE key = 1; UPDATE vectors SET digest = x'00' WHERE passage = 1")
    db.close()
    bench.store = await open_store()
    assert "the ferry" in (await bench.found("ferry")).values()
    described = await bench.store.namespace(bench.namespace).describe()
    assert (described.vectors, described.vectors_pending) == (3, 1)
    assert (await bench.lease()).job.session == "s1"
    assert await bench.embed() == 1
    assert await bench.store.namespace(bench.namespace).check() == []


async def test_an_analysis_anew_is_done_although_whoever_began_it_has_given_up(bench, tmp_path, open_store, monkeypatch):
    await bench.say("the ferry", "the boat")
    uid = (await bench.store.namespace(bench.namespace).settings()).uid
    await bench.store.close()
    db = apsw.Connection(str(database(tmp_path, uid)))
    db.execute("UPDATE state SET analyser = 0; UPDATE passages SET terms = x'', counts = x'', length = 0")
    db.close()
    begun, go_on = threading.Event(), threading.Event()
    makes_anew = namespace_file.reanalyse

    def slow(*given, **named):
        begun.set()
        assert go_on.wait(30)
        makes_anew(*given, **named)

    monkeypatch.setattr(namespace_file, "reanalyse", slow)
    bench.store = await open_store()
    asking = asyncio.ensure_future(bench.found("ferry"))
    assert await asyncio.to_thread(begun.wait, 30)
    asking.cancel()
    with pytest.raises(asyncio.CancelledError):
        await asking
    go_on.set()
    # Nobody begins it again.
    monkeypatch.setattr(namespace_file, "reanalyse", None)
    assert "the ferry" in (await bench.found("ferry")).values()


@pytest.mark.parametrize("state", [1, 3])
async def test_what_was_half_made_or_half_deleted_is_swept(bench, tmp_path, open_store, state):
    uid = (await bench.store.namespace(bench.namespace).settings()).uid
    await bench.say("a")
    await bench.create("other")
    await bench.store.close()
    db = apsw.Connection(str(tmp_path / "data" / "catalog.db"))
    db.execute("UPDATE namespaces SET state = ? WHERE uid = ?", (state, uid))
    db.close()
    bench.store = await open_store()
    with pytest.raises(NotFound):
        await bench.texts()
    assert not list((tmp_path / "data" / "namespaces").glob(f"{uid}*"))
    assert [found.name for found in await bench.store.list_namespaces("", "", 9)] == ["other"]
    await bench.create()


async def test_more_namespaces_than_may_be_open(tmp_path, clock, ids, bench):
    bench.store = EmbeddedStore(tmp_path / "many", clock=clock, ids=ids, max_open_namespaces=2, index_memory_bytes=1)
    await bench.store.open()
    names = [f"n{i}" for i in range(6)]
    for name in names:
        bench.namespace = name
        await bench.create(name)
    for _ in range(2):
        for bench.namespace in names:
            await bench.say(f"word{bench.namespace}")
            assert set((await bench.found(f"word{bench.namespace}")).values()) == {f"word{bench.namespace}"}
    assert len(bench.store._engine.files.opened()) <= 2
    await bench.store.close()


async def test_a_listing_opens_no_file_of_what_it_does_not_show(tmp_path, clock, ids, bench):
    bench.store = EmbeddedStore(tmp_path / "many", clock=clock, ids=ids)
    await bench.store.open()
    for name in ("hidden/1", "hidden/2", "mine"):
        await bench.create(name)
    listed = await bench.store.list_namespaces("", "", 9, lambda name: name == "mine")
    assert [namespace.name for namespace in listed] == ["mine"]
    assert [file.name for file in bench.store._engine.files.opened()] == ["mine"]
    await bench.store.close()


async def test_a_large_index_is_saved_and_loaded(bench, tmp_path, open_store, monkeypatch):
    monkeypatch.setattr(search_index, "_SNAPSHOT_PASSAGES", 3)
    await bench.say(*(f"ferry {i}" for i in range(8)))
    await bench.extract()
    before = await bench.found("ferry", bench.unit(1).astype(np.float32))
    await bench.store.close()
    (snapshot,) = (tmp_path / "data" / "namespaces").glob("*.index")
    built = []
    monkeypatch.setattr(search_index, "_built", lambda *_: built.append(1))
    bench.store = await open_store()
    await bench.say("ferry later")
    assert set(await bench.found("ferry", bench.unit(1).astype(np.float32))) > set(before)
    assert not built
    assert await bench.store.namespace(bench.namespace).check() == []
    await bench.store.close()
    monkeypatch.undo()
    snapshot.write_bytes(b"damaged" + snapshot.read_bytes()[7:])
    bench.store = await open_store()
    assert len(await bench.found("ferry")) == 17


async def eventually(holds) -> None:
    for _ in range(250):
        if holds():
            return
        await asyncio.sleep(0.02)
    raise AssertionError("it never came to that")


async def test_indexes_beyond_their_memory_are_let_go_in_the_background(tmp_path, clock, ids, bench):
    bench.store = EmbeddedStore(tmp_path / "many", clock=clock, ids=ids, index_memory_bytes=1)
    await bench.store.open()
    for bench.namespace in ("one", "two", "three"):
        await bench.create(bench.namespace)
        await bench.say("ferry")
        assert len(await bench.found("ferry")) == 1
    opened = bench.store._engine.files.opened()
    await eventually(lambda: [file.index.nbytes > 0 for file in opened] == [False, False, True])
    bench.namespace = "one"
    assert len(await bench.found("ferry")) == 1
    await bench.store.close()


async def test_closing_does_not_wait_until_all_vectors_are_read_ahead(bench, open_store, monkeypatch):
    monkeypatch.setattr(search_index, "_SNAPSHOT_PASSAGES", 3)
    monkeypatch.setattr(search_index, "_FILLED_FROM", 3)
    monkeypatch.setattr(search_index, "_FILL_CHUNK", 1)
    await bench.say(*(f"ferry {i}" for i in range(8)))
    await bench.extract()
    await bench.found("ferry", bench.unit(1).astype(np.float32))
    await bench.store.close()
    bench.store = await open_store()
    read, begun, going_on = [], threading.Event(), threading.Event()
    keep = SearchIndex.keep_vectors

    def slowly(index, keys, vectors):
        read.extend(keys.tolist())
        begun.set()
        assert going_on.wait(20)
        keep(index, keys, vectors)

    monkeypatch.setattr(SearchIndex, "keep_vectors", slowly)
    await bench.found("ferry", bench.unit(1).astype(np.float32))
    assert await asyncio.to_thread(begun.wait, 20)
    closing = asyncio.create_task(bench.store.close())
    await eventually(bench.store._engine._closing.is_set)
    going_on.set()
    await closing
    assert len(read) == 1


async def test_a_deletion_takes_the_snapshot_with_it(bench, tmp_path, monkeypatch):
    from graph.store.port import Deletion

    monkeypatch.setattr(search_index, "_SNAPSHOT_PASSAGES", 3)
    outcome = await bench.say(*(f"ferry {i}" for i in range(8)))
    await bench.found("ferry")
    for _ in range(100):
        if list((tmp_path / "data" / "namespaces").glob("*.index")):
            break
        await asyncio.sleep(0.02)
    assert list((tmp_path / "data" / "namespaces").glob("*.index"))
    await bench.store.namespace(bench.namespace).delete(Deletion((outcome.messages[0].id,)))
    assert not list((tmp_path / "data" / "namespaces").glob("*.index"))
    assert len(await bench.found("ferry")) == 7


CHILD = """
    import asyncio, sys
    from datetime import UTC, datetime, timedelta
    from pathlib import Path
    from graph.model import EmbeddingSpec, ExtractionMode, Role
    from graph.store.port import AppendCommand, MessageDraft, NamespaceSpec
    from graph.store.embedded import EmbeddedStore

    async def main():
        store = EmbeddedStore(Path(sys.argv[1]))
        await store.open()
        names = [found.name for found in await store.list_namespaces("", "", 9)]
        if not names:
            await store.create_namespace(NamespaceSpec("n", EmbeddingSpec("m", "f", 8), ExtractionMode.EVENT))
        start = int(sys.argv[2])
        for number in range(start, start + 10_000):
            draft = MessageDraft("Ana", Role.USER, f"message {number}", datetime(2024, 1, 1, tzinfo=UTC), f"c{number}")
            await store.namespace("n").append(AppendCommand(f"s{number % 3}", (draft,), timedelta(0)))
            print(number, flush=True)

    asyncio.run(main())
"""


async def test_a_killed_process_loses_nothing_that_it_acknowledged(tmp_path, bench):
    acknowledged = []
    for pause in (0.05, 0.15, 0.1):
        command = [sys.executable, "-c", textwrap.dedent(CHILD), str(tmp_path / "killed"), str(len(acknowledged))]
        with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as child:  # noqa: ASYNC220  # nothing else runs meanwhile
            acknowledged.append(int(child.stdout.readline()))
            await asyncio.sleep(pause)
            child.send_signal(signal.SIGKILL)
            acknowledged += [int(line) for line in child.stdout if line.endswith("\n")]
    bench.store = EmbeddedStore(tmp_path / "killed")
    await bench.store.open()
    bench.namespace = "n"
    texts = [text for name in ("s0", "s1", "s2") for text in await bench.texts(name)]
    kept = sorted(int(text.split()[1]) for text in texts)
    assert set(acknowledged) <= set(kept)
    assert len(kept) == len(set(kept))
    assert len(kept) <= len(acknowledged) + 3
    assert await bench.store.namespace("n").check() == []
    jobs = {(await bench.lease()).job.session for _ in range(3)}
    assert jobs == {"s0", "s1", "s2"}
    await bench.store.close()


async def test_an_import_that_died_is_swept(bench, tmp_path, open_store):
    await bench.say("a")
    source = await bench.store.namespace(bench.namespace).settings()
    batches = [batch async for batch in bench.store.namespace(bench.namespace).export()]
    stuck = asyncio.Event()

    async def forever():
        for batch in batches:
            yield batch
        await stuck.wait()

    importing = asyncio.create_task(bench.store.import_namespace(replace(source, name="copy"), forever()))
    for _ in range(200):
        await asyncio.sleep(0.01)
        if len(list((tmp_path / "data" / "namespaces").glob("*.db"))) == 2:
            break
    with pytest.raises(NotFound):
        await bench.store.namespace("copy").settings()
    importing.cancel()
    with pytest.raises(asyncio.CancelledError):
        await importing
    assert len(list((tmp_path / "data" / "namespaces").glob("*.db"))) == 1


async def test_creating_namespaces_at_once_makes_each_once(bench):
    spec = NamespaceSpec("x", EmbeddingSpec("m", "f", 8), ExtractionMode.EVENT)
    results = await asyncio.gather(*(bench.store.create_namespace(spec) for _ in range(8)), return_exceptions=True)
    assert sum(not isinstance(result, Exception) for result in results) == 1


async def test_the_write_ahead_log_stays_short(bench, tmp_path):
    uid = (await bench.store.namespace(bench.namespace).settings()).uid
    log = database(tmp_path, uid).with_suffix(".db-wal")
    sizes = []
    for _ in range(40):
        await bench.say(*(bench.draft("word " * 400, i) for i in range(100)))
        sizes.append(log.stat().st_size)
        await asyncio.sleep(0.01)
    assert max(sizes) < 24 << 20
    assert len(await bench.texts()) == 1_000


async def test_a_guessed_time_zone_is_put_right(bench):
    """A session's messages are analysed in its zone, though its name was last used in another one."""
    from graph.store.port import Deletion

    await bench.say("a", time_zone="Asia/Tokyo")
    await bench.store.namespace(bench.namespace).delete(Deletion(session="s1"))
    await bench.say(bench.draft("b", 60 * 15), time_zone="America/Lima")
    await bench.say(bench.draft("c", 60 * 15))
    assert await bench.store.namespace(bench.namespace).check() == []


async def test_nothing_deleted_comes_back_with_a_snapshot(bench, tmp_path, monkeypatch):
    monkeypatch.setattr(search_index, "_SNAPSHOT_PASSAGES", 2)
    speaker = "Zyzzyvaquux"
    said = await bench.say(bench.draft("mine to forget", speaker=speaker))
    await bench.say("b", "c", "d")
    await bench.found("forget")
    await bench.store.namespace(bench.namespace).delete(Deletion((said.messages[0].id,)))
    await bench.found("forget")
    await bench.store.close()
    assert [file for file in (tmp_path / "data").rglob("*") if file.is_file() and speaker.encode() in file.read_bytes()] == []


async def test_an_import_that_is_given_up_while_it_ends_is_there_and_stays(bench, monkeypatch):
    await bench.say("Hello")
    memory = bench.store.namespace(bench.namespace)
    source, records = await memory.settings(), [record async for batch in memory.export() for record in batch]
    ended, go_on = threading.Event(), threading.Event()
    finish = namespace_import._finish

    def slow(*args):
        finish(*args)
        ended.set()
        go_on.wait(10)

    async def stream():
        yield records

    monkeypatch.setattr(namespace_import, "_finish", slow)
    importing = asyncio.create_task(bench.store.import_namespace(replace(source, name="copy"), stream()))
    await asyncio.to_thread(ended.wait, 10)
    importing.cancel()
    copy = bench.store.namespace("copy")
    await copy.append(AppendCommand("s1", (bench.draft("and more"),), timedelta(0)))
    go_on.set()
    with pytest.raises(asyncio.CancelledError):
        await importing
    assert [namespace.name for namespace in await bench.store.list_namespaces("", "", 10)] == [bench.namespace, "copy"]
    assert [message.text for message in (await copy.list_messages(MessageQuery(), None, 10)).items] == ["Hello", "and more"]
