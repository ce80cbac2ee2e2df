"""Summaries over gRPC: written by a real service with its local consolidator, read down to the messages, kept true after deletions."""

from collections.abc import AsyncIterator, Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import grpc
import pytest
from structmem.v1 import exchange_pb2, job_pb2, node_pb2, retrieval_pb2, time_pb2
from structmem.v1 import memory_service_pb2 as pb
from structmem.v1 import namespace_service_pb2 as ns
from structmem.v1 import summary_service_pb2 as spb

from graph.model import UuidSource
from graph.store.port import ConsistencyPoint
from service.convert.exchange import Tally

WINDOW, THREAD, PROFILE = node_pb2.SUMMARY_LEVEL_WINDOW, node_pb2.SUMMARY_LEVEL_THREAD, node_pb2.SUMMARY_LEVEL_PROFILE
# Three sessions, weeks apart; the first and the last tell of the same move.
TALK = {
    "february": (
        datetime(2024, 2, 11, 19, tzinfo=UTC),
        [
            ("Maria", "I got a job offer from Atelier Norte, an architecture office in Lisbon."),
            ("Tom", "I have signed up for the Hamburg half marathon on 28 April."),
            ("Maria", "I am moving to Lisbon at the end of March with my cat Pixel."),
        ],
    ),
    "march": (
        datetime(2024, 3, 9, 11, tzinfo=UTC),
        [
            ("Tom", "My doctor says that I must not run for three months because of my knee."),
            ("Tom", "I have cancelled the half marathon in Hamburg."),
        ],
    ),
    "april": (
        datetime(2024, 4, 14, 20, tzinfo=UTC),
        [
            ("Maria", "I moved to my new flat in Lisbon on 30 March, and Pixel owns the sofa."),
            ("Maria", "My boss at Atelier Norte in Lisbon is called Helena Duarte."),
        ],
    ),
}


async def ended(service: Any, job_id: str, name: str = "acme") -> job_pb2.Job:
    last = job_pb2.Job()
    async for answer in service.memory.WatchJob(pb.WatchJobRequest(namespace=name, job_id=job_id), timeout=30):
        last = answer.job
    return last


async def told(service: Any, name: str = "acme") -> str:
    """The conversation, extracted; the token of its last write."""
    token = ""
    for session, (start, lines) in TALK.items():
        messages = [pb.MessageInput(speaker=speaker, text=text) for speaker, text in lines]
        for minute, message in enumerate(messages):
            message.sent_at.FromDatetime(start + timedelta(minutes=minute))
        request = pb.AppendMessagesRequest(namespace=name, session=session, messages=messages, create_namespace=True)
        answer = await service.memory.AppendMessages(request)
        token = answer.consistency_token
        await service.memory.ExpediteJob(pb.ExpediteJobRequest(namespace=name, job_id=answer.job_id))
        assert (await ended(service, answer.job_id, name)).state == job_pb2.JOB_STATE_SUCCEEDED
    return token


async def consolidated(service: Any, anew: bool = False, name: str = "acme") -> job_pb2.Job:
    answer = await service.summaries.ConsolidateSummaries(spb.ConsolidateSummariesRequest(namespace=name, anew=anew))
    assert answer.job.kind == job_pb2.JOB_KIND_CONSOLIDATION
    job = await ended(service, answer.job.id, name)
    assert job.state == job_pb2.JOB_STATE_SUCCEEDED
    return job


async def extracted(service: Any, name: str = "acme") -> None:
    """Waits until every session is extracted."""
    open_states = [job_pb2.JOB_STATE_QUEUED, job_pb2.JOB_STATE_RUNNING]
    jobs = await service.memory.ListJobs(pb.ListJobsRequest(namespace=name, states=open_states, kinds=[job_pb2.JOB_KIND_EXTRACTION]))
    for job in jobs.jobs:
        await ended(service, job.id, name)


async def listed(service: Any, **fields: Any) -> list[node_pb2.Summary]:
    answer = await service.summaries.ListSummaries(spb.ListSummariesRequest(**({"namespace": "acme"} | fields)))
    return list(answer.summaries)


