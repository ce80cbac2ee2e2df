"""`structmem doctor`: whatever is wrong with a directory is a finding, and one namespace's trouble hides no other's."""

import asyncio
import json
import shutil
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import apsw
import pytest
from typer.testing import CliRunner

from graph.model import NO_EMBEDDING, ExtractionMode, Role
from graph.store.embedded import EmbeddedStore
from graph.store.port import AppendCommand, MessageDraft, NamespaceSpec
from service.cli.app import app


@pytest.fixture
def directory(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A data directory with the namespaces alice and zoe; `ALICE.db` and `ZOE.db` stand for their files in the cases below."""
    monkeypatch.chdir(tmp_path)
    for name in ("STRUCTMEM_TARGET", "STRUCTMEM_CONFIG", "STRUCTMEM_DATA_DIR"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("COLUMNS", "200")

    async def fill() -> None:
        store = EmbeddedStore(tmp_path / "data")
        await store.open()
        for name in ("alice", "zoe"):
            await store.create_namespace(NamespaceSpec(name, NO_EMBEDDING, ExtractionMode.OFF))
            drafts = tuple(MessageDraft(name, Role.USER, f"message {i} of {name}", datetime(2024, 1, 1, tzinfo=UTC)) for i in range(5))
            await store.namespace(name).append(AppendCommand("s", drafts, timedelta(0)))
        await store.close()

    asyncio.run(fill())
    return tmp_path / "data"


def file_of(directory: Path, name: str) -> Path:
    with apsw.Connection(str(directory / "catalog.db")) as db:
        uid = db.execute("SELECT uid FROM namespaces WHERE name = ?", (name,)).get
    db.close()
    return directory / "namespaces" / f"{uid}.db"


def sql(file: Path, statement: str) -> None:
    db = apsw.Connection(str(file))
    db.execute(statement)
    db.close()


def doctor(directory: Path, *arguments: str) -> tuple[int, Any]:
    done = CliRunner().invoke(app, ["doctor", "--data-dir", str(directory), "--json", *arguments])
    return done.exit_code, json.loads(done.stdout)


def in_alice(change: Callable[[Path], object]) -> Callable[[Path], object]:
    return lambda directory: change(file_of(directory, "alice"))


CASES: dict[str, tuple[Callable[[Path], object], str, str, str]] = {
    "absent": (in_alice(Path.unlink), "alice", "MISSING_FILE", "missing"),
    "empty": (in_alice(lambda file: file.write_bytes(b"")), "alice", "DAMAGED_FILE", "holds no namespace"),
    "truncated": (in_alice(lambda file: file.write_bytes(file.read_bytes()[:9000])), "alice", "DAMAGED_FILE", "damaged"),
    "not a database": (in_alice(lambda file: file.write_bytes(b"\xff" * 9000)), "alice", "DAMAGED_FILE", "damaged"),
    "zoe's": (lambda d: shutil.copy(file_of(d, "zoe"), file_of(d, "alice")), "alice", "OTHER_NAMESPACE", "another namespace"),
    "unreadable content": (in_alice(lambda file: sql(file, "UPDATE nodes SET body = '{'")), "alice", "DAMAGED_FILE", "content"),
    "a table less": (in_alice(lambda file: sql(file, "DROP TABLE vectors")), "alice", "DAMAGED_FILE", "content"),
    "a newer schema": (in_alice(lambda file: sql(file, "PRAGMA user_version = 99")), "alice", "CONFLICT", "newer version"),
    "a counter": (in_alice(lambda file: sql(file, "UPDATE sessions SET message_count = 7")), "alice", "MISCOUNTED", "counts"),
    "a stray file": (lambda d: (d / "namespaces" / "old.db").write_bytes(b"x"), "", "STRAY_FILE", "old.db"),
    "a stray copy": (lambda d: shutil.copy(file_of(d, "zoe"), d / "namespaces" / "copy.db"), "", "STRAY_FILE", "copy.db"),
    "a damaged catalog": (lambda d: (d / "catalog.db").write_bytes(b"\xff" * 9000), "", "CATALOG_DAMAGED", "backup"),
    "an emptied catalog": (lambda d: (d / "catalog.db").write_bytes(b""), "", "CATALOG_DAMAGED", "backup"),
    "a lost catalog": (lambda d: (d / "catalog.db").unlink(), "", "CATALOG_DAMAGED", "backup"),
}


def test_a_sound_directory_has_no_findings(directory: Path) -> None:
    assert doctor(directory) == (0, {"data_dir": str(directory), "namespaces": ["alice", "zoe"], "findings": [], "warnings": []})


@pytest.mark.parametrize("case", CASES)
def test_what_is_wrong_is_found(directory: Path, case: str) -> None:
    harm, namespace, problem, words = CASES[case]
    harm(directory)
    # The other namespace has a fault of its own, which must be found all the same.
    if problem != "CATALOG_DAMAGED":
        sql(file_of(directory, "zoe"), "UPDATE sessions SET extracted_seq = 99")
    code, document = doctor(directory)
    assert code == 1
    found = {(finding["namespace"], finding["problem"]): finding["detail"] for finding in document["findings"]}
    assert words in found.pop((namespace, problem))
    assert not any("doctor" in finding["detail"] for finding in document["findings"])
    if problem == "CATALOG_DAMAGED":
        assert (document["namespaces"], found) == ([], {})
    else:
        assert document["namespaces"] == ["alice", "zoe"]
        assert set(found) == {("zoe", "WATERMARK_BEYOND")}


def test_a_name_that_is_not_there_hides_no_other(directory: Path) -> None:
    code, document = doctor(directory, "-n", "nobody", "-n", "zoe")
    assert code == 1
    assert document["namespaces"] == ["nobody", "zoe"]
    assert [(finding["namespace"], finding["problem"]) for finding in document["findings"]] == [("nobody", "NAMESPACE_NOT_FOUND")]


def test_findings_are_shown_as_a_table(directory: Path) -> None:
    file_of(directory, "alice").unlink()
    done = CliRunner().invoke(app, ["doctor", "--data-dir", str(directory)])
    assert done.exit_code == 1
    assert "MISSING_FILE" in done.stdout
    assert "2 namespaces, 1 finding." in done.stderr
