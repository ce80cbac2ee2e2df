"""What the calls send and how their answers read."""

import re
from collections.abc import Callable
from datetime import UTC, datetime, timedelta, timezone
from inspect import signature
from pathlib import Path
from typing import Any

import grpc
import pytest
import structmem
from google.protobuf.timestamp_pb2 import Timestamp
from structmem import Client, InvalidArgumentError, MemoryFilter, NewMessage
from structmem.v1 import exchange_pb2, filter_pb2, job_pb2, namespace_pb2, node_pb2, retrieval_pb2, time_pb2
from structmem.v1 import memory_service_pb2 as mpb
from structmem.v1 import namespace_service_pb2 as npb
from structmem.v1 import summary_service_pb2 as spb
from structmem.v1.error_reason_pb2 import ERROR_REASON_EXTRACTOR_UNAVAILABLE

MARCH = datetime(2024, 3, 5, 18, 30, tzinfo=UTC)


def stamp(moment: datetime) -> Timestamp:
    made = Timestamp()
    made.FromDatetime(moment)
    return made


def test_the_three_ways_to_say_when_a_message_was_sent(script: Any, client: Client) -> None:
    script.answers["AppendMessages"] = lambda request, context: mpb.AppendMessagesResponse()
    lisbon_summer = timezone(timedelta(hours=1))
    client.append(
        "alice",
        "s",
        [
            NewMessage("Maria", "an instant", sent_at=datetime(2024, 7, 1, 12, tzinfo=lisbon_summer)),
            NewMessage("Maria", "a local time", sent_at=datetime(2024, 7, 1, 12)),
            NewMessage("Maria", "a text", sent_at="2024-07-01T12:00:00"),
            NewMessage("Maria", "now"),
        ],
    )
    instant, local, text, now = script.requests[0].messages
    assert instant.sent_at.ToDatetime(tzinfo=UTC) == datetime(2024, 7, 1, 11, tzinfo=UTC)
    assert local.sent_at_local == text.sent_at_local == "2024-07-01T12:00:00"
    assert now.WhichOneof("sent") is None
    assert now.role == node_pb2.ROLE_USER


def test_a_decision_about_two_entities(script: Any, client: Client) -> None:
    link = node_pb2.Edge(
        kind=node_pb2.EDGE_KIND_DIFFERENT_FROM,
        source_id="ent_1",
        target_id="ent_2",
        confidence=0.8,
        decision=node_pb2.EdgeDecision(decided_by="maria"),
    )
    script.answers["DecideEntityLink"] = lambda request, context: mpb.DecideEntityLinkResponse(edges=[link], consistency_token="t")
    decided = client.decide_entity_link("alice", "ent_1", "ent_2", "different")
    assert decided.consistency_token == "t"
    assert [(edge.kind, edge.decision, edge.confidence) for edge in decided.edges] == [
        (structmem.EdgeKind.DIFFERENT_FROM, structmem.EdgeDecision(None, "maria"), 0.8)
    ]
    assert script.requests[0].verdict == mpb.LINK_VERDICT_DIFFERENT
    with pytest.raises(InvalidArgumentError, match="verdict"):
        client.decide_entity_link("alice", "ent_1", "ent_2", "perhaps")


def test_what_replaced_what_is_taken_back_and_put_back(script: Any, client: Client) -> None:
    edge = node_pb2.Edge(
        kind=node_pb2.EDGE_KIND_SUPERSEDES, source_id="fact_2", target_id="fact_1", reverted=node_pb2.EdgeDecision(decided_by="maria")
    )
    script.answers["RevertDecision"] = lambda request, context: mpb.RevertDecisionResponse(edges=[edge], consistency_token="t")
    reverted = client.revert_decision("alice", "fact_2", "fact_1")
    assert reverted.consistency_token == "t"
    assert [(edge.kind, edge.reverted) for edge in reverted.edges] == [
        (structmem.EdgeKind.SUPERSEDES, structmem.EdgeDecision(None, "maria"))
    ]
    client.revert_decision("alice", "fact_2", "fact_1", restore=True)
    asked = [(request.newer_id, request.older_id, request.restore) for request in script.requests]
    assert asked == [("fact_2", "fact_1", False), ("fact_2", "fact_1", True)]