@pytest.fixture
async def telling(tmp_path: Path, running: Callable[..., Any]) -> AsyncIterator[Any]:
    """A service that consolidates only when it is asked to, with the conversation."""
    async with running(tmp_path, consolidation_idle_s=600) as service:
        service.token = await told(service)
        yield service


@pytest.fixture
async def summed(telling: Any) -> Any:
    """The same, consolidated."""
    await consolidated(telling)
    return telling


async def test_every_event_is_told_of_by_one_window_and_every_sentence_rests_on_members(summed: Any) -> None:
    windows = await listed(summed, levels=[WINDOW])
    events = (await summed.memory.ListEvents(pb.ListEventsRequest(namespace="acme"))).events
    assert sorted(id_ for window in windows for id_ in window.member_ids) == sorted(event.id for event in events)
    assert [list(window.sessions) for window in windows] == [["february"], ["march"], ["april"]]
    everything = await listed(summed)
    assert {summary.level for summary in everything} == {WINDOW, THREAD, PROFILE}
    for summary in everything:
        assert summary.sentences
        assert all(one.text and one.source_ids and set(one.source_ids) <= set(summary.member_ids) for one in summary.sentences)
        assert summary.consolidator
        assert not summary.HasField("stale_since")
        assert summary.said_from.ToDatetime() <= summary.said_to.ToDatetime()
    firsts = [summary.said_from.ToDatetime() for summary in everything]
    assert firsts == sorted(firsts)


async def test_the_profile_leads_down_to_the_messages(summed: Any) -> None:
    profile = (await summed.summaries.GetProfile(spb.GetProfileRequest(namespace="acme"))).profile
    assert profile.level == PROFILE
    answer = await summed.summaries.GetSummary(spb.GetSummaryRequest(namespace="acme", summary_id=profile.id))
    assert (answer.summary, answer.truncated) == (profile, False)
    kinds = [node.WhichOneof("kind") for node in answer.below]
    assert kinds == sorted(kinds, key=["summary", "event", "statement", "message"].index)
    below = {getattr(node, kind).id: getattr(node, kind) for node, kind in zip(answer.below, kinds, strict=True)}
    assert len(below) == len(answer.below)
    # Whoever follows the ids comes from each sentence of the profile to words that somebody said.
    for sentence in profile.sentences:
        windows = [below[id_] for thread in sentence.source_ids for id_ in below[thread].member_ids]
        statements = [below[id_] for window in windows for event in window.member_ids for id_ in below[event].statement_ids]
        messages = {below[id_].text for statement in statements for id_ in statement.evidence_ids}
        assert messages
        assert messages <= {text for _, lines in TALK.values() for _, text in lines}


@pytest.mark.parametrize(
    ("depth", "kinds"),
    [
        (1, {"event"}),
        (2, {"event", "statement"}),
        (3, {"event", "statement", "message"}),
        (5, {"event", "statement", "message"}),
        (0, {"event", "statement", "message"}),
    ],
)
async def test_as_many_steps_down_as_are_asked_for(summed: Any, depth: int, kinds: set[str]) -> None:
    [window, *_] = await listed(summed, levels=[WINDOW])
    answer = await summed.summaries.GetSummary(spb.GetSummaryRequest(namespace="acme", summary_id=window.id, depth=depth))
    assert {node.WhichOneof("kind") for node in answer.below} == kinds
    assert {node.event.id for node in answer.below if node.HasField("event")} == set(window.member_ids)


async def test_an_explained_answer_says_what_made_the_score_of_a_summary(summed: Any) -> None:
    query = retrieval_pb2.RetrievalQuery(text="Who moved to Lisbon?", namespaces=["acme"], summaries=3)
    explained = (await summed.memory.Retrieve(pb.RetrieveRequest(query=query, explain=True))).summaries
    plain = (await summed.memory.Retrieve(pb.RetrieveRequest(query=query))).summaries
    assert [(hit.summary.id, hit.score) for hit in explained] == [(hit.summary.id, hit.score) for hit in plain]
    assert explained
    for hit in explained:
        assert [part.signal for part in hit.contributions] == ["dense", "lexical"]
        assert sum(part.points for part in hit.contributions) == pytest.approx(hit.score)
    assert not any(hit.contributions for hit in plain)


