"""The Python clients against a real server."""

from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from structmem import (
    AsyncClient,
    Client,
    DuplicateMessageError,
    EdgeKind,
    InvalidArgumentError,
    NewMessage,
    NodeKind,
    NotFoundError,
    kind_of,
)

MOVED = NewMessage("Maria", "I moved to Lisbon last Friday.", sent_at=datetime(2024, 3, 5, 18), client_id="1")
SISTER = NewMessage("Maria", "My sister Ines lives in Porto.", sent_at=datetime(2024, 3, 5, 18, 1), client_id="2")


def test_write_wait_ask_look_and_move(beside_a_server: Any, tmp_path: Path) -> None:
    _, server = beside_a_server
    with Client(server.address) as client:
        written = client.append("dora", "monday", [MOVED, SISTER], time_zone="Europe/Lisbon", create_namespace=True)
        (hit, *_) = client.retrieve("Where did Maria move?", "dora", recipe="lexical", at_least=written.consistency_token)
        assert "Lisbon" in hit.memory.text, "words are found before anything is extracted"
        (job,) = client.wait_for(written, timeout=30)
        assert (job.completed_units, job.total_units) == (2, 2)
        again = client.append("dora", "monday", [MOVED], time_zone="Europe/Lisbon")
        assert [message.duplicate for message in again.messages] == [True]
        with pytest.raises(DuplicateMessageError):
            client.append("dora", "monday", [NewMessage("Maria", "other words", client_id="1")])

        event = next(event for event in client.list_events("dora", page_size=1) if "moved" in event.title)
        assert event.time is not None
        assert event.time.start == datetime(2024, 3, 1, tzinfo=UTC)
        assert event.time.expression == "last Friday"
        view = client.get_event("dora", event.id)
        assert [message.text for message in view.evidence] == [MOVED.text]
        around = client.get_node("dora", view.statements[0].id)
        assert EdgeKind.EVIDENCED_BY in {edge.kind for edge in around.edges}
        assert around.node == view.statements[0]
        assert {kind_of(node) for node in around.neighbors} >= {"message", "event"}
        assert client.graph_stats("dora").nodes[NodeKind.MESSAGE] == 2
        assert client.build_context("Maria", "dora", token_budget=50).token_count <= 50
        assert client.server_info().default_recipe == "hybrid"
        assert client.update_namespace("dora", description="a test").description == "a test"

        records = client.export_namespace("dora", tmp_path / "dora.jsonl.gz")
        assert client.import_namespace(tmp_path / "dora.jsonl.gz", namespace="dora-again").record_count == records
        assert list(client.list_statements("dora-again")) == list(client.list_statements("dora"))
        receipt = client.delete_memories("dora", [written.messages[0].id])
        assert receipt.counts[NodeKind.MESSAGE] == 1
        client.delete_namespace("dora")
        with pytest.raises(NotFoundError):
            client.get_namespace("dora")
        with pytest.raises(InvalidArgumentError) as refused:
            client.retrieve("x", "dora-again", k=-1)
        assert refused.value.violations[0].field == "k"


async def test_the_same_with_asyncio(beside_a_server: Any, tmp_path: Path) -> None:
    _, server = beside_a_server
    async with AsyncClient(server.address) as client:
        pairs = [("monday", MOVED), ("tuesday", SISTER)]
        imported = await client.import_messages("eva", pairs, time_zone="Europe/Lisbon", create_namespace=True)
        assert (imported.stored_count, imported.session_count) == (2, 2)
        assert len(await client.wait_for(imported, timeout=30)) == 2
        assert [session.name async for session in client.list_sessions("eva")] == ["monday", "tuesday"]
        answer = await client.retrieve("Who is Ines?", ["eva"], explain=True)
        for hit in answer:
            assert hit.explanation is not None
            assert sum(part.points for part in hit.explanation.contributions) == pytest.approx(hit.score)
        ines = [entity async for entity in client.list_entities("eva", name="ines")]
        assert [found.hops async for found in client.traverse_events("eva", [ines[0].id], max_hops=3)]
        assert await client.export_namespace("eva", tmp_path / "eva.jsonl") > 0
        copied = await client.import_namespace(tmp_path / "eva.jsonl", namespace="eva-again")
        assert copied.namespace == "eva-again"
        assert (await client.delete_session("eva", "monday")).counts
