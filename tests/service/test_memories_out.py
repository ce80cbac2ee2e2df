"""Memories out over gRPC: retrieval, contexts, nodes, listings, deletion."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import grpc
import pytest
from structmem.v1 import filter_pb2, inspection_service_pb2, namespace_pb2, namespace_service_pb2, node_pb2, retrieval_pb2
from structmem.v1 import memory_service_pb2 as pb

from graph.store.port import ConsistencyPoint

TALK = [
    ("Ana", "I moved to Lisbon in May 2023 with my sister Maria."),
    ("Bo", "Nice! Did Maria find a job?"),
    ("Ana", "Yes, she works at the Oceanarium since last week."),
    ("Bo", "I am learning to bake sourdough bread."),
    ("Ana", "We will visit our father in Porto next Sunday."),
]
START = datetime(2024, 3, 5, 18, 30, tzinfo=UTC)


@pytest.fixture
async def talk(service: Any) -> Any:
    messages = []
    for index, (speaker, text) in enumerate(TALK):
        messages.append(pb.MessageInput(speaker=speaker, text=text, client_id=str(index), labels={"n": str(index % 2)}))
        messages[-1].sent_at.FromDatetime(START + timedelta(minutes=index))
    request = pb.AppendMessagesRequest(namespace="acme", session="talk", messages=messages, create_namespace=True)
    answer = await service.memory.AppendMessages(request)
    await service.memory.ExpediteJob(pb.ExpediteJobRequest(namespace="acme", job_id=answer.job_id))
    watch = pb.WatchJobRequest(namespace="acme", job_id=answer.job_id)
    async for _ in service.memory.WatchJob(watch, timeout=20):
        pass
    service.token = answer.consistency_token
    return service


def texts(answer: Any) -> list[str]:
    return [hit.memory.message.text or hit.memory.statement.text for hit in answer.hits]


async def test_a_query_finds_the_right_message_and_explains_it(talk: Any) -> None:
    answer = await talk.memory.Retrieve(
        pb.RetrieveRequest(
            query=retrieval_pb2.RetrievalQuery(namespaces=["acme"], text="sourdough bread", at_least=[talk.token]), explain=True
        )
    )
    assert "sourdough" in texts(answer)[0]
    assert [hit.rank for hit in answer.hits] == list(range(1, len(answer.hits) + 1))
    for hit in answer.hits:
        assert sum(part.points for part in hit.explanation.contributions) == pytest.approx(hit.score)
        assert hit.explanation.evidence_ids
    assert answer.plan.recipe == "hybrid"


@pytest.mark.parametrize("recipe", ["hybrid", "lexical", "dense", "graph"])
async def test_each_recipe_answers(talk: Any, recipe: str) -> None:
    answer = await talk.memory.Retrieve(
        pb.RetrieveRequest(query=retrieval_pb2.RetrievalQuery(namespaces=["acme"], text="Where does Maria work?", recipe=recipe, k=3))
    )
    assert 1 <= len(answer.hits) <= 3
    assert not any(hit.HasField("explanation") for hit in answer.hits)


async def test_a_filter_holds_for_every_hit(talk: Any) -> None:
    filter_ = filter_pb2.MemoryFilter(kinds=[node_pb2.NODE_KIND_MESSAGE], speakers=["Bo"])
    answer = await talk.memory.Retrieve(
        pb.RetrieveRequest(query=retrieval_pb2.RetrievalQuery(namespaces=["acme"], text="Maria sourdough Porto", filter=filter_))
    )
    assert {hit.memory.message.speaker for hit in answer.hits} == {"Bo"}


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ('"sourdough', "sourdough"),
        ("NEAR(sourdough bread) OR *", "sourdough"),
        ("sourdough AND NOT", "sourdough"),
        ("text:bread^2 -bake", "sourdough"),
        ("Мария 👋 Oceanarium?!", "Oceanarium"),
        ("'; DROP TABLE nodes; -- Porto", "Porto"),
        ("sourdough " * 10_000, "sourdough"),
    ],
)
async def test_strange_queries_find_the_right_message(talk: Any, query: str, found: str) -> None:
    messages = filter_pb2.MemoryFilter(kinds=[node_pb2.NODE_KIND_MESSAGE])
    answer = await talk.memory.Retrieve(
        pb.RetrieveRequest(query=retrieval_pb2.RetrievalQuery(namespaces=["acme"], text=query, filter=messages))
    )
    assert found in texts(answer)[0]


@pytest.mark.parametrize("query", ['"', "*", "()", "AND", "👋", "\u200b.", "x" * 100_000])
async def test_a_query_of_which_nothing_matches_is_answered(talk: Any, query: str) -> None:
    request = pb.RetrieveRequest(query=retrieval_pb2.RetrievalQuery(namespaces=["acme"], text=query, k=3))
    assert len((await talk.memory.Retrieve(request)).hits) <= 3
    assert not (
        await talk.memory.Retrieve(
            pb.RetrieveRequest(query=retrieval_pb2.RetrievalQuery(namespaces=["acme"], text=query, recipe="lexical"))
        )
    ).hits


async def test_a_context_fits_its_budget(talk: Any) -> None:
    answer = await talk.memory.BuildContext(
        pb.BuildContextRequest(query=retrieval_pb2.RetrievalQuery(namespaces=["acme"], text="What about Maria?"), token_budget=60)
    )
    assert 0 < answer.token_count <= 60
    assert answer.entries
    assert all(entry.text in answer.text for entry in answer.entries)
    said = [entry.said_at.ToDatetime() for entry in answer.entries]
    assert said == sorted(said)


async def test_nothing_relevant_is_said_over_the_wire(talk: Any) -> None:
    answer = await talk.memory.Retrieve(
        pb.RetrieveRequest(query=retrieval_pb2.RetrievalQuery(namespaces=["acme"], text="Maria sourdough", min_relevance=1.0))
    )
    assert answer.nothing_relevant
    assert not answer.hits
    every = await talk.memory.Retrieve(pb.RetrieveRequest(query=retrieval_pb2.RetrievalQuery(namespaces=["acme"], text="Maria sourdough")))
    assert not every.nothing_relevant
    assert every.best_relevance == answer.best_relevance == max(hit.relevance for hit in every.hits)
    context = await talk.memory.BuildContext(
        pb.BuildContextRequest(query=retrieval_pb2.RetrievalQuery(namespaces=["acme"], text="Maria sourdough", min_relevance=1.0))
    )
    assert (context.text, context.nothing_relevant, context.best_relevance) == ("", True, answer.best_relevance)


async def test_a_miss_is_explained_over_the_wire(talk: Any) -> None:
    every = await talk.memory.Retrieve(
        pb.RetrieveRequest(query=retrieval_pb2.RetrievalQuery(namespaces=["acme"], text="Maria sourdough", k=100), explain=True)
    )
    first, last = every.hits[0].memory, every.hits[-1].memory
    ids = [getattr(node, node.WhichOneof("kind")).id for node in (first, last)]
    there = await talk.memory.ExplainMiss(
        pb.ExplainMissRequest(query=retrieval_pb2.RetrievalQuery(namespaces=["acme"], text="Maria sourdough"), node_id=ids[0])
    )
    assert there.reason == retrieval_pb2.MISS_REASON_IN_ANSWER
    assert there.hit == every.hits[0]
    missed = await talk.memory.ExplainMiss(
        pb.ExplainMissRequest(query=retrieval_pb2.RetrievalQuery(namespaces=["acme"], text="Maria sourdough", k=1), node_id=ids[1])
    )
    assert missed.reason == retrieval_pb2.MISS_REASON_OUTSCORED
    assert missed.hit.rank == len(every.hits)
    assert [rival.hit.rank for rival in missed.rivals] == [1]
    assert {channel.channel for channel in missed.channels} >= {"lexical"}
    alone = filter_pb2.MemoryFilter(speakers=["Nobody"])
    out = await talk.memory.ExplainMiss(
        pb.ExplainMissRequest(query=retrieval_pb2.RetrievalQuery(namespaces=["acme"], text="Maria sourdough", filter=alone), node_id=ids[0])
    )
    assert (out.reason, list(out.filtered_by)) == (retrieval_pb2.MISS_REASON_FILTERED, ["speakers"])


async def test_a_token_of_a_later_write_is_not_met_yet(talk: Any, refused: Callable[..., Any]) -> None:
    uid = (await talk.application.store.namespace("acme").settings()).uid
    ahead = talk.application.consistency.make("acme", ConsistencyPoint(uid, 10**6))
    refusal = await refused(
        talk.memory.Retrieve(pb.RetrieveRequest(query=retrieval_pb2.RetrievalQuery(namespaces=["acme"], text="x", at_least=[ahead])))
    )
    assert (refusal.code, refusal.reason) == (grpc.StatusCode.UNAVAILABLE, "REVISION_NOT_REACHED")
    assert refusal.retry is not None


async def test_any_node_is_shown_with_its_edges(talk: Any) -> None:
    [first, *_] = (await talk.memory.ListMessages(pb.ListMessagesRequest(namespace="acme"))).messages
    shown = await talk.memory.GetNode(pb.GetNodeRequest(namespace="acme", node_id=first.id))
    assert shown.node.message.text == TALK[0][1]
    ends = {end for edge in shown.edges for end in (edge.source_id, edge.target_id)}
    assert first.id in ends
    kinds = {edge.kind for edge in shown.edges}
    assert {node_pb2.EDGE_KIND_IN_SESSION, node_pb2.EDGE_KIND_NEXT} <= kinds
    assert shown.neighbors
    cut = await talk.memory.GetNode(pb.GetNodeRequest(namespace="acme", node_id=first.id, max_edges=1))
    assert cut.edges_truncated


async def test_events_bind_statements_and_evidence(talk: Any) -> None:
    events = (await talk.memory.ListEvents(pb.ListEventsRequest(namespace="acme"))).events
    assert events
    shown = await talk.memory.GetEvent(pb.GetEventRequest(namespace="acme", event_id=events[0].id))
    assert [s.id for s in shown.statements] == list(shown.event.statement_ids)
    assert [m.id for m in shown.evidence] == list(shown.event.evidence_ids)
    walk = pb.TraverseEventsRequest(namespace="acme", start_ids=[shown.evidence[0].id])
    reached = [event async for part in talk.memory.TraverseEvents(walk) for event in part.batch.events]
    assert events[0].id in {one.event.id for one in reached}
    assert [one.hops for one in reached] == sorted(one.hops for one in reached)


async def test_a_listing_comes_in_pages(talk: Any) -> None:
    seen: list[str] = []
    token = ""
    while True:
        page = await talk.memory.ListMessages(pb.ListMessagesRequest(namespace="acme", page_size=2, page_token=token))
        assert len(page.messages) <= 2
        seen += [message.text for message in page.messages]
        token = page.next_page_token
        if not token:
            break
    assert seen == [text for _, text in TALK]


async def test_a_page_token_of_another_listing_is_refused(talk: Any, refused: Callable[..., Any]) -> None:
    page = await talk.memory.ListMessages(pb.ListMessagesRequest(namespace="acme", page_size=2))
    for request in (
        pb.ListMessagesRequest(namespace="acme", speakers=["Bo"], page_token=page.next_page_token),
        pb.ListMessagesRequest(namespace="acme", page_token=page.next_page_token[:-2]),
    ):
        assert "page_token" in (await refused(talk.memory.ListMessages(request))).fields
    await talk.namespaces.DeleteNamespace(namespace_service_pb2.DeleteNamespaceRequest(namespace="acme"))
    await talk.namespaces.CreateNamespace(namespace_service_pb2.CreateNamespaceRequest(namespace="acme"))
    stale = pb.ListMessagesRequest(namespace="acme", page_size=2, page_token=page.next_page_token)
    assert "page_token" in (await refused(talk.memory.ListMessages(stale))).fields


async def test_facts_and_entities_are_listed(talk: Any) -> None:
    facts = (await talk.memory.ListStatements(pb.ListStatementsRequest(namespace="acme", speakers=["Ana"]))).statements
    assert {fact.speaker for fact in facts} == {"Ana"}
    entities = (await talk.memory.ListEntities(pb.ListEntitiesRequest(namespace="acme", name="maria"))).entities
    assert [entity.name for entity in entities] == ["Maria"]
    about = (await talk.memory.ListStatements(pb.ListStatementsRequest(namespace="acme", entity_ids=[entities[0].id]))).statements
    assert about
    assert all(entities[0].id in fact.entity_ids for fact in about)


async def test_what_is_deleted_is_found_no_more(talk: Any) -> None:
    messages = (await talk.memory.ListMessages(pb.ListMessagesRequest(namespace="acme"))).messages
    bread = next(message for message in messages if "sourdough" in message.text)
    ids = pb.MemoryIds(ids=[bread.id, "msg_01h455vb4pex5vsknk084sn02q"])
    answer = await talk.memory.DeleteMemories(pb.DeleteMemoriesRequest(namespace="acme", memories=ids))
    assert {count.kind: count.count for count in answer.receipt.counts}[node_pb2.NODE_KIND_MESSAGE] == 1
    assert list(answer.receipt.missing_ids) == ["msg_01h455vb4pex5vsknk084sn02q"]
    query = pb.RetrieveRequest(
        query=retrieval_pb2.RetrievalQuery(namespaces=["acme"], text="sourdough bread", at_least=[answer.consistency_token], k=50)
    )
    assert not any("sourdough" in text for text in texts(await talk.memory.Retrieve(query)))
    gone = await talk.memory.DeleteMemories(pb.DeleteMemoriesRequest(namespace="acme", session="talk"))
    assert gone.receipt.revision > answer.receipt.revision
    described = await talk.inspection.GetGraphStats(inspection_service_pb2.GetGraphStatsRequest(namespace="acme"))
    assert not described.nodes


async def test_another_mode_extracts_anew(talk: Any, eventually: Callable[..., Any]) -> None:
    def request(mode: int) -> Any:
        return namespace_service_pb2.UpdateNamespaceRequest(namespace="acme", extraction_mode=mode)  # type: ignore[arg-type]

    before = (await talk.namespaces.GetNamespace(namespace_service_pb2.GetNamespaceRequest(namespace="acme"))).namespace
    updated = (await talk.namespaces.UpdateNamespace(request(namespace_pb2.EXTRACTION_MODE_FLAT))).namespace
    assert updated.generation.number > before.generation.number
    assert updated.extraction_mode == namespace_pb2.EXTRACTION_MODE_FLAT

    async def extracted() -> bool:
        facts = (await talk.memory.ListStatements(pb.ListStatementsRequest(namespace="acme"))).statements
        return bool(facts) and {fact.generation for fact in facts} == {updated.generation.number}

    await eventually(extracted)


async def test_the_service_says_what_it_is(service: Any) -> None:
    info = await service.inspection.GetServerInfo(inspection_service_pb2.GetServerInfoRequest())
    assert (info.store, info.extractor, info.default_recipe) == ("embedded", "local", "hybrid")
    assert {"hybrid", "lexical", "dense", "graph"} <= set(info.recipes)
    assert info.embedder.model.startswith("hashing")
    assert info.extractor_note
    assert (info.job_retention.ToTimedelta(), info.request_id_retention.ToTimedelta()) == (timedelta(days=7), timedelta(hours=24))


async def test_a_turn_leaves_its_session_out_over_the_wire(talk: Any) -> None:
    def asked(**fields: Any) -> pb.RetrieveRequest:
        query = retrieval_pb2.RetrievalQuery(namespaces=["acme"], text="Maria sourdough", k=50, **fields)
        return pb.RetrieveRequest(query=query, explain=True)

    assert not (await talk.memory.Retrieve(asked(session="talk"))).hits
    turn = await talk.memory.Retrieve(
        asked(session="another", turns=[retrieval_pb2.Turn(text=text) for text in ("We bake bread.", "Which kind?")])
    )
    assert "recency" in {part.signal for hit in turn.hits for part in hit.explanation.contributions}
    first = turn.hits[0].memory.message.id or turn.hits[0].memory.statement.id
    left = await talk.memory.Retrieve(asked(filter=filter_pb2.MemoryFilter(not_ids=[first])))
    assert left.hits
    assert first not in {hit.memory.message.id or hit.memory.statement.id for hit in left.hits}
    known = asked()
    known.query.as_of.known.FromDatetime(START + timedelta(minutes=2))
    moments = {hit.memory.message.sent_at.ToDatetime(UTC) for hit in (await talk.memory.Retrieve(known)).hits if hit.memory.message.id}
    assert moments
    assert max(moments) < START + timedelta(minutes=2)
    early = asked(as_asked=True)
    early.query.asked_at.FromDatetime(START + timedelta(minutes=2))
    moments = {hit.memory.message.sent_at.ToDatetime(UTC) for hit in (await talk.memory.Retrieve(early)).hits if hit.memory.message.id}
    assert moments
    assert max(moments) < START + timedelta(minutes=2)