def test_a_retrieval_reads_as_data(script: Any, client: Client) -> None:
    statement = node_pb2.Statement(
        id="fct_1",
        kind=node_pb2.NODE_KIND_FACT,
        text="Maria moved to Lisbon",
        time=time_pb2.TimeSpan(start=stamp(MARCH), granularity=time_pb2.GRANULARITY_MONTH, expression="in March"),
        said_at=stamp(MARCH),
        evidence_ids=["msg_1"],
    )
    why = retrieval_pb2.Explanation(
        contributions=[retrieval_pb2.Contribution(signal="lexical", raw=3, value=0.5, weight=0.4, points=0.2, from_id="fct_2")],
        channels=[retrieval_pb2.ChannelRank(channel="lexical", rank=1, score=3)],
        path=[retrieval_pb2.PathStep(edge=node_pb2.EDGE_KIND_EVIDENCED_BY, node_id="msg_1")],
        evidence_ids=["msg_1"],
    )
    hit = retrieval_pb2.Hit(rank=1, namespace="alice", memory=node_pb2.Node(statement=statement), score=0.2, explanation=why)
    script.answers["Retrieve"] = lambda request, context: mpb.RetrieveResponse(
        hits=[hit], plan=retrieval_pb2.QueryPlan(recipe="hybrid", asks_when=True)
    )
    wanted = structmem.MemoryFilter(
        kinds=["fact"],
        speakers=["Maria"],
        happened=structmem.TimeRange(start=MARCH),
        labels=structmem.LabelFilter(any_of=[structmem.LabelCondition("topic", ["home"])]),
    )
    answer = client.retrieve("when did Maria move?", ["alice", "team"], k=3, filter=wanted, explain=True)
    sent = script.requests[0]
    assert list(sent.query.namespaces) == ["alice", "team"]
    assert (sent.query.text, sent.query.k, sent.explain, sent.query.HasField("asked_at")) == ("when did Maria move?", 3, True, False)
    assert sent.query.filter == filter_pb2.MemoryFilter(
        kinds=[node_pb2.NODE_KIND_FACT],
        speakers=["Maria"],
        happened=time_pb2.TimeRange(start=stamp(MARCH)),
        labels=filter_pb2.LabelFilter(any_of=[filter_pb2.LabelCondition(key="topic", values=["home"])]),
    )
    (found,) = answer
    assert isinstance(found.memory, structmem.Statement)
    assert found.memory.kind == structmem.NodeKind.FACT == structmem.kind_of(found.memory)
    assert found.memory.time == structmem.TimeSpan(MARCH, None, structmem.Granularity.MONTH, "in March")
    assert found.explanation is not None
    assert sum(part.points for part in found.explanation.contributions) == found.score
    assert found.explanation.path == (structmem.PathStep(structmem.EdgeKind.EVIDENCED_BY, "msg_1"),)
    assert answer.plan.asks_when


def test_a_turn_says_of_which_session_it_is(script: Any, client: Client) -> None:
    script.answers |= {"Retrieve": lambda request, context: mpb.RetrieveResponse()}
    wanted = structmem.MemoryFilter(not_sessions=["old"], not_ids=["msg_1"])
    client.retrieve("and then?", "alice", filter=wanted, session="now", turns=["hello", "hi"], as_asked=True)
    asked = script.requests[-1].query
    assert (asked.session, [turn.text for turn in asked.turns], asked.as_asked) == ("now", ["hello", "hi"], True)
    assert (list(asked.filter.not_sessions), list(asked.filter.not_ids)) == (["old"], ["msg_1"])


def test_a_moment_alone_is_meant_on_both_axes(script: Any, client: Client) -> None:
    script.answers |= {"Retrieve": lambda request, context: mpb.RetrieveResponse()}
    march = datetime(2024, 3, 5, tzinfo=UTC)
    client.retrieve("where?", "alice", as_of=march)
    both = script.requests[-1].query.as_of
    assert (both.valid.ToDatetime(UTC), both.known.ToDatetime(UTC)) == (march, march)
    client.retrieve("where?", "alice", as_of=structmem.AsOf(valid=march))
    assert not script.requests[-1].query.as_of.HasField("known")
    with pytest.raises(structmem.InvalidArgumentError, match=r"as_of\.valid"):
        client.retrieve("where?", "alice", as_of=structmem.AsOf(valid=datetime(2024, 3, 5)))  # without a zone