async def test_any_call_for_nodes_shows_a_summary_with_its_edges(summed: Any) -> None:
    [window, *_] = await listed(summed, levels=[WINDOW])
    view = await summed.memory.GetNode(pb.GetNodeRequest(namespace="acme", node_id=window.id))
    assert view.node.summary == window
    outgoing = [edge for edge in view.edges if edge.source_id == window.id]
    told_of = {edge.target_id for edge in outgoing if edge.kind == node_pb2.EDGE_KIND_SUMMARIZES}
    assert told_of == set(window.member_ids)
    [late] = [one for one in await listed(summed, levels=[WINDOW]) if "april" in one.sessions]
    assert late.seeds
    edges = (await summed.memory.GetNode(pb.GetNodeRequest(namespace="acme", node_id=late.id))).edges
    seeds = {edge.target_id: edge.similarity for edge in edges if edge.kind == node_pb2.EDGE_KIND_SEEDED_BY}
    assert seeds == {seed.event_id: pytest.approx(seed.similarity) for seed in late.seeds}


async def test_a_listing_has_filters_and_pages(summed: Any, refused: Callable[..., Any]) -> None:
    everything = await listed(summed)
    pages: list[node_pb2.Summary] = []
    request = spb.ListSummariesRequest(namespace="acme", page_size=1)
    while True:
        page = await summed.summaries.ListSummaries(request)
        assert len(page.summaries) <= 1
        pages += page.summaries
        if not page.next_page_token:
            break
        request.page_token = page.next_page_token
    assert pages == everything
    assert len(everything) > 3
    assert [one.level for one in await listed(summed, levels=[WINDOW], sessions=["march"])] == [WINDOW]
    # The profile tells of all sessions.
    assert all("march" in one.sessions or one.level == PROFILE for one in await listed(summed, sessions=["march"]))
    assert await listed(summed, sessions=["nobody's"]) == []
    start = time_pb2.TimeRange()
    start.start.FromDatetime(datetime(2030, 1, 1, tzinfo=UTC))
    assert await listed(summed, happened=start) == []
    march = time_pb2.TimeRange()
    march.start.FromDatetime(datetime(2024, 4, 14, tzinfo=UTC))
    found = [list(one.sessions) for one in await listed(summed, levels=[WINDOW], happened=march)]
    assert ["april"] in found
    assert ["march"] not in found
    first = await summed.summaries.ListSummaries(spb.ListSummariesRequest(namespace="acme", page_size=1))
    other = spb.ListSummariesRequest(namespace="acme", page_size=1, levels=[WINDOW], page_token=first.next_page_token)
    assert "page_token" in (await refused(summed.summaries.ListSummaries(other))).fields


def words(summaries: list[node_pb2.Summary]) -> str:
    return " ".join(sentence.text for one in summaries for sentence in one.sentences)


@pytest.fixture
async def unattended(tmp_path: Path, running: Callable[..., Any]) -> AsyncIterator[Any]:
    """A memory that was consolidated, on a service in which no job runs."""
    async with running(tmp_path, consolidation_idle_s=600) as service:
        await told(service)
        await consolidated(service)
    async with running(tmp_path, workers=0) as service:
        yield service


async def test_what_was_deleted_is_said_nowhere_at_once(unattended: Any) -> None:
    summed = unattended
    [march] = await listed(summed, levels=[WINDOW], sessions=["march"])
    messages = (await summed.memory.ListMessages(pb.ListMessagesRequest(namespace="acme", sessions=["march"]))).messages
    gone = next(message for message in messages if "knee" in message.text)
    await summed.memory.DeleteMemories(pb.DeleteMemoriesRequest(namespace="acme", memories=pb.MemoryIds(ids=[gone.id])))

    # At once, before any job: the words are gone, and what they stood in waits.
    now = await listed(summed)
    assert "knee" not in words(now)
    stale = await listed(summed, stale=True)
    # The window went with its events, which were all extracted with the message in view.
    assert march.id not in {one.id for one in now}
    assert {THREAD, PROFILE} <= {one.level for one in stale}
    assert all(one.HasField("stale_since") for one in stale)
    standing = await listed(summed, stale=False)
    assert {one.id for one in standing}.isdisjoint(one.id for one in stale)


