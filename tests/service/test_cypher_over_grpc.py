"""RunCypher of a real service: the questions of the docs, values as clients get them, who may ask, and what the log keeps."""

import asyncio
import json
import re
from collections.abc import AsyncIterator, Callable, Sequence
from dataclasses import replace
from datetime import UTC, datetime, time, timedelta
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import grpc
import pytest
import pytest_asyncio
from structmem import (
    AsyncClient,
    Client,
    ConflictError,
    CypherDuration,
    CypherLimitError,
    CypherNode,
    CypherPoint,
    CypherRefusedError,
    CypherTime,
    InvalidArgumentError,
    NewMessage,
    NotFoundError,
    PermissionDeniedError,
)
from structmem.v1 import cypher_pb2, inspection_service_pb2

import service.cli.demo
from graph.model import Event, Granularity, JobKind, Summary, SummaryLevel, SummarySentence, TimeSpan, UuidSource
from graph.store.port import ConsolidationWork, ConsolidationWrite, JobSucceeded, Store

CONVERSATION = Path(service.cli.demo.__file__).with_name("conversation.jsonl")
QUESTIONS = re.findall(r"```cypher\n(.*?)```", (Path(__file__).parents[2] / "docs/cypher.md").read_text(), re.DOTALL)
in_module = pytest.mark.asyncio(loop_scope="module")


def sent_at(line: dict[str, str]) -> datetime:
    return datetime.fromisoformat(line["sent_at"]).replace(tzinfo=UTC)


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def client(shared_service: Any) -> AsyncIterator[AsyncClient]:
    """A client of a service that has had the conversation of the demo, in `demo`."""
    lines = [json.loads(line) for line in CONVERSATION.read_text().splitlines()]
    async with AsyncClient(shared_service.application.address) as client:
        await client.create_namespace("demo", time_zone="Europe/Berlin")
        messages = [(line["session"], NewMessage(line["speaker"], line["text"], sent_at(line))) for line in lines]
        await client.wait_for(await client.import_messages("demo", messages))
        # Its own worker would write the summaries, and another stale one anew.
        await shared_service.application._stop_working()
        await summarize(shared_service.application.store, "demo")
        yield client


async def summarize(store: Store, namespace: str) -> None:
    """A window of each of the first two sessions and a thread of both, which is stale: one of them was written anew since."""
    memory = store.namespace(namespace)
    await memory.queue_consolidation()
    lease = await store.lease_job("test", timedelta(minutes=5), {JobKind.CONSOLIDATION})
    assert lease is not None
    work = await memory.consolidation_work(lease, 1_000)
    by_session: dict[str, list[Event]] = {}
    for event in work.events:
        by_session.setdefault(event.session, []).append(event)
    windows = [summary_of(SummaryLevel.WINDOW, events, (session,), work) for session, events in sorted(by_session.items())[:2]]
    thread = summary_of(SummaryLevel.THREAD, windows, tuple(sorted(by_session))[:2], work)
    await memory.commit_consolidation(lease, ConsolidationWrite(work.revision, work.generation, (*windows, thread)))
    anew = replace(windows[1], title="Written anew")
    await memory.commit_consolidation(lease, ConsolidationWrite(work.revision, work.generation, (anew,)))
    await memory.finish_job(lease, JobSucceeded())


def summary_of(level: SummaryLevel, members: Sequence[Event | Summary], sessions: tuple[str, ...], work: ConsolidationWork) -> Summary:
    """Tells a sentence of each member."""
    said = [member.said_at if isinstance(member, Event) else member.said_from for member in members]
    return Summary(
        id=UuidSource().mint("sum"),
        level=level,
        title=members[0].title,
        sentences=tuple(SummarySentence(member.title, (member.id,)) for member in members),
        member_ids=tuple(member.id for member in members),
        time=TimeSpan(min(said), max(said), Granularity.INSTANT),
        said_from=min(said),
        said_to=max(said),
        recorded_at=max(said),
        consolidated_at=max(said),
        consolidator="test/1",
        generation=work.generation,
        sessions=sessions,
    )


def test_the_docs_ask_thirteen_questions() -> None:
    assert len(QUESTIONS) == 13


@in_module
@pytest.mark.parametrize("question", QUESTIONS)
async def test_each_question_of_the_docs_has_an_answer(client: AsyncClient, question: str) -> None:
    answer = await client.run_cypher("demo", question)
    assert answer.rows
    assert not answer.truncated
    assert answer.revision == (await client.get_namespace("demo")).revision


