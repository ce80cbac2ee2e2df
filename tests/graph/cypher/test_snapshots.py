"""Queries on snapshots: typed values, the revision that is shown, what is kept and for how long, and walls that hold by themselves."""

import asyncio
from collections.abc import AsyncIterator, Callable
from dataclasses import replace
from datetime import UTC, date, datetime, time, timedelta, timezone
from pathlib import Path
from typing import Any

import psutil
import pytest

from graph.cypher import CypherDuration, CypherNode, CypherPath, CypherQuery, CypherRelationship
from graph.cypher import process as engine_process
from graph.cypher import snapshots as snapshots_module
from graph.cypher.snapshots import SnapshotCypher
from graph.errors import CypherInvalid, CypherLimit, CypherUnavailable, NotFound
from graph.model import Role, to_micros
from graph.store.embedded.store import EmbeddedStore
from graph.store.port import AppendCommand, MessageDraft
from tests.graph.cypher.conftest import LIMITS, SAID, TEXTS, Answer

Ask = Callable[..., Any]


def engines(with_forks: bool = False) -> list[psutil.Process]:
    """The processes that hold snapshots; with the forks that run queries."""
    mine = psutil.Process().children(recursive=with_forks)
    return [one for one in mine if lives(one) and is_engine(one)]


def lives(process: psutil.Process) -> bool:
    try:
        return process.status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False


def is_engine(process: psutil.Process) -> bool:
    try:
        return "graph.cypher.child" in " ".join(process.cmdline())
    except (psutil.NoSuchProcess, psutil.ZombieProcess):
        return False  # it ended just now


async def say(store: EmbeddedStore, text: str, namespace: str = "home") -> None:
    draft = MessageDraft("Ana", Role.USER, text, SAID + timedelta(hours=1))
    await store.namespace(namespace).append(AppendCommand("spring", (draft,), timedelta(0)))


@pytest.fixture
async def unchecked(monkeypatch: pytest.MonkeyPatch, cypher: SnapshotCypher) -> SnapshotCypher:
    """Queries go to the engine as they are: what the walls hold without the walk over the tokens."""
    monkeypatch.setattr(snapshots_module, "read_only_query", lambda text: text)
    return cypher


async def test_nodes_have_their_labels_and_properties(cypher: SnapshotCypher, asked: Ask) -> None:
    answer: Answer = await asked(cypher, "home", "MATCH (m:Message) RETURN m ORDER BY m.seq")
    nodes = [node for [node] in answer.rows]
    assert all(isinstance(node, CypherNode) and node.labels == ("Message",) for node in nodes)
    assert [node.properties["text"] for node in nodes] == list(TEXTS)
    first = nodes[0].properties
    assert first["id"] == nodes[0].id
    assert (first["said_on"], first["said_at"], first["role"]) == (SAID, to_micros(SAID), "USER")
    assert (first["label_names"], first["label_values"]) == (["mood"], ["good"])
    assert not {"title", "type", "embedding", "v16"} & set(first)


async def test_every_edge_is_there(cypher: SnapshotCypher, asked: Ask) -> None:
    answer: Answer = await asked(cypher, "home", "MATCH ()-[r]->() RETURN type(r) AS type, count(*) AS n ORDER BY type")
    expected = {"EVIDENCED_BY": 2, "INVOLVES": 2, "IN_SESSION": 3, "MENTIONS": 2, "NEXT": 2, "RELATES": 1, "STATES": 1}
    assert dict(answer.rows) == expected


async def test_relationships_and_paths_name_their_nodes(cypher: SnapshotCypher, asked: Ask) -> None:
    answer: Answer = await asked(cypher, "home", "MATCH p = (a {name: 'Eva'})-[r:RELATES]->(b) RETURN a.id, r, b.id, p, {of: a} AS m")
    [[source, relation, target, path, mapped]] = answer.rows
    assert isinstance(relation, CypherRelationship)
    assert (relation.type, relation.source_id, relation.target_id) == ("RELATES", source, target)
    assert relation.properties["predicate"] == "sister of"
    assert isinstance(path, CypherPath)
    assert [node.id for node in path.nodes] == [source, target]
    assert path.relationships == (relation,)
    assert mapped["of"] == path.nodes[0]


async def test_times_lists_and_maps_keep_their_types(cypher: SnapshotCypher, asked: Ask) -> None:
    query = """RETURN date('2024-03-09') AS d, datetime('2024-03-09T14:30:00.123456+01:00') AS z, localdatetime('2024-03-09T14:30') AS l,
        localtime('14:30') AS t, duration('P1M2DT3H') AS u, [1, 2.5, null, true, [$word]] AS list, {a: {b: 1}} AS map"""
    answer: Answer = await asked(cypher, "home", query, word="naïve 'text' \\ \"quoted\" 🙂")
    at = datetime(2024, 3, 9, 14, 30, 0, 123456, timezone(timedelta(hours=1)))
    assert answer.rows == [
        [
            date(2024, 3, 9), at, datetime(2024, 3, 9, 14, 30), time(14, 30), CypherDuration(1, 2, 10800),
            [1, 2.5, None, True, ["naïve 'text' \\ \"quoted\" 🙂"]], {"a": {"b": 1}},
        ]
    ]  # fmt: skip
    assert answer.rows[0][1].utcoffset() == timedelta(hours=1)
    assert answer.columns == ("d", "z", "l", "t", "u", "list", "map")