async def test_what_a_deletion_left_is_written_anew(summed: Any) -> None:
    messages = (await summed.memory.ListMessages(pb.ListMessagesRequest(namespace="acme", sessions=["march"]))).messages
    gone = next(message for message in messages if "knee" in message.text)
    await summed.memory.DeleteMemories(pb.DeleteMemoriesRequest(namespace="acme", memories=pb.MemoryIds(ids=[gone.id])))
    await extracted(summed)
    await consolidated(summed)
    assert await listed(summed, stale=True) == []
    assert "knee" not in words(await listed(summed))
    [again] = await listed(summed, levels=[WINDOW], sessions=["march"])
    assert "marathon" in words([again])


async def test_a_session_that_is_deleted_takes_its_window_along(summed: Any) -> None:
    await summed.memory.DeleteMemories(pb.DeleteMemoriesRequest(namespace="acme", session="march"))
    await consolidated(summed)
    assert [list(one.sessions) for one in await listed(summed, levels=[WINDOW])] == [["february"], ["april"]]
    assert await listed(summed, sessions=["march"]) == []


async def test_all_of_them_are_written_anew_where_that_is_asked(summed: Any) -> None:
    before = await listed(summed)
    await consolidated(summed, anew=True)
    after = await listed(summed)
    assert [one.id for one in after] == [one.id for one in before]
    moments = [(old.consolidated_at.ToDatetime(), new.consolidated_at.ToDatetime()) for old, new in zip(before, after, strict=True)]
    assert all(old < new for old, new in moments)
    assert await listed(summed, stale=True) == []


async def test_new_events_are_told_of_by_themselves(tmp_path: Path, running: Callable[..., Any], eventually: Callable[..., Any]) -> None:
    async with running(tmp_path, consolidation_idle_s=0.2) as service:
        assert not (await service.namespaces.ListNamespaces(ns.ListNamespacesRequest())).namespaces
        await told(service)

        async def there() -> bool:
            answer = await service.summaries.GetProfile(spb.GetProfileRequest(namespace="acme"))
            return answer.HasField("profile") and not await listed(service, stale=True)

        await eventually(there, 30)
        jobs = (await service.memory.ListJobs(pb.ListJobsRequest(namespace="acme", kinds=[job_pb2.JOB_KIND_CONSOLIDATION]))).jobs
        assert jobs
        assert all(job.session == "" for job in jobs)


async def test_a_window_may_be_a_session(tmp_path: Path, running: Callable[..., Any]) -> None:
    async with running(tmp_path, consolidation_idle_s=600, consolidation_window="session") as service:
        await told(service)
        late = pb.MessageInput(speaker="Maria", text="I have bought a blue sofa for my flat.")
        late.sent_at.FromDatetime(datetime(2024, 4, 15, 8, tzinfo=UTC))
        request = pb.AppendMessagesRequest(namespace="acme", session="april", messages=[late])
        answer = await service.memory.AppendMessages(request)
        await service.memory.ExpediteJob(pb.ExpediteJobRequest(namespace="acme", job_id=answer.job_id))
        await ended(service, answer.job_id)
        await consolidated(service)
        assert [list(one.sessions) for one in await listed(service, levels=[WINDOW])] == [["february"], ["march"], ["april"]]


async def test_before_the_first_consolidation_there_is_nothing(telling: Any) -> None:
    assert await listed(telling) == []
    assert not (await telling.summaries.GetProfile(spb.GetProfileRequest(namespace="acme"))).HasField("profile")


async def test_a_read_sees_the_consolidation_whose_token_it_is_given(telling: Any, refused: Callable[..., Any]) -> None:
    answer = await telling.summaries.ConsolidateSummaries(spb.ConsolidateSummariesRequest(namespace="acme"))
    request = pb.GetJobRequest(namespace="acme", job_id=answer.job.id, at_least=[answer.consistency_token])
    assert (await telling.memory.GetJob(request)).job.id == answer.job.id
    uid = (await telling.application.store.namespace("acme").settings()).uid
    ahead = telling.application.consistency.make("acme", ConsistencyPoint(uid, 10**6, ()))
    refusal = await refused(telling.summaries.GetProfile(spb.GetProfileRequest(namespace="acme", at_least=[ahead])))
    assert refusal.reason == "REVISION_NOT_REACHED"