def test_every_read_takes_consistency_tokens(script: Any, client: Client) -> None:
    script.answers |= {
        "Retrieve": lambda request, context: mpb.RetrieveResponse(),
        "ListEvents": lambda request, context: mpb.ListEventsResponse(),
        "GetJob": lambda request, context: mpb.GetJobResponse(),
    }
    client.retrieve("q", ["alice", "team"], at_least=["one", "two"])
    list(client.list_events("alice", at_least="one"))
    client.get_job("alice", "job_1")
    retrieved, listed, shown = script.requests
    assert [list(it) for it in (retrieved.query.at_least, listed.at_least, shown.at_least)] == [["one", "two"], ["one"], []]


def test_a_token_that_is_none_asks_for_nothing_and_no_token_is_refused(script: Any, client: Client) -> None:
    script.answers |= {"ListMessages": lambda request, context: mpb.ListMessagesResponse()}
    list(client.list_messages("alice", at_least=None))
    assert list(script.requests[0].at_least) == []
    for wrong in (7, [7]):
        with pytest.raises(InvalidArgumentError, match="at_least: must be a consistency token, or several"):
            list(client.list_messages("alice", at_least=wrong))  # type: ignore[arg-type]


def test_a_kind_that_nobody_knows_is_told_with_those_that_the_call_takes(client: Client) -> None:
    with pytest.raises(InvalidArgumentError, match=r'kinds: "feeling" is not one of "fact", "relation"$'):
        list(client.list_statements("alice", kinds=["feeling"]))
    with pytest.raises(InvalidArgumentError, match=r'filter\.kinds: "feeling" is not one of "message", "fact", "relation"$'):
        client.retrieve("q", "alice", filter=structmem.MemoryFilter(kinds=["feeling"]))


def test_every_read_has_the_argument() -> None:
    reads = {name for name in dir(Client) if name.startswith(("get_", "list_", "export_")) or name in OTHER_READS}
    assert len(reads) > 20
    assert all("at_least" in signature(getattr(Client, name)).parameters for name in reads)


OTHER_READS = {"build_context", "explain_miss", "graph_stats", "retrieve", "run_cypher", "traverse_events", "usage", "watch_job"}


@pytest.mark.parametrize(
    ("field", "call"),
    [
        ("k", lambda client: client.retrieve("q", "alice", k=0)),
        ("k", lambda client: client.build_context("q", "alice", k=-1)),
        ("token_budget", lambda client: client.build_context("q", "alice", token_budget=0)),
        ("max_edges", lambda client: client.get_node("alice", "evt_1", max_edges=0)),
        ("max_hops", lambda client: list(client.traverse_events("alice", ["evt_1"], max_hops=0))),
        ("max_events", lambda client: list(client.traverse_events("alice", ["evt_1"], max_events=-1))),
        ("page_size", lambda client: list(client.list_events("alice", page_size=0))),
        ("page_size", lambda client: list(client.list_statements("alice", page_size=0))),
        ("page_size", lambda client: list(client.list_messages("alice", page_size=0))),
        ("page_size", lambda client: list(client.list_sessions("alice", page_size=0))),
        ("page_size", lambda client: list(client.list_entities("alice", page_size=0))),
        ("page_size", lambda client: list(client.list_jobs("alice", page_size=0))),
        ("page_size", lambda client: list(client.list_namespaces(page_size=0))),
    ],
)
def test_a_limit_of_nothing_is_refused_and_not_taken_for_the_default(
    script: Any, client: Client, field: str, call: Callable[[Client], object]
) -> None:
    with pytest.raises(InvalidArgumentError) as raised:
        call(client)
    assert [(violation.field, violation.reason) for violation in raised.value.violations] == [
        (field, "must be positive; leave it out for the default")
    ]
    assert script.requests == []


def test_an_enum_of_a_newer_service_reads_as_unspecified(script: Any, client: Client) -> None:
    script.answers["GetJob"] = lambda request, context: mpb.GetJobResponse(job=job_pb2.Job(id="job_1", state=99))  # type: ignore[arg-type]
    assert client.get_job("alice", "job_1").state == structmem.JobState.UNSPECIFIED


def test_listings_page_by_themselves_and_only_as_far_as_needed(script: Any, client: Client) -> None:
    def page(request: mpb.ListEventsRequest, context: grpc.ServicerContext) -> mpb.ListEventsResponse:
        start = int(request.page_token or 0)
        events = [node_pb2.Event(id=f"evt_{number}") for number in range(start, start + 2)]
        return mpb.ListEventsResponse(events=events, next_page_token=str(start + 2) if start < 4 else "")

    script.answers["ListEvents"] = page
    assert [event.id for event in client.list_events("alice", page_size=2)] == [f"evt_{n}" for n in range(6)]
    assert [request.page_token for request in script.requests] == ["", "2", "4"]
    next(iter(client.list_events("alice")))
    assert len(script.requests) == 4


