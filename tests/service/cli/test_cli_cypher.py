"""`structmem cypher`: a question on a data directory, as a table and as a document; what is refused is a sentence."""

import asyncio
import json
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from structmem import CypherDuration, CypherElided, CypherElidedKind, CypherPoint, CypherTime
from typer.testing import CliRunner, Result

from graph.model import NO_EMBEDDING, ExtractionMode, Role
from graph.store.embedded import EmbeddedStore
from graph.store.port import AppendCommand, MessageDraft, NamespaceSpec
from service.cli.app import app
from service.cli.cypher_values import shown

SAID = datetime(2024, 1, 1, 9, tzinfo=UTC)


@pytest.fixture(autouse=True)
def memory(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    for name in ("STRUCTMEM_TARGET", "STRUCTMEM_CONFIG"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("STRUCTMEM_DATA_DIR", "data")
    monkeypatch.setenv("STRUCTMEM_WORKERS", "0")
    monkeypatch.setenv("STRUCTMEM_EMBEDDER", "none")
    monkeypatch.setenv("COLUMNS", "200")

    async def fill() -> None:
        store = EmbeddedStore(tmp_path / "data")
        await store.open()
        await store.create_namespace(NamespaceSpec("alice", NO_EMBEDDING, ExtractionMode.EVENT))
        drafts = tuple(MessageDraft("Maria", Role.USER, text, SAID) for text in ("I have a dog.", "He is [called] Rex."))
        await store.namespace("alice").append(AppendCommand("s1", drafts, timedelta(0)))
        await store.close()

    asyncio.run(fill())


def run(*arguments: str, **options: str) -> Result:
    return CliRunner().invoke(app, ["cypher", "-n", "alice", *arguments], **options)  # type: ignore[arg-type]


def test_rows_come_as_a_table_with_the_revision_beside_it() -> None:
    done = run("MATCH (m:Message) RETURN m.seq AS seq, m.text, m.said_on ORDER BY seq")
    assert done.exit_code == 0, done.output
    lines = [line.split("  ") for line in done.stdout.splitlines() if "Maria" in line or "Rex" in line or "dog" in line]
    assert [line[0].strip() for line in lines] == ["1", "2"]
    assert "He is [called] Rex." in done.stdout
    assert "2024-01-01T09:00:00+00:00" in done.stdout
    assert "revision 1 of alice" in done.stderr


def test_json_has_columns_rows_and_revision() -> None:
    done = run(
        "MATCH (m:Message) WHERE m.text CONTAINS $word RETURN m, m.seq AS seq, $list AS list",
        "--json",
        "-p",
        "word=dog",
        "-p",
        "list=[1, null]",
    )
    found = json.loads(done.stdout)
    assert (found["revision"], found["columns"], found["truncated"]) == (1, ["m", "seq", "list"], False)
    [row] = found["rows"]
    assert (row["m"]["labels"], row["m"]["properties"]["text"]) == (["Message"], "I have a dog.")
    assert (row["seq"], row["list"]) == (1, [1, None])


def test_a_query_comes_from_standard_input_and_a_limit_is_said_to_be_one() -> None:
    done = run("-", "--limit", "3", input="UNWIND range(1, 10) AS n RETURN n")
    assert [line.strip() for line in done.stdout.splitlines() if line.strip().isdigit()] == ["1", "2", "3"]
    assert "more rows than --limit 3" in done.stderr


def test_what_is_refused_is_a_sentence() -> None:
    done = run("MATCH (n) DETACH DELETE n")
    assert done.exit_code == 1
    assert done.stderr.startswith("structmem: line 1, column 11: 'DETACH' is refused")
    assert run("RETURN 1", "-p", "nothing").exit_code == 2


def test_each_type_has_one_shape() -> None:
    assert shown(CypherDuration(1, 2, 3600, 500_000_000)) == "P1M2DT3600.5S"
    assert shown(CypherDuration()) == "PT0S"
    assert shown(CypherDuration(days=1)) == "P1D"
    assert shown(CypherTime("datetime", "2024-01-01T00:00:00+00:00", "Europe/Lisbon")) == "2024-01-01T00:00:00+00:00[Europe/Lisbon]"
    assert shown([CypherPoint(4326, (1.0, 2.0)), CypherElided(CypherElidedKind.VECTOR, 384)]) == [
        {"srid": 4326, "coordinates": [1.0, 2.0]},
        {"elided": "vector", "size": 384},
    ]