async def test_where_nobody_writes_summaries_that_is_said(tmp_path: Path, running: Callable[..., Any], refused: Callable[..., Any]) -> None:
    async with running(tmp_path, consolidator="none") as service:
        await told(service)
        refusal = await refused(service.summaries.ConsolidateSummaries(spb.ConsolidateSummariesRequest(namespace="acme")))
        assert refusal.code is grpc.StatusCode.INVALID_ARGUMENT
        assert "`consolidator` is none" in refusal.fields["namespace"]
        assert await listed(service) == []
        kinds = {job.kind for job in (await service.memory.ListJobs(pb.ListJobsRequest(namespace="acme"))).jobs}
        assert kinds == {job_pb2.JOB_KIND_EXTRACTION}


SUMMARY = UuidSource().mint("sum")


def number(value: int) -> Any:
    """A number that the enum does not have."""
    return value


@pytest.mark.parametrize(
    ("method", "request_", "fields"),
    [
        ("ListSummaries", spb.ListSummariesRequest(), {"namespace"}),
        ("ListSummaries", spb.ListSummariesRequest(namespace="../x", page_size=501), {"namespace", "page_size"}),
        ("ListSummaries", spb.ListSummariesRequest(namespace="acme", levels=[number(0), WINDOW, number(9)]), {"levels[0]", "levels[2]"}),
        ("ListSummaries", spb.ListSummariesRequest(namespace="acme", sessions=["a", "", "s\0"]), {"sessions[1]", "sessions[2]"}),
        ("ListSummaries", spb.ListSummariesRequest(namespace="acme", page_size=-1, page_token="x"), {"page_size", "page_token"}),
        ("ListSummaries", spb.ListSummariesRequest(namespace="acme", at_least=["forged"]), {"at_least[0]"}),
        ("GetSummary", spb.GetSummaryRequest(namespace="acme"), {"summary_id"}),
        ("GetSummary", spb.GetSummaryRequest(namespace="acme", summary_id="sum_x", depth=6), {"summary_id", "depth"}),
        ("GetSummary", spb.GetSummaryRequest(namespace="acme", summary_id=UuidSource().mint("evt"), depth=-1), {"summary_id", "depth"}),
        ("GetSummary", spb.GetSummaryRequest(namespace="acme", summary_id=SUMMARY, at_least=["forged"]), {"at_least[0]"}),
        ("GetProfile", spb.GetProfileRequest(), {"namespace"}),
        ("GetProfile", spb.GetProfileRequest(namespace="acme", at_least=["forged"]), {"at_least[0]"}),
        ("ConsolidateSummaries", spb.ConsolidateSummariesRequest(namespace="a b"), {"namespace"}),
    ],
)
async def test_a_bad_field_is_named(service: Any, refused: Callable[..., Any], method: str, request_: Any, fields: set[str]) -> None:
    await service.namespaces.CreateNamespace(ns.CreateNamespaceRequest(namespace="acme"))
    refusal = await refused(getattr(service.summaries, method)(request_))
    assert (refusal.code, refusal.reason) == (grpc.StatusCode.INVALID_ARGUMENT, "INVALID_ARGUMENT")
    assert set(refusal.fields) == fields
    assert all(refusal.fields.values())


async def test_a_range_that_ends_before_it_begins_is_refused(service: Any, refused: Callable[..., Any]) -> None:
    await service.namespaces.CreateNamespace(ns.CreateNamespaceRequest(namespace="acme"))
    span = time_pb2.TimeRange()
    span.start.FromDatetime(datetime(2024, 2, 1, tzinfo=UTC))
    span.end.FromDatetime(datetime(2024, 1, 1, tzinfo=UTC))
    assert "happened" in (await refused(service.summaries.ListSummaries(spb.ListSummariesRequest(namespace="acme", happened=span)))).fields