async def test_a_time_is_a_parameter(cypher: SnapshotCypher, asked: Ask) -> None:
    query = "MATCH (m:Message) WHERE m.said_on > $since RETURN m.seq ORDER BY m.seq"
    assert (await asked(cypher, "home", query, since=datetime(2023, 5, 8, 18, 0, 30, tzinfo=UTC))).rows == [[2], [3]]


async def test_the_answer_names_the_revision_and_a_write_makes_the_next_one_new(
    cypher: SnapshotCypher, store: EmbeddedStore, asked: Ask
) -> None:
    count = "MATCH (m:Message) RETURN count(m)"
    before: Answer = await asked(cypher, "home", count)
    assert (before.rows, before.revision) == ([[3]], (await store.namespace("home").settings()).revision)
    assert (await asked(cypher, "home", count)).revision == before.revision
    await say(store, "Another one.")
    after: Answer = await asked(cypher, "home", count)
    assert (after.rows, after.revision) == ([[4]], before.revision + 1)


async def test_a_snapshot_is_kept_while_it_is_current(cypher: SnapshotCypher, store: EmbeddedStore, asked: Ask) -> None:
    await asked(cypher, "home", "RETURN 1")
    [first] = engines()
    await asked(cypher, "home", "RETURN 2")
    assert engines() == [first]
    await say(store, "Another one.")
    await asked(cypher, "home", "RETURN 3")
    await gone([first])
    assert len(engines()) == 1


async def test_no_more_snapshots_are_kept_than_may_be(store: EmbeddedStore, asked: Ask) -> None:
    cypher = SnapshotCypher(store, replace(LIMITS, snapshots=1))
    await asked(cypher, "home", "RETURN 1")
    first = engines()
    await asked(cypher, "other", "RETURN 1")
    await gone(first)
    assert len(engines()) == 1
    await cypher.close()
    assert not engines()


async def test_many_who_ask_at_once_share_the_few_places(store: EmbeddedStore, asked: Ask) -> None:
    cypher = SnapshotCypher(store, replace(LIMITS, snapshots=1))
    names = ["home", "other"] * 4
    answers = await asyncio.gather(*(asked(cypher, name, "MATCH (m:Message) RETURN count(m)") for name in names))
    assert [answer.rows for answer in answers] == [[[3]], [[1]]] * 4
    await until_there_are(1)
    await cypher.close()


async def test_a_snapshot_that_nobody_asks_is_let_go(store: EmbeddedStore, asked: Ask) -> None:
    cypher = SnapshotCypher(store, replace(LIMITS, idle=0.1))
    await asked(cypher, "home", "RETURN 1")
    await gone(engines())
    assert (await asked(cypher, "home", "RETURN 1")).rows == [[1]]
    await cypher.close()


async def test_a_query_that_nobody_waits_for_any_more_ends(cypher: SnapshotCypher, asked: Ask) -> None:
    await asked(cypher, "home", "RETURN 1")
    endless = "UNWIND range(1, 1000000) AS a UNWIND range(1, 1000000) AS b RETURN count(*)"
    await until_there_are(1, with_forks=True)
    asking = asyncio.create_task(asked(cypher, "home", endless))
    await until_there_are(2, with_forks=True)
    running = engines(with_forks=True)
    asking.cancel()
    with pytest.raises(asyncio.CancelledError):
        await asking
    # At once, before the system has told of the end of the process that was killed.
    assert (await asked(cypher, "home", "RETURN 1")).rows == [[1]]
    await gone(running)


async def test_queries_of_one_namespace_take_turns(cypher: SnapshotCypher, asked: Ask) -> None:
    answers = await asyncio.gather(*(asked(cypher, "home", "RETURN $n AS n", n=n) for n in range(8)))
    assert [answer.rows for answer in answers] == [[[n]] for n in range(8)]
    assert len(engines()) == 1


async def test_an_answer_ends_at_the_rows_that_were_asked_for(cypher: SnapshotCypher, asked: Ask) -> None:
    answer: Answer = await asked(cypher, "home", "UNWIND range(1, 1000) AS x RETURN x", max_rows=500)
    assert (answer.rows, answer.summary.truncated) == ([[x] for x in range(1, 501)], True)
    whole: Answer = await asked(cypher, "home", "UNWIND range(1, 500) AS x RETURN x", max_rows=500)
    assert not whole.summary.truncated


