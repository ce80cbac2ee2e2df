"""Names that searches filter by have at most 200 characters, by whichever door they come: Neo4j's vector index holds them."""

import re
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Any

import pytest
from structmem import AsyncClient, MemoryFilter, NewMessage
from structmem.v1 import memory_service_pb2 as pb

from graph.model import MAX_NAME_LENGTH
from graph.store.neo4j.schema import vector_index, vector_index_of
from tests.neo4j_databases import Database

# What of the vector index's columns is a text of callers. Another one needs a cap at every door, and a case here.
NAMES = {"namespace", "session", "speaker"}
OTHERS = {"kind", "said_at", "instruction"}
LONG = "n" * (MAX_NAME_LENGTH + 1)
DOORS = {
    "session": ("name",),
    "message": ("session", "speaker"),
    "event": ("session",),
    "statement": ("session", "speaker"),
}


def test_the_vector_index_filters_by_names_and_by_nothing_else_that_is_long() -> None:
    assert MAX_NAME_LENGTH == 200
    columns = re.search(r"WITH \[(.*?)\]", vector_index_of(8).statement)
    assert columns is not None
    assert {column.strip().removeprefix("m.") for column in columns[1].split(",")} == NAMES | OTHERS


async def test_a_longer_name_is_refused_wherever_it_comes_in(service: Any, refused: Callable[..., Any]) -> None:
    said = [pb.MessageInput(speaker="Ana", text="My sister Maria moved to Lisbon in May 2023.")]
    kept = await service.memory.AppendMessages(
        pb.AppendMessagesRequest(namespace="acme", session="s", messages=said, create_namespace=True)
    )
    await service.memory.ExpediteJob(pb.ExpediteJobRequest(namespace="acme", job_id=kept.job_id))
    async for _ in service.memory.WatchJob(pb.WatchJobRequest(namespace="acme", job_id=kept.job_id), timeout=20):
        pass
    for field, batch in {
        "batch.session": pb.ImportMessagesBatch(session=LONG, messages=said),
        "batch.messages[0].speaker": pb.ImportMessagesBatch(session="s", messages=[pb.MessageInput(speaker=LONG, text="Hello")]),
    }.items():
        refusal = await refused(service.memory.ImportMessages(_messages(batch)))
        assert set(refusal.fields) == {field}
    parts = [part async for part in service.memory.ExportNamespace(pb.ExportNamespaceRequest(namespace="acme"))]
    for kind, names in DOORS.items():
        assert any(record.node.HasField(kind) for part in parts for record in part.batch.records)
        for name in names:
            refusal = await refused(service.memory.ImportNamespace(_copy(parts, kind, name)))
            assert {field.partition("].")[2] for field in refusal.fields} == {f"node.{kind}.{name}"}


async def _messages(batch: pb.ImportMessagesBatch) -> AsyncIterator[pb.ImportMessagesRequest]:
    yield pb.ImportMessagesRequest(header=pb.ImportMessagesHeader(namespace="acme"))
    yield pb.ImportMessagesRequest(batch=batch)


async def _copy(parts: list[Any], kind: str, name: str) -> AsyncIterator[pb.ImportNamespaceRequest]:
    yield pb.ImportNamespaceRequest(header=pb.ImportNamespaceHeader(namespace="copy", export_header=parts[0].header))
    for part in parts[1:-1]:
        request = pb.ImportNamespaceRequest(batch=part.batch)
        for record in request.batch.records:
            if record.node.HasField(kind):
                setattr(getattr(record.node, kind), name, LONG)
        yield request
    yield pb.ImportNamespaceRequest(trailer=parts[-1].trailer)


@pytest.mark.neo4j
async def test_the_longest_names_are_stored_and_filtered_by_on_neo4j(neo4j: Database, running: Callable[..., Any], tmp_path: Path) -> None:
    # Of four bytes each in UTF-8.
    session, speaker = "𝓢" * MAX_NAME_LENGTH, "𝓐" * MAX_NAME_LENGTH
    async with running(tmp_path, **neo4j.settings) as service, AsyncClient(service.application.address) as client:
        namespace = "n" * MAX_NAME_LENGTH
        said = [NewMessage(speaker, "My sister Maria moved to Lisbon."), NewMessage("Tom", "My sister Ruth moved to Porto.")]
        await client.wait_for(await client.append(namespace, session, said, create_namespace=True))
        chosen = MemoryFilter(sessions=(session,), speakers=(speaker,), kinds=("message",))
        answer = await client.retrieve("Who moved?", namespace, filter=chosen)
        assert [hit.memory.text for hit in answer.hits] == ["My sister Maria moved to Lisbon."]
        dimension = (await client.get_namespace(namespace)).embedding.dimension
        inside = f"""CYPHER 25 MATCH (m) SEARCH m IN (VECTOR INDEX {vector_index(dimension)} FOR $vector
            WHERE m.namespace = $namespace AND m.session = $session AND m.speaker = $speaker LIMIT 5) RETURN count(*) AS found"""
        [row] = neo4j.run(inside, vector=[1.0] * dimension, namespace=namespace, session=session, speaker=speaker)
        assert row["found"] >= 1
