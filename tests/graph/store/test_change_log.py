"""The change log does not grow for ever, and no search is wrong because it was cut."""

import apsw
import pytest

from graph.store.neo4j import Neo4jStore
from graph.store.port import Deletion
from graph.store.rules import retention


@pytest.fixture(autouse=True)
def short_log(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(retention, "_KEPT_REVISIONS", 4)
    monkeypatch.setattr(retention, "_FORGET_EVERY", 2)


async def _logged(bench, tmp_path) -> list[int]:
    if isinstance(bench.store, Neo4jStore):
        return [revision for (revision,) in await bench.store._connection.rows("MATCH (c:Change) RETURN c.revision")]
    (path,) = tmp_path.glob("**/namespaces/*.db")
    db = apsw.Connection(str(path), flags=apsw.SQLITE_OPEN_READONLY)
    try:
        return [revision for (revision,) in db.execute("SELECT revision FROM changes")]
    finally:
        db.close()


async def test_the_log_keeps_the_last_revisions(bench, tmp_path):
    for number in range(20):
        await bench.say(f"ferry {number}")
    revision = (await bench.store.namespace(bench.namespace).settings()).revision
    assert revision >= 20
    assert min(await _logged(bench, tmp_path)) >= revision - 4 - 2
    assert len(await bench.found("ferry")) == 20


@pytest.mark.parametrize("writes", [1, 3, 4, 5, 6, 7, 12])
async def test_an_index_that_lags_behind_the_log_finds_what_came_and_loses_what_went(bench, writes):
    (first,) = (await bench.say("an old ferry")).messages
    await bench.found("ferry")
    await bench.store.namespace(bench.namespace).delete(Deletion((first.id,)))
    for number in range(writes):
        await bench.say(f"ferry {number}")
    assert sorted((await bench.found("ferry")).values()) == sorted(f"ferry {number}" for number in range(writes))