async def test_a_namespace_that_is_too_large_is_refused(store: EmbeddedStore, asked: Ask) -> None:
    cypher = SnapshotCypher(store, replace(LIMITS, nodes=5))
    with pytest.raises(CypherLimit, match="at most 5"):
        await asked(cypher, "home", "RETURN 1")
    assert not engines()
    await cypher.close()


async def test_an_unknown_namespace_is_not_found(cypher: SnapshotCypher, asked: Ask) -> None:
    with pytest.raises(NotFound):
        await asked(cypher, "nowhere", "RETURN 1")


@pytest.mark.parametrize("query", ["RETURN range(1, 1000000000)", "UNWIND range(1, 3000000) AS a RETURN a ORDER BY a"])
async def test_a_query_that_makes_too_much_meets_the_limit_whoever_notices(cypher: SnapshotCypher, asked: Ask, query: str) -> None:
    with pytest.raises(CypherLimit, match="ask for less"):
        await asked(cypher, "home", query)


async def test_a_syntax_error_points_to_its_place(cypher: SnapshotCypher, asked: Ask) -> None:
    with pytest.raises(CypherInvalid, match="line 2, col 8"):
        await asked(cypher, "home", "MATCH (n)\nRETURN )(".replace(")(", "+"))


async def test_without_the_engine_the_error_says_what_to_install(
    monkeypatch: pytest.MonkeyPatch, cypher: SnapshotCypher, asked: Ask
) -> None:
    monkeypatch.setattr(engine_process, "_SERVE", f"import sys; sys.modules['kglite'] = None; {engine_process._SERVE}")
    with pytest.raises(CypherUnavailable, match=r"structmem-server\[cypher\]"):
        await asked(cypher, "home", "RETURN 1")


@pytest.mark.parametrize("query", ["LOAD CSV FROM 'file:///FILE' AS l RETURN l", "LOAD CSV FROM 'file:///etc/passwd' AS l RETURN l"])
async def test_the_process_can_open_no_file(unchecked: SnapshotCypher, asked: Ask, tmp_path: Path, query: str) -> None:
    file = tmp_path / "file.csv"
    file.write_text("a,b\n")
    with pytest.raises(CypherInvalid):
        await asked(unchecked, "home", query.replace("FILE", str(file)))


async def test_what_a_query_writes_is_gone_with_it(unchecked: SnapshotCypher, store: EmbeddedStore, asked: Ask) -> None:
    before = (await store.namespace("home").settings()).revision
    await asked(unchecked, "home", "MATCH (n) DETACH DELETE n RETURN 1")
    assert (await asked(unchecked, "home", "MATCH (m:Message) RETURN count(m)")).rows == [[3]]
    assert (await store.namespace("home").settings()).revision == before


async def test_the_walls_stand_in_a_process_of_their_own() -> None:
    attempts = """
import os, socket, sys
from graph.cypher.child.sandbox import limit_memory, lock_in
open_before = os.open(sys.executable, os.O_RDONLY)
limit_memory(512 << 20)
lock_in()
def fails(attempt):
    try:
        attempt()
    except (OSError, MemoryError):
        return True
    return False
held = [
    fails(lambda: os.open('/etc/passwd', os.O_RDONLY)),
    fails(lambda: socket.socket()),
    fails(lambda: os.pipe()),
    fails(lambda: bytearray(1 << 30)),
    fails(lambda: os.unlink(PATH)) or LANDLOCK_MISSING,
    fails(lambda: os.mkdir(PATH + '.d')) or LANDLOCK_MISSING,
]
os.write(1, repr(held).encode())
"""
    import sys
    import tempfile

    with tempfile.NamedTemporaryFile() as kept:
        missing = "ctypes.CDLL(None).syscall(444, None, ctypes.c_size_t(0), 1) < 1"
        code = f"import ctypes; PATH = {kept.name!r}; LANDLOCK_MISSING = {missing}\n{attempts}"
        process = await asyncio.create_subprocess_exec(sys.executable, "-I", "-c", code, stdout=asyncio.subprocess.PIPE)
        out, _ = await process.communicate()
        assert out == repr([True] * 6).encode()


async def gone(processes: list[psutil.Process]) -> None:
    async with asyncio.timeout(20):
        while any(map(lives, processes)):  # noqa: ASYNC110
            await asyncio.sleep(0.05)


async def until_there_are(count: int, *, with_forks: bool = False) -> None:
    async with asyncio.timeout(20):
        while len(engines(with_forks)) != count:  # noqa: ASYNC110 - the condition is the system's
            await asyncio.sleep(0.005)


@pytest.fixture(autouse=True)
async def nothing_is_left() -> AsyncIterator[None]:
    yield
    await gone(engines(with_forks=True))


async def test_closing_an_answer_early_leaves_the_snapshot(cypher: SnapshotCypher, asked: Ask) -> None:
    parts = cypher.run("home", CypherQuery("UNWIND range(1, 1000) AS x RETURN x", 1000, 3.0))
    await anext(parts)
    await parts.aclose()
    assert (await asked(cypher, "home", "RETURN 1")).rows == [[1]]
