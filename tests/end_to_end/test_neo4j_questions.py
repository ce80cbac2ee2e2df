"""The questions of docs/neo4j.md, asked of a real Neo4j: each answer is the table that stands below its query."""

import re
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, get_type_hints

import pytest

from graph.cypher import CypherLimits, CypherQuery, CypherSummary
from graph.model import EdgeKind
from graph.store.neo4j import Address, Neo4jStore
from graph.store.neo4j.rows.node_properties import SummaryProperties
from graph.store.neo4j.schema import NAMESPACED_LABELS
from tests.neo4j_databases import Database

ROOT = Path(__file__).parents[2]
DOCUMENT = (ROOT / "docs" / "neo4j.md").read_text()
PARAMETERS = re.search(r"^:params (\{.*\})$", DOCUMENT, re.MULTILINE)
QUESTION = re.compile(
    r"^### (?P<question>.*?)\n(?:(?!^#).)*?^```cypher\n(?P<query>.*?)^```\n\n(?P<table>(?:^\|.*?\n)*)", re.MULTILINE | re.DOTALL
)
QUESTIONS = {found["question"]: (found["query"], found["table"]) for found in QUESTION.finditer(DOCUMENT)}
CHAT = ROOT / "service" / "cli" / "demo" / "conversation.jsonl"

pytestmark = [pytest.mark.neo4j, pytest.mark.timeout(600)]


@pytest.fixture(scope="module")
def database(
    neo4j_of_the_run: Callable[[int], Database],
    new_shell: Callable[[Path], Any],
    serving: Callable[[Any], Any],
    tmp_path_factory: pytest.TempPathFactory,
) -> Database:
    """The conversation of the demo, extracted twice by the service, with two decisions about names."""
    database = neo4j_of_the_run(0)
    shell = new_shell(tmp_path_factory.mktemp("questions"))
    shell.environment |= {f"STRUCTMEM_{name.upper()}": str(value) for name, value in database.settings.items()}
    alice = ("-n", "alice", "--timezone", "Europe/Berlin")
    steps: tuple[tuple[Any, ...], ...] = (
        ("namespaces", "create", "alice", "--timezone", "Europe/Berlin", "--extraction-mode", "flat"),
        ("ingest", CHAT, *alice),
        ("namespaces", "update", "alice", "--extraction-mode", "event"),
        ("ingest", CHAT, *alice),  # stores nothing new, and waits for the extraction
        ("entities", "link", "Maria's boss", "Helena Duarte", "-n", "alice"),
        ("entities", "unlink", "Helena", "Ines", "-n", "alice"),
    )
    with serving(shell) as server:
        for step in steps:
            done = shell(*step, "--target", server.address)
            assert done.code == 0, done.err
    return database


def as_table(rows: list[dict[str, Any]]) -> str:
    """Rows as the document shows them."""
    assert rows, "no answer"
    head = [f"| {' | '.join(rows[0])} |", f"|{'---|' * len(rows[0])}"]
    return "".join(f"{line}\n" for line in [*head, *(f"| {' | '.join(map(_cell, row.values()))} |" for row in rows)])


def _parameters(database: Database) -> dict[str, Any]:
    """What the document sets, as Cypher reads it."""
    assert PARAMETERS is not None
    [row] = database.run(f"RETURN {PARAMETERS[1]} AS parameters")
    return dict(row["parameters"])


def _cell(value: Any) -> str:
    if isinstance(value, list):
        return "; ".join(map(_cell, value))
    return "" if value is None else str(value).replace("|", "\\|")


@pytest.mark.parametrize("question", QUESTIONS)
def test_the_answer_is_the_one_in_the_document(database: Database, question: str) -> None:
    query, table = QUESTIONS[question]
    assert as_table(database.run(query, **_parameters(database))) == table


async def test_administrators_may_ask_them_all_through_the_service(database: Database) -> None:
    store = Neo4jStore(Address(database.uri, database.user if database.password else "", database.password))
    await store.open()
    try:
        runner = store.native_cypher(CypherLimits(timeout=60.0))
        for question, (query, table) in QUESTIONS.items():
            asked = CypherQuery(query, 1_000, 60.0, _parameters(database))
            parts = [part async for part in runner.run("alice", asked)]
            assert isinstance(parts[-1], CypherSummary), question
            assert parts[-1].rows == table.count("\n") - 2, question
    finally:
        await store.close()


def test_the_document_asks_a_dozen_questions_at_least() -> None:
    assert len(QUESTIONS) == DOCUMENT.count("\n### ") >= 12


def _rows(heading: str) -> Iterator[str]:
    """The first cells of the table whose first column has this heading."""
    table = re.search(rf"^\| {heading} \|.*?\n\|[-|]+\n((?:^\|.*\n)+)", DOCUMENT, re.MULTILINE)
    assert table is not None
    for line in table[1].splitlines():
        yield from re.findall(r"`(\w+)`", line.split(" | ")[0])


def test_the_document_names_every_label_and_relationship_of_the_graph(database: Database) -> None:
    labels = {row["label"] for row in database.run("CALL db.labels() YIELD label")}
    assert set(_rows("label")) <= labels
    assert {label for label in NAMESPACED_LABELS if f"`{label}`" not in DOCUMENT} == set()
    assert set(_rows("relationship")) == {kind.name for kind in EdgeKind}


def test_the_document_names_properties_that_are_there(database: Database) -> None:
    table = re.search(r"^\| label \|.*?\n\|[-|]+\n((?:^\|.*\n)+)", DOCUMENT, re.MULTILINE)
    assert table is not None
    [keys] = database.run("CALL db.propertyKeys() YIELD propertyKey RETURN collect(propertyKey) AS keys")
    named = {name for line in table[1].splitlines() for name in re.findall(r"`([a-z_]+)`", line.split(" | ", 2)[2])}
    # Nothing of this conversation has labels, captions or a description; it may be summarized or not.
    of_summaries = set(get_type_hints(SummaryProperties))
    assert named - set(keys["keys"]) <= {"label_names", "label_values", "image_caption", "description"} | of_summaries


def test_the_style_of_the_browser_knows_every_label_that_people_see() -> None:
    style = (ROOT / "docs" / "neo4j.grass").read_text()
    assert set(re.findall(r"^node\.(\w+)", style, re.MULTILINE)) == {*_rows("label"), "Passage", "Span"}
    assert set(re.findall(r"^relationship\.(\w+)", style, re.MULTILINE)) <= set(_rows("relationship"))