@in_module
async def test_values_come_as_pythons_own(client: AsyncClient) -> None:
    query = "MATCH (m:Message {seq: 1}) RETURN m, m.said_on AS at, $list AS list ORDER BY at LIMIT 1"
    answer = await client.run_cypher("demo", query, {"list": [1, 2.5, None, "x", {"at": datetime(2024, 1, 1, tzinfo=UTC)}]})
    [[node, at, given]] = answer.rows
    assert isinstance(node, CypherNode)
    assert node.properties["speaker"] == "Maria"
    assert at == node.properties["said_on"] == datetime(2024, 2, 11, 19, 2, tzinfo=UTC)
    assert given == [1, 2.5, None, "x", {"at": datetime(2024, 1, 1, tzinfo=UTC)}]


@in_module
async def test_the_blocking_client_asks_too(client: AsyncClient, shared_service: Any) -> None:
    def ask() -> Any:
        with Client(shared_service.application.address) as blocking:
            return blocking.run_cypher("demo", "UNWIND range(1, 1000) AS n RETURN n", max_rows=300)

    answer = await asyncio.to_thread(ask)
    assert (answer.columns, answer.rows, answer.truncated) == (("n",), tuple((n,) for n in range(1, 301)), True)


@in_module
async def test_rows_come_in_batches_between_header_and_trailer(client: AsyncClient, shared_service: Any) -> None:
    request = inspection_service_pb2.RunCypherRequest(namespace="demo", query="UNWIND range(1, 500) AS n RETURN n")
    parts = [part async for part in shared_service.inspection.RunCypher(request)]
    assert parts[0].HasField("header")
    assert [len(part.batch.rows) for part in parts] == [0, 200, 200, 100, 0]
    assert (parts[-1].trailer.row_count, parts[-1].trailer.truncated) == (500, False)


@in_module
async def test_what_is_refused_says_which_word_and_why(client: AsyncClient) -> None:
    with pytest.raises(CypherRefusedError, match="line 1, column 11") as raised:
        await client.run_cypher("demo", "MATCH (n) DELETE n")
    assert (raised.value.reason, raised.value.metadata["clause"]) == ("CYPHER_REFUSED", "DELETE")
    with pytest.raises(InvalidArgumentError) as invalid:
        await client.run_cypher("demo", "MATCH (n) RETURN n.")
    assert invalid.value.reason == "CYPHER_INVALID"
    with pytest.raises(CypherLimitError):
        await client.run_cypher("demo", "RETURN [x IN range(1, 500000) | x] AS long")


@in_module
async def test_a_request_that_is_wrong_names_its_fields(client: AsyncClient, shared_service: Any, refused: Callable[..., Any]) -> None:
    time = cypher_pb2.CypherValue(time=cypher_pb2.CypherTime(type=cypher_pb2.CYPHER_TIME_TYPE_DATE, text="tomorrow"))
    request = inspection_service_pb2.RunCypherRequest(namespace="demo", query=" ", max_rows=-1, parameters={"day": time})

    async def call() -> None:
        async for _ in shared_service.inspection.RunCypher(request):
            pass

    refusal = await refused(call())
    assert refusal.code is grpc.StatusCode.INVALID_ARGUMENT
    assert set(refusal.fields) == {"query", "max_rows", "parameters['day']"}
    request = inspection_service_pb2.RunCypherRequest(namespace="demo", query="RETURN 1", scope=7)  # type: ignore[arg-type]
    assert set((await refused(call())).fields) == {"scope"}


@in_module
async def test_a_value_that_is_none_of_its_type_names_its_parameter(
    shared_service: Any, client: AsyncClient, refused: Callable[..., Any]
) -> None:
    time_of, kind = cypher_pb2.CypherTime, cypher_pb2.CypherTimeType
    wrong = {
        "plain": cypher_pb2.CypherValue(time=time_of(type=kind.CYPHER_TIME_TYPE_DATETIME, text="2024-03-09T14:30:00")),
        "fine": cypher_pb2.CypherValue(time=time_of(type=kind.CYPHER_TIME_TYPE_LOCAL_TIME, text="14:30:00.1234567891")),
        "year": cypher_pb2.CypherValue(time=time_of(type=kind.CYPHER_TIME_TYPE_DATE, text="+12024-01-01")),
        "zone": cypher_pb2.CypherValue(time=time_of(type=kind.CYPHER_TIME_TYPE_DATETIME, text="2024-03-09T14:30:00Z", zone="Atlantis")),
        "span": cypher_pb2.CypherValue(duration=cypher_pb2.CypherDuration(nanoseconds=-1)),
        "place": cypher_pb2.CypherValue(point=cypher_pb2.CypherPoint(srid=4326, coordinates=[1, 2, 3])),
        "elided": cypher_pb2.CypherValue(elided=cypher_pb2.CypherElided(kind=cypher_pb2.CYPHER_ELIDED_KIND_VECTOR)),
    }
    request = inspection_service_pb2.RunCypherRequest(namespace="demo", query="RETURN 1", parameters=wrong)

    async def call() -> None:
        async for _ in shared_service.inspection.RunCypher(request):
            pass

    refusal = await refused(call())
    fields = {"plain": "", "fine": "", "year": "", "zone": ".zone", "span": ".nanoseconds", "place": "", "elided": ""}
    assert set(refusal.fields) == {f"parameters['{name}']{part}" for name, part in fields.items()}