async def test_what_is_not_there_is_told_apart(service: Any, refused: Callable[..., Any]) -> None:
    await service.namespaces.CreateNamespace(ns.CreateNamespaceRequest(namespace="acme"))
    unknown = await refused(service.summaries.GetSummary(spb.GetSummaryRequest(namespace="acme", summary_id=SUMMARY)))
    assert (unknown.code, unknown.reason) == (grpc.StatusCode.NOT_FOUND, "NOT_FOUND")
    assert unknown.info.metadata["node_id"] == SUMMARY
    for call in (
        service.summaries.ListSummaries(spb.ListSummariesRequest(namespace="nobody")),
        service.summaries.GetSummary(spb.GetSummaryRequest(namespace="nobody", summary_id=SUMMARY)),
        service.summaries.GetProfile(spb.GetProfileRequest(namespace="nobody")),
        service.summaries.ConsolidateSummaries(spb.ConsolidateSummariesRequest(namespace="nobody")),
    ):
        assert (await refused(call)).reason == "NAMESPACE_NOT_FOUND"


async def test_what_an_answer_has_no_room_for_is_left_out_and_said(tmp_path: Path, running: Callable[..., Any]) -> None:
    """Below a summary of long messages there is more than one answer takes; each node by itself still leads on."""
    async with running(tmp_path, consolidation_idle_s=600, embedder="none") as service:
        messages = [pb.MessageInput(speaker="Ana", text=f"I have a cat called Number{n}. " + "meow " * 190_000) for n in range(4)]
        request = pb.AppendMessagesRequest(namespace="acme", session="s", messages=messages, create_namespace=True)
        answer = await service.memory.AppendMessages(request)
        await service.memory.ExpediteJob(pb.ExpediteJobRequest(namespace="acme", job_id=answer.job_id))
        await ended(service, answer.job_id)
        await consolidated(service)
        [window, *_] = await listed(service, levels=[WINDOW])
        tree = await service.summaries.GetSummary(spb.GetSummaryRequest(namespace="acme", summary_id=window.id))
        assert tree.truncated
        assert tree.ByteSize() < 3 << 20
        assert {node.event.id for node in tree.below if node.HasField("event")} == set(window.member_ids)


# An export and its import.


async def exported(service: Any, name: str = "acme") -> tuple[exchange_pb2.ExportHeader, list[exchange_pb2.ExportRecord]]:
    parts = [part async for part in service.memory.ExportNamespace(pb.ExportNamespaceRequest(namespace=name))]
    return parts[0].header, [record for part in parts[1:-1] for record in part.batch.records]


async def imported(service: Any, name: str, header: exchange_pb2.ExportHeader, records: list[exchange_pb2.ExportRecord]) -> None:
    tally = Tally()
    tally.add(records)

    async def parts() -> AsyncIterator[pb.ImportNamespaceRequest]:
        yield pb.ImportNamespaceRequest(header=pb.ImportNamespaceHeader(namespace=name, export_header=header))
        yield pb.ImportNamespaceRequest(batch=exchange_pb2.ExportBatch(records=records))
        yield pb.ImportNamespaceRequest(trailer=tally.trailer())

    await service.memory.ImportNamespace(parts())


async def test_summaries_are_exported_and_imported_as_they_are(unattended: Any, tmp_path: Path, running: Callable[..., Any]) -> None:
    summed = unattended
    # One of them stale, so that this comes along, too.
    [gone, *_] = (await summed.memory.ListMessages(pb.ListMessagesRequest(namespace="acme", sessions=["march"]))).messages
    await summed.memory.DeleteMemories(pb.DeleteMemoriesRequest(namespace="acme", memories=pb.MemoryIds(ids=[gone.id])))
    before = await listed(summed)
    assert {one.HasField("stale_since") for one in before} == {True, False}
    header, records = await exported(summed)
    assert sum(record.node.HasField("summary") for record in records) == len(before)
    await imported(summed, "copy", header, records)
    assert await listed(summed, namespace="copy") == before
    assert sorted(record.SerializeToString(deterministic=True) for record in (await exported(summed, "copy"))[1]) == sorted(
        record.SerializeToString(deterministic=True) for record in records
    )
    # What waited is written where it came to.
    async with running(tmp_path / "elsewhere") as other:
        await imported(other, "acme", header, records)
        assert [one.id for one in await listed(other)] == [one.id for one in before]
        await consolidated(other)
        assert await listed(other, stale=True) == []