def test_a_token_goes_along(script: Any) -> None:
    script.answers["GetNamespace"] = lambda request, context: npb.GetNamespaceResponse(namespace=namespace_pb2.Namespace(name="alice"))
    with Client(script.target, token="tok") as client:
        assert client.get_namespace("alice").generation is None
    assert script.metadata[0]["authorization"] == "Bearer tok"


def test_target_and_token_come_from_the_environment(script: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("STRUCTMEM_TARGET", script.target)
    monkeypatch.setenv("STRUCTMEM_TOKEN", "from-environment")
    script.answers["GetNamespace"] = lambda request, context: npb.GetNamespaceResponse()
    with Client() as client:
        client.get_namespace("alice")
    assert script.metadata[0]["authorization"] == "Bearer from-environment"


def test_an_import_sends_runs_of_one_session(script: Any, client: Client) -> None:
    received: list[mpb.ImportMessagesRequest] = []

    def store(requests: Any, context: grpc.ServicerContext) -> mpb.ImportMessagesResponse:
        received.extend(requests)
        return mpb.ImportMessagesResponse(stored_count=501, session_count=2, job_ids=["job_1", "job_2"])

    script.answers["ImportMessages"] = store
    messages = [("one", NewMessage("Maria", f"message {n}")) for n in range(250)] + [("two", NewMessage("Tom", "x" * 10))] * 251
    done = client.import_messages("alice", messages, time_zone="Europe/Lisbon", create_namespace=True)
    assert (done.stored_count, done.job_ids) == (501, ("job_1", "job_2"))
    header, *batches = received
    assert header.header == mpb.ImportMessagesHeader(namespace="alice", create_namespace=True)
    assert [(b.batch.session, len(b.batch.messages)) for b in batches] == [("one", 200), ("one", 50), ("two", 200), ("two", 51)]
    assert {b.batch.time_zone for b in batches} == {"Europe/Lisbon"}


def test_a_run_of_an_import_holds_no_more_than_a_request_takes(script: Any, client: Client) -> None:
    sizes: list[int] = []

    def store(requests: Any, context: grpc.ServicerContext) -> mpb.ImportMessagesResponse:
        sizes.extend(it.ByteSize() for it in requests)
        return mpb.ImportMessagesResponse()

    script.answers["ImportMessages"] = store
    labels = {f"label {n}": "漢" * 500 for n in range(32)}
    large = NewMessage("Maria", "hi", labels=labels, image_caption="漢" * 20_000)
    client.import_messages("alice", [("one", large)] * 200)
    assert len(sizes) > 20
    assert max(sizes) < 1_100_000


WRONG: list[tuple[Callable[[Client], object], str]] = [
    (lambda it: it.append("a", "s", "hi"), "messages: must be several NewMessages, such as a list; it is a str"),  # type: ignore[arg-type]
    (lambda it: it.append("a", "s", NewMessage("Tom", "hi")), "messages: must be several NewMessages, such as a list; it is a NewMessage"),  # type: ignore[arg-type]
    (lambda it: it.append("a", "s", {"text": "hi"}), "messages: must be several NewMessages, such as a list; it is a dict"),  # type: ignore[dict-item]
    (lambda it: it.append("a", "s", ["hi"]), "messages[0]: must be a NewMessage, not a str"),  # type: ignore[list-item]
    (lambda it: it.append("a", "s", [{"text": "hi"}]), "messages[0]: must be a NewMessage, not a dict"),  # type: ignore[list-item]
    (lambda it: it.append("a", "s", [NewMessage("Tom", "hi", labels=["x"])]), "messages[0].labels: must be a mapping"),  # type: ignore[arg-type]
    (lambda it: it.append("a", "s", [NewMessage("Tom", "hi", embedding="x")]), "messages[0].embedding: must be several numbers"),  # type: ignore[arg-type]
    (lambda it: it.append("a", "s", [NewMessage("Tom", 3)]), "messages[0].text: cannot be an int"),  # type: ignore[arg-type]
    (lambda it: it.import_messages("a", "hi"), "messages: must be several names of sessions with NewMessages"),  # type: ignore[arg-type]
    (lambda it: it.import_messages("a", [NewMessage("Tom", "hi")]), "messages[0]: must be the name of a session with a NewMessage"),  # type: ignore[list-item]
    (lambda it: it.import_messages("a", [("s", "hi")]), "messages[0]: must be a NewMessage, not a str"),  # type: ignore[list-item]
    (lambda it: it.retrieve("q", "a", filter="Tom"), "filter: must be a MemoryFilter, not a str"),  # type: ignore[arg-type]
    (lambda it: it.retrieve("q", "a", filter=MemoryFilter(sessions="one")), "filter.sessions: must be several texts"),
    (lambda it: it.retrieve("q", "a", filter=MemoryFilter(said="2024")), "filter.said: must be a TimeRange, not a str"),  # type: ignore[arg-type]
    (lambda it: it.retrieve("q", "a", asked_at="2024-03-05"), "asked_at: must be a datetime, not a str"),  # type: ignore[arg-type]
    (lambda it: it.retrieve("q", "a", turns="hello"), "turns: must be several texts"),
    (lambda it: it.delete_memories("a", "msg_1"), "ids: must be several texts"),
    (lambda it: list(it.list_messages("a", speakers="Tom")), "speakers: must be several texts"),
    (lambda it: list(it.list_messages("a", labels={"a": "b"})), "labels: must be a LabelFilter, not a dict"),  # type: ignore[arg-type]
    (lambda it: list(it.list_statements("a", kinds="fact")), "kinds: must be several kinds"),
    (lambda it: list(it.list_jobs("a", states="failed")), "states: must be several states"),
    (lambda it: it.create_namespace("a", profile={"instructions": "x"}), "profile: must be an ExtractionProfile, not a dict"),  # type: ignore[arg-type]
    (lambda it: it.create_namespace("a", embedding="minilm"), "embedding: must be an EmbeddingSpec, not a str"),  # type: ignore[arg-type]
]


@pytest.mark.parametrize(("call", "told"), WRONG, ids=[told for _, told in WRONG])
def test_what_is_of_another_kind_is_refused_with_what_is_expected(
    script: Any, client: Client, call: Callable[[Client], object], told: str
) -> None:
    # A service that refused at once would win the race with the iterator of an import.
    script.answers["ImportMessages"] = lambda requests, context: (list(requests), mpb.ImportMessagesResponse())[1]
    with pytest.raises(InvalidArgumentError, match=f"^{re.escape(told)}"):
        call(client)


def test_what_breaks_in_the_callers_iterator_comes_out(script: Any, client: Client, caplog: pytest.LogCaptureFixture) -> None:
    script.answers["ImportMessages"] = lambda requests, context: (list(requests), mpb.ImportMessagesResponse())[1]

    def messages() -> Any:
        yield "s", NewMessage("Maria", "fine")
        raise LookupError("the file ended early")

    with caplog.at_level("DEBUG"), pytest.raises(LookupError, match="ended early"):
        client.import_messages("alice", messages())
    assert "Traceback" not in caplog.text


def test_waiting_follows_every_job_and_flushes(script: Any, client: Client) -> None:
    def watch(request: mpb.WatchJobRequest, context: grpc.ServicerContext) -> Any:
        for state in (job_pb2.JOB_STATE_RUNNING, job_pb2.JOB_STATE_SUCCEEDED):
            yield mpb.WatchJobResponse(job=job_pb2.Job(id=request.job_id, state=state))

    script.answers["WatchJob"] = watch
    script.answers["ExpediteJob"] = lambda request, context: mpb.ExpediteJobResponse(job=job_pb2.Job(id=request.job_id))
    jobs = client.wait_for(structmem.Flushed("alice", ("job_1", "job_2")), timeout=5)
    assert [(job.id, job.state) for job in jobs] == [("job_1", "succeeded"), ("job_2", "succeeded")]
    expedited = [request.job_id for request in script.requests if isinstance(request, mpb.ExpediteJobRequest)]
    assert expedited == ["job_1", "job_2"]


def test_waiting_for_more_jobs_than_an_answer_names_follows_those_that_are_open(script: Any, client: Client) -> None:
    def done(request: Any) -> job_pb2.Job:
        return job_pb2.Job(id=request.job_id, state=job_pb2.JOB_STATE_SUCCEEDED)

    script.answers["ExpediteJob"] = lambda request, context: mpb.ExpediteJobResponse(job=done(request))
    script.answers["ListJobs"] = lambda request, context: mpb.ListJobsResponse(jobs=[job_pb2.Job(id="job_2"), job_pb2.Job(id="job_3")])
    jobs = client.wait_for(structmem.Flushed("alice", ("job_1", "job_2"), 3, "token"))
    assert [job.id for job in jobs] == ["job_1", "job_2", "job_3"]
    (listed,) = [request for request in script.requests if isinstance(request, mpb.ListJobsRequest)]
    assert list(listed.states) == [job_pb2.JOB_STATE_QUEUED, job_pb2.JOB_STATE_RUNNING]
    assert list(listed.kinds) == [job_pb2.JOB_KIND_EXTRACTION]
    assert list(listed.at_least) == ["token"]


def test_waiting_for_a_job_that_fails_says_so(script: Any, client: Client) -> None:
    failed = job_pb2.Job(
        id="job_1",
        state=job_pb2.JOB_STATE_FAILED,
        error=job_pb2.JobError(reason=ERROR_REASON_EXTRACTOR_UNAVAILABLE, message="no extractor"),
    )
    script.answers["WatchJob"] = lambda request, context: iter([mpb.WatchJobResponse(job=failed)])
    with pytest.raises(structmem.JobFailedError, match="no extractor") as caught:
        client.wait_for(structmem.Flushed("alice", ("job_1",)), flush=False)
    assert caught.value.job.error == structmem.JobProblem(structmem.ErrorReason.EXTRACTOR_UNAVAILABLE, "no extractor")


def test_waiting_ends_with_its_timeout(script: Any, client: Client) -> None:
    running = mpb.WatchJobResponse(job=job_pb2.Job(id="job_1", state=job_pb2.JOB_STATE_RUNNING))
    script.answers["WatchJob"] = lambda request, context: iter([running])
    with pytest.raises(structmem.DeadlineExceededError):
        client.wait_for(structmem.Flushed("alice", ("job_1",)), flush=False, timeout=0.2)


def parts() -> list[mpb.ExportNamespaceResponse]:
    node = node_pb2.Node(message=node_pb2.Message(id="msg_1", text="café 🎻", sent_at=stamp(MARCH), labels={"a": "b"}))
    vector = exchange_pb2.PassageVector(owner_id="msg_1", float16_values=bytes(range(256)))
    records = [exchange_pb2.ExportRecord(node=node), exchange_pb2.ExportRecord(vector=vector)]
    return [
        mpb.ExportNamespaceResponse(header=exchange_pb2.ExportHeader(format_version=1)),
        mpb.ExportNamespaceResponse(batch=exchange_pb2.ExportBatch(records=records)),
        mpb.ExportNamespaceResponse(trailer=exchange_pb2.ExportTrailer(record_count=2, sha256=b"\x00\xff")),
    ]


@pytest.mark.parametrize("name", ["alice.jsonl", "alice.jsonl.gz"])
def test_an_export_is_imported_as_it_was(script: Any, client: Client, tmp_path: Path, name: str) -> None:
    received: list[mpb.ImportNamespaceRequest] = []

    def store(requests: Any, context: grpc.ServicerContext) -> mpb.ImportNamespaceResponse:
        received.extend(requests)
        return mpb.ImportNamespaceResponse(namespace="bob", record_count=2)

    script.answers["ExportNamespace"] = lambda request, context: iter(parts())
    script.answers["ImportNamespace"] = store
    assert client.export_namespace("alice", tmp_path / name) == 2
    assert (tmp_path / name).read_bytes().startswith(b"\x1f\x8b") == name.endswith(".gz")
    assert client.import_namespace(tmp_path / name, namespace="bob").namespace == "bob"
    header, batch, trailer = received
    assert (header.header.namespace, header.header.export_header) == ("bob", parts()[0].header)
    assert (batch.batch, trailer.trailer) == (parts()[1].batch, parts()[2].trailer)


def test_an_export_that_breaks_off_leaves_the_old_file(script: Any, client: Client, tmp_path: Path) -> None:
    file = tmp_path / "alice.jsonl"
    file.write_text("the export of yesterday")
    script.answers["ExportNamespace"] = lambda request, context: iter(parts()[:-1])
    with pytest.raises(structmem.InternalError, match="broke off"):
        client.export_namespace("alice", file)
    assert file.read_text() == "the export of yesterday"
    assert [path.name for path in tmp_path.iterdir()] == ["alice.jsonl"]


def test_a_broken_line_of_an_export_is_named(script: Any, client: Client, tmp_path: Path) -> None:
    file = tmp_path / "broken.jsonl"
    file.write_text('{"header": {"formatVersion": 1}}\n{"node": {"colour": "red"}}\n')
    script.answers["ImportNamespace"] = lambda requests, context: (list(requests), mpb.ImportNamespaceResponse())[1]
    with pytest.raises(structmem.InvalidArgumentError, match="line 2"):
        client.import_namespace(file)


def test_deletions_name_ids_a_session_or_messages(script: Any, client: Client) -> None:
    receipt = mpb.DeletionReceipt(id="del_1", counts=[mpb.DeletedCount(kind=node_pb2.NODE_KIND_MESSAGE, count=2)])
    script.answers["DeleteMemories"] = lambda request, context: mpb.DeleteMemoriesResponse(receipt=receipt)
    assert client.delete_memories("alice", ["msg_1", "msg_2"]).counts == {structmem.NodeKind.MESSAGE: 2}
    client.delete_session("alice", "one", dry_run=True)
    client.delete_messages("alice", speakers=["Tom"])
    assert [request.WhichOneof("selector") for request in script.requests] == ["memories", "session", "messages"]
    assert [request.dry_run for request in script.requests] == [False, True, False]
    with pytest.raises(structmem.InvalidArgumentError, match="speakers"):
        client.delete_messages("alice", speakers="Tom")
    assert all(request.request_id for request in script.requests)


def test_nodes_of_a_later_version_are_left_out_of_lists(script: Any, client: Client) -> None:
    known = node_pb2.Node(entity=node_pb2.Entity(id="ent_1", name="Ana"))
    # Field 90 stands for a kind of node that a later contract may add.
    later = node_pb2.Node.FromString(b"\xd2\x05\x02\x0a\x00")
    script.answers["GetNode"] = lambda request, context: mpb.GetNodeResponse(node=known, neighbors=[later, known])
    assert [node.id for node in client.get_node("alice", "ent_1").neighbors] == ["ent_1"]


def summary_of_march() -> node_pb2.Summary:
    return node_pb2.Summary(
        id="sum_1",
        level=node_pb2.SUMMARY_LEVEL_WINDOW,
        title="Moving",
        sentences=[
            node_pb2.SummarySentence(text="Maria moved.", source_ids=["evt_1"]),
            node_pb2.SummarySentence(text="Tom helped.", source_ids=["evt_2"]),
        ],
        member_ids=["evt_1", "evt_2"],
        said_from=stamp(MARCH),
        sessions=["s"],
        names=["Maria"],
        seeds=[node_pb2.Seed(event_id="evt_0", similarity=-0.5)],
    )


def test_summaries_are_asked_for_and_read(script: Any, client: Client) -> None:
    def page(request: spb.ListSummariesRequest, context: grpc.ServicerContext) -> spb.ListSummariesResponse:
        return spb.ListSummariesResponse(summaries=[summary_of_march()], next_page_token="" if request.page_token else "more")

    script.answers["ListSummaries"] = page
    range_ = structmem.TimeRange(start=MARCH)
    found = list(client.list_summaries("alice", levels=["window", structmem.SummaryLevel.THREAD], happened=range_, stale=False))
    assert len(found) == 2
    first, second = script.requests
    assert list(first.levels) == [node_pb2.SUMMARY_LEVEL_WINDOW, node_pb2.SUMMARY_LEVEL_THREAD]
    assert (first.HasField("stale"), first.stale, first.happened, second.page_token) == (
        True,
        False,
        time_pb2.TimeRange(start=stamp(MARCH)),
        "more",
    )
    summary = found[0]
    assert (summary.level, summary.text, summary.said_from, summary.time) == ("window", "Maria moved. Tom helped.", MARCH, None)
    assert summary.sentences[0].source_ids == ("evt_1",)
    assert summary.seeds == (structmem.Seed("evt_0", -0.5),)
    assert structmem.kind_of(summary) == structmem.NodeKind.SUMMARY
    list(client.list_summaries("alice"))
    assert not script.requests[-2].HasField("stale")
    with pytest.raises(InvalidArgumentError, match='levels: "day" is not one of "window", "thread", "profile"'):
        list(client.list_summaries("alice", levels=["day"]))


def test_what_lies_below_a_summary_is_found_by_id(script: Any, client: Client) -> None:
    events = [node_pb2.Node(event=node_pb2.Event(id=id_, title=id_)) for id_ in ("evt_1", "evt_2")]
    later = node_pb2.Node.FromString(b"\xd2\x05\x02\x0a\x00")
    script.answers["GetSummary"] = lambda request, context: spb.GetSummaryResponse(
        summary=summary_of_march(), below=[*events, later], truncated=True
    )
    tree = client.get_summary("alice", "sum_1", depth=2)
    assert script.requests[-1].depth == 2
    assert tree.truncated
    assert [node.id for sentence in tree.summary.sentences for node in tree.nodes(sentence.source_ids)] == ["evt_1", "evt_2"]
    assert tree.nodes(["evt_3"]) == ()
    with pytest.raises(InvalidArgumentError, match="depth"):
        client.get_summary("alice", "sum_1", depth=0)


def test_a_profile_or_none(script: Any, client: Client) -> None:
    script.answers["GetProfile"] = lambda request, context: spb.GetProfileResponse()
    assert client.get_profile("alice") is None
    script.answers["GetProfile"] = lambda request, context: spb.GetProfileResponse(profile=summary_of_march())
    profile = client.get_profile("alice", at_least="token")
    assert profile is not None
    assert (profile.title, list(script.requests[-1].at_least)) == ("Moving", ["token"])


def test_a_consolidation_is_waited_for(script: Any, client: Client) -> None:
    def job(state: job_pb2.JobState.ValueType) -> job_pb2.Job:
        return job_pb2.Job(id="job_1", namespace="alice", kind=job_pb2.JOB_KIND_CONSOLIDATION, state=state)

    script.answers["ConsolidateSummaries"] = lambda request, context: spb.ConsolidateSummariesResponse(
        job=job(job_pb2.JOB_STATE_QUEUED), consistency_token="t"
    )
    script.answers["ExpediteJob"] = lambda request, context: mpb.ExpediteJobResponse(job=job(job_pb2.JOB_STATE_RUNNING))
    script.answers["WatchJob"] = lambda request, context: iter([mpb.WatchJobResponse(job=job(job_pb2.JOB_STATE_SUCCEEDED))])
    queued = client.consolidate("alice", anew=True)
    assert (queued.kind, queued.consistency_token, script.requests[-1].anew) == (structmem.JobKind.CONSOLIDATION, "t", True)
    (ended,) = client.wait_for(queued)
    assert ended.state == structmem.JobState.SUCCEEDED


def test_summaries_beside_memories_and_in_a_context(script: Any, client: Client) -> None:
    hit = mpb.SummaryHit(rank=1, namespace="alice", summary=summary_of_march(), score=0.5)
    entry = mpb.ContextEntry(node_id="sum_1", kind=node_pb2.NODE_KIND_SUMMARY, text="Moving")
    script.answers["Retrieve"] = lambda request, context: mpb.RetrieveResponse(summaries=[hit])
    script.answers["BuildContext"] = lambda request, context: mpb.BuildContextResponse(text="Moving", entries=[entry], stable_bytes=6)
    (found,) = client.retrieve("who moved?", "alice", summaries=3).summaries
    assert (found.summary.id, found.score, script.requests[-1].query.summaries) == ("sum_1", 0.5, 3)
    assert found.contributions == ()
    hit.contributions.add(signal="dense", raw=0.75, value=0.75, weight=0.6, points=0.45)
    (found,) = client.retrieve("who moved?", "alice", summaries=3, explain=True).summaries
    assert found.contributions == (structmem.Contribution("dense", 0.75, 0.75, 0.6, 0.45),)
    context = client.build_context("who moved?", "alice", summaries=2, profile=True)
    assert (context.stable_bytes, context.entries[0].kind) == (6, structmem.NodeKind.SUMMARY)
    assert (script.requests[-1].query.summaries, script.requests[-1].profile) == (2, True)
    client.build_context("who moved?", "alice")
    assert (script.requests[-1].query.summaries, script.requests[-1].profile) == (0, False)


def test_how_near_an_earlier_event_is(script: Any, client: Client) -> None:
    edges = [
        node_pb2.Edge(kind=node_pb2.EDGE_KIND_SEEDED_BY, source_id="sum_1", target_id="evt_0", similarity=-0.5),
        node_pb2.Edge(kind=node_pb2.EDGE_KIND_SUMMARIZES, source_id="sum_1", target_id="evt_1"),
    ]
    script.answers["GetNode"] = lambda request, context: mpb.GetNodeResponse(node=node_pb2.Node(summary=summary_of_march()), edges=edges)
    view = client.get_node("alice", "sum_1")
    assert isinstance(view.node, structmem.Summary)
    assert [(edge.kind, edge.similarity) for edge in view.edges] == [("seeded_by", -0.5), ("summarizes", None)]