@in_module
async def test_times_of_parameters_mean_the_same_instant_in_a_snapshot(client: AsyncClient) -> None:
    lisbon = datetime(2024, 7, 1, 14, 30, tzinfo=ZoneInfo("Europe/Lisbon"))
    given = {"own": lisbon, "told": CypherTime("datetime", "2024-07-01T14:30:00", "Europe/Lisbon"), "t": time(14, 30, tzinfo=UTC)}
    answer = await client.run_cypher("demo", "RETURN $own AS own, $told AS told, $t AS t", given)
    assert answer.rows == ((lisbon, lisbon, time(14, 30, tzinfo=UTC)),)
    for value in (CypherTime("local_time", "14:30:00.000000001"), CypherDuration(1), CypherPoint(4326, (1.0, 2.0))):
        with pytest.raises(InvalidArgumentError, match=r"the parameter \$x") as raised:
            await client.run_cypher("demo", "RETURN $x AS x", {"x": value})
        assert raised.value.reason == "CYPHER_INVALID"


@in_module
async def test_an_unknown_namespace_is_not_found_and_a_store_without_cypher_says_so(client: AsyncClient) -> None:
    with pytest.raises(NotFoundError):
        await client.run_cypher("nobody", "RETURN 1")
    with pytest.raises(ConflictError) as raised:
        await client.run_cypher("demo", "RETURN 1", scope="database")
    assert raised.value.reason == "CYPHER_UNAVAILABLE"


TOKENS = """
[[token]]
name = "reader"
token = "reader-token-of-sixteen"
grant = [{ namespaces = ["acme/**"], rights = ["read"] }]
[[token]]
name = "admin-of-one"
token = "admin-of-one-token-16"
grant = [{ namespaces = ["acme/**"], rights = ["read", "write", "admin"] }]
[[token]]
name = "ops"
token = "ops-token-of-sixteen-"
grant = [{ namespaces = ["**"], rights = ["read", "write", "admin"] }]
"""


async def test_who_may_read_may_ask_and_a_database_is_for_administrators_of_all(
    tmp_path: Path, running: Callable[..., Any], capsys: pytest.CaptureFixture[str]
) -> None:
    tokens = tmp_path / "tokens.toml"
    tokens.write_text(TOKENS)
    async with running(tmp_path, token_file=tokens, log_level="info", log_format="json") as service:
        address = service.application.address
        async with AsyncClient(address, token="ops-token-of-sixteen-") as ops:
            await ops.create_namespace("acme/a")
            await ops.create_namespace("other")
            with pytest.raises(ConflictError):  # the embedded store speaks no Cypher; it was let through to there
                await ops.run_cypher("acme/a", "RETURN 1", scope="database")
        async with AsyncClient(address, token="reader-token-of-sixteen") as reader:
            assert (await reader.run_cypher("acme/a", "RETURN 'a private word' AS x")).rows == (("a private word",),)
            with pytest.raises(PermissionDeniedError):
                await reader.run_cypher("other", "RETURN 1")
            with pytest.raises(PermissionDeniedError):
                await reader.run_cypher("acme/a", "RETURN 1", scope="database")
        async with AsyncClient(address, token="admin-of-one-token-16") as one:
            with pytest.raises(PermissionDeniedError):
                await one.run_cypher("acme/a", "RETURN 1", scope="database")
    logged = capsys.readouterr()
    lines = [json.loads(line) for line in (logged.out + logged.err).splitlines() if '"RunCypher"' in line]
    assert ("acme/a", "reader", "OK") in {(line.get("namespace"), line.get("principal"), line.get("code")) for line in lines}
    assert "a private word" not in logged.out + logged.err
