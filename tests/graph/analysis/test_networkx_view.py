"""A namespace as a networkx graph: every node and edge of the export, and GraphML that reads back."""

from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import networkx as nx
import pytest

from graph.analysis import to_networkx, write_graphml
from graph.errors import NotFound
from graph.model import (
    NO_EMBEDDING,
    Edge,
    EdgeKind,
    Entity,
    EntityKind,
    Event,
    ExtractionMode,
    ExtractorSpec,
    Granularity,
    JobKind,
    NodeKind,
    Participant,
    Role,
    Statement,
    TimeSpan,
    UuidSource,
)
from graph.store.embedded.store import EmbeddedStore
from graph.store.port import AppendCommand, ExtractionWrite, GenerationStart, MessageDraft, NamespaceSpec

SAID = datetime(2023, 5, 8, 18, tzinfo=UTC)
TEXTS = ("Hi!", "My sister Eva moved to Lisbon last year.", "Control \x01 and 😀 <tags> & more")


@pytest.fixture
async def store(tmp_path: Path) -> AsyncIterator[EmbeddedStore]:
    store = EmbeddedStore(tmp_path)
    await store.open()
    await store.create_namespace(NamespaceSpec("home", NO_EMBEDDING, ExtractionMode.EVENT))
    drafts = tuple(
        MessageDraft("Ana", Role.USER, text, SAID + timedelta(minutes=i), labels={"mood": "good"}) for i, text in enumerate(TEXTS)
    )
    await store.namespace("home").append(AppendCommand("spring", drafts, timedelta(0)))
    await extract(store)
    yield store
    await store.close()


async def extract(store: EmbeddedStore) -> None:
    await store.namespace("home").begin_generation(GenerationStart(ExtractorSpec("by-hand", "1", ExtractionMode.EVENT)))
    lease = await store.lease_job("test", timedelta(minutes=1), {JobKind.EXTRACTION})
    assert lease is not None
    pending = await store.namespace(lease.job.namespace).pending(lease, 10)
    mint = UuidSource().mint
    ana, eva = (Entity(mint("ent"), name, EntityKind.PERSON, SAID) for name in ("Ana", "Eva"))
    event_id, relation_id, evidence = mint("evt"), mint("rel"), (pending.messages[1].id,)
    year = TimeSpan(datetime(2022, 1, 1, tzinfo=UTC), datetime(2023, 1, 1, tzinfo=UTC), Granularity.YEAR, "last year")
    relation = Statement(
        relation_id, NodeKind.RELATION, "spring", "Eva is Ana's sister.", "Ana", SAID, SAID, evidence, event_id, (ana.id, eva.id),
        "sister of", "Eva", "Ana", generation=pending.generation,
    )  # fmt: skip
    parts = (Participant(eva.id, "subject"), Participant(eva.id, "mover"))
    event = Event(event_id, "spring", "Eva moved", SAID, SAID, evidence, year, (relation_id,), parts, generation=pending.generation)
    relates = Edge(EdgeKind.RELATES, eva.id, ana.id, relation_id, {"predicate": "sister of"})
    write = ExtractionWrite(pending.generation, pending.watermark, 3, (relation,), (event,), (ana, eva), (relates,))
    await store.namespace(lease.job.namespace).commit_extraction(lease, write)


def kinds(graph: nx.MultiDiGraph) -> dict[str, int]:
    return {kind: sum(k == kind for _, k in graph.nodes(data="kind")) for kind in set(nx.get_node_attributes(graph, "kind").values())}


async def test_every_node_is_there_with_its_attributes(store: EmbeddedStore) -> None:
    graph = await to_networkx(store, "home")
    assert kinds(graph) == {"session": 1, "message": 3, "event": 1, "relation": 1, "entity": 2}
    (event,) = (data for _, data in graph.nodes(data=True) if data["kind"] == "event")
    assert event["title"] == "Eva moved"
    assert event["time_granularity"] == "year"
    assert event["time_expression"] == "last year"
    (message,) = (data for _, data in graph.nodes(data=True) if data.get("seq") == 2)
    assert (message["text"], message["role"], message["labels"]) == (TEXTS[1], "user", {"mood": "good"})
    assert {data["entity_kind"] for _, data in graph.nodes(data=True) if data["kind"] == "entity"} == {"person"}


async def test_every_edge_is_there_once(store: EmbeddedStore) -> None:
    graph = await to_networkx(store, "home")
    described = await store.namespace("home").describe()
    counted = {kind: sum(k == kind.name.lower() for *_, k in graph.edges(data="kind")) for kind in EdgeKind}
    assert {k: n for k, n in counted.items() if n} == {EdgeKind(k): n for k, n in described.edges.items() if n}
    (relates,) = (data for *_, data in graph.edges(data=True) if data["kind"] == "relates")
    assert relates["predicate"] == "sister of"
    assert graph.nodes[relates["via_id"]]["kind"] == "relation"
    assert {data["role"] for *_, data in graph.edges(data=True) if data["kind"] == "involves"} == {"subject", "mover"}


async def test_messages_follow_each_other(store: EmbeddedStore) -> None:
    graph = await to_networkx(store, "home")
    order = [graph.nodes[a]["seq"] for a, _, kind in graph.edges(data="kind") if kind == "next"]
    assert sorted(order) == [1, 2]


async def test_graphml_reads_back(store: EmbeddedStore, tmp_path: Path) -> None:
    written = await write_graphml(store, "home", tmp_path / "home.graphml")
    graph = nx.read_graphml(tmp_path / "home.graphml", force_multigraph=True)
    original = await to_networkx(store, "home")
    assert written == len(graph) == len(original)
    assert graph.number_of_edges() == original.number_of_edges()
    texts = {data["text"] for _, data in graph.nodes(data=True) if data["kind"] == "message"}
    assert texts == {TEXTS[0], TEXTS[1], "Control � and 😀 <tags> & more"}
    assert {data.get("label.mood") for _, data in graph.nodes(data=True) if data["kind"] == "message"} == {"good"}


async def test_an_unknown_namespace_is_not_found(store: EmbeddedStore) -> None:
    with pytest.raises(NotFound):
        await to_networkx(store, "nowhere")