Damage = Callable[[dict[int, list[node_pb2.Summary]]], None]


def without_level(of: dict[int, list[node_pb2.Summary]]) -> None:
    of[WINDOW][0].ClearField("level")


def of_a_message(of: dict[int, list[node_pb2.Summary]]) -> None:
    of[WINDOW][0].member_ids[0] = UuidSource().mint("msg")


def of_nothing(of: dict[int, list[node_pb2.Summary]]) -> None:
    of[WINDOW][0].ClearField("member_ids")


def of_the_same_twice(of: dict[int, list[node_pb2.Summary]]) -> None:
    of[WINDOW][0].member_ids.append(of[WINDOW][0].member_ids[0])


def of_another_ones_events(of: dict[int, list[node_pb2.Summary]]) -> None:
    of[WINDOW][1].member_ids.append(of[WINDOW][0].member_ids[0])


def of_its_own_level(of: dict[int, list[node_pb2.Summary]]) -> None:
    of[PROFILE][0].member_ids.append(of[WINDOW][0].id)


def of_two_sessions(of: dict[int, list[node_pb2.Summary]]) -> None:
    of[WINDOW][0].sessions.append("april")


def resting_on_nothing(of: dict[int, list[node_pb2.Summary]]) -> None:
    of[WINDOW][0].sentences[0].ClearField("source_ids")


def resting_on_others(of: dict[int, list[node_pb2.Summary]]) -> None:
    of[WINDOW][1].sentences[0].source_ids[:] = of[WINDOW][0].member_ids[:1]


def without_words(of: dict[int, list[node_pb2.Summary]]) -> None:
    of[WINDOW][0].sentences[0].text = ""


def of_too_many_sentences(of: dict[int, list[node_pb2.Summary]]) -> None:
    of[WINDOW][0].sentences.extend([of[WINDOW][0].sentences[0]] * 100)


def with_a_long_title(of: dict[int, list[node_pb2.Summary]]) -> None:
    of[WINDOW][0].title = "x" * 301


def seeded_beyond_all(of: dict[int, list[node_pb2.Summary]]) -> None:
    of[WINDOW][0].seeds.add(event_id=of[WINDOW][0].member_ids[0], similarity=1.5)


def never_said(of: dict[int, list[node_pb2.Summary]]) -> None:
    of[WINDOW][0].said_to.seconds = 10**15


@pytest.mark.parametrize(
    ("damage", "field"),
    [
        (without_level, "level"),
        (of_a_message, "member_ids[0]"),
        (of_nothing, "member_ids"),
        (of_the_same_twice, "member_ids"),
        (of_another_ones_events, "member_ids"),
        (of_its_own_level, "member_ids"),
        (of_two_sessions, "sessions"),
        (resting_on_nothing, "sentences[0].source_ids"),
        (resting_on_others, "sentences[0].source_ids"),
        (without_words, "sentences[0].text"),
        (of_too_many_sentences, "sentences"),
        (with_a_long_title, "title"),
        (seeded_beyond_all, "seeds[0].similarity"),
        (never_said, "said_to"),
    ],
)
async def test_of_an_export_with_a_bad_summary_nothing_remains(
    summed: Any, refused: Callable[..., Any], damage: Damage, field: str
) -> None:
    header, records = await exported(summed)
    of: dict[int, list[node_pb2.Summary]] = {WINDOW: [], THREAD: [], PROFILE: []}
    for record in records:
        if record.node.HasField("summary"):
            of[record.node.summary.level].append(record.node.summary)
    damage(of)
    refusal = await refused(imported(summed, "copy", header, records))
    assert refusal.code is grpc.StatusCode.INVALID_ARGUMENT
    [(named, reason)] = [(name, why) for name, why in refusal.fields.items() if name.endswith(f".node.summary.{field}")]
    assert named.startswith("batch.records[")
    assert reason
    nowhere = await refused(summed.namespaces.GetNamespace(ns.GetNamespaceRequest(namespace="copy")))
    assert nowhere.code is grpc.StatusCode.NOT_FOUND
