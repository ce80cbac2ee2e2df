"""Export and import: the same memory elsewhere."""

from contextlib import nullcontext
from dataclasses import replace

import pytest

from graph.errors import AlreadyExists, InvalidArgument, NotFound
from graph.model import Edge, EdgeKind, MemoryFilter, Message, NodeKind, Session
from graph.store import import_analysis
from graph.store.analysis_process import AnalysisProcess
from graph.store.candidates import CandidateQuery
from graph.store.digest import NamespaceDigest, RecordDigests
from graph.store.port import ExtractionWrite, GenerationStart, JobQuery, JobSucceeded, PassageVector, SessionProgress
from graph.text import terms_of


async def exported(bench, name=None, **options):
    return [record async for batch in bench.store.namespace(name or bench.namespace).export(**options) for record in batch]


async def digest_of(bench, name: str) -> NamespaceDigest:
    digests = RecordDigests()
    digests.add(await exported(bench, name))
    return digests.digest(await bench.store.namespace(name).settings())


async def stream(records):
    half = len(records) // 2
    yield records[:half]
    yield records[half:]


@pytest.fixture
async def told(bench):
    """Two sessions, one extracted in two steps with every kind of edge, one waiting, something retired and something deleted."""
    from graph.model import ExtractionMode, ExtractorSpec
    from graph.store.port import Deletion

    ids = [
        m.id
        for m in (await bench.say(*(bench.draft(text, i, labels={"n": text}, client_id=text) for i, text in enumerate("abcd")))).messages
    ]
    await bench.extract(extractor=ExtractorSpec("old", "1", ExtractionMode.EVENT))
    generation = await bench.store.namespace(bench.namespace).begin_generation(GenerationStart(bench.extractor))
    lease = await bench.flushed_lease("s1")
    work = await bench.store.namespace(lease.job.namespace).pending(lease, 9)
    ana, ben = bench.entity("Ana"), bench.entity("Ben")
    relation = bench.fact("Ana likes Ben", [work.messages[0]], [ana, ben], kind=NodeKind.RELATION)
    first, second = bench.event("first", [relation], [work.messages[0]], [ana]), bench.event("second", [], [work.messages[1]])
    edges = (
        Edge(EdgeKind.RELATES, ana.id, ben.id, relation.id, {"predicate": "likes"}),
        Edge(EdgeKind.BEFORE, first.id, second.id),
        Edge(EdgeKind.MENTIONS, work.messages[2].id, ben.id),
    )
    vectors = (PassageVector(relation.id, 0, bench.unit(4)),)
    await bench.store.namespace(lease.job.namespace).commit_extraction(
        lease, ExtractionWrite(generation, 0, 4, (relation,), (first, second), (ana, ben), edges, vectors)
    )
    await bench.store.namespace(lease.job.namespace).finish_job(lease, JobSucceeded())
    await bench.store.namespace(bench.namespace).delete(Deletion((ids[3],)))
    await bench.say("waiting", session="s2", time_zone="Asia/Tokyo")
    return bench


async def test_records_come_in_their_order_and_refer_back(told):
    records = await exported(told)
    kinds = [type(record).__name__ for record in records]
    order = ["Session", "Message", "Entity", "Statement", "Event", "Edge", "SessionProgress", "PassageVector"]
    assert list(dict.fromkeys(kinds)) == order
    assert {r.kind for r in records if isinstance(r, Edge)} == {EdgeKind.RELATES, EdgeKind.BEFORE, EdgeKind.MENTIONS}
    assert [r for r in records if isinstance(r, SessionProgress)] == [SessionProgress("s1", 4, (4,)), SessionProgress("s2", 0, ())]


async def test_an_import_is_the_same_memory(told):
    records = await exported(told)
    source = await told.store.namespace(told.namespace).settings()
    copy = await told.store.import_namespace(replace(source, name="copy"), stream(records))
    assert replace(copy, name=source.name, uid=source.uid) == source
    assert repr(await exported(told, "copy")) == repr(records)
    assert await digest_of(told, "copy") == await digest_of(told, told.namespace)
    assert await told.store.namespace("copy").check() == []
    before, after = await told.store.namespace(told.namespace).describe(), await told.store.namespace("copy").describe()
    assert replace(after, bytes=0) == replace(before, bytes=0)
    query = CandidateQuery(terms_of("Ana likes a waiting"), told.unit(4).astype("f4"), MemoryFilter())
    found = [await told.store.namespace(name).candidates(query) for name in (told.namespace, "copy")]
    by_id = [dict(zip(c.ids, zip(c.kind.tolist(), c.said_at.tolist(), c.seq.tolist(), strict=True), strict=True)) for c in found]
    assert by_id[0] == by_id[1]
    assert len(by_id[0]) >= 5


async def test_what_was_not_extracted_is_queued(told):
    source = await told.store.namespace(told.namespace).settings()
    await told.store.import_namespace(replace(source, name="copy"), stream(await exported(told)))
    jobs = (await told.store.namespace("copy").list_jobs(JobQuery(), None, 9)).items
    # The last is the job that summarizes the events that came along.
    assert [(job.session, job.total) for job in jobs] == [("", 2), ("s2", 1)]
    leased = {lease.job.namespace for _ in range(2) if (lease := await told.lease()) is not None}
    assert leased == {told.namespace, "copy"}
    told.namespace = "copy"
    assert (await told.say("next", session="s1")).messages[0].seq == 5


async def test_without_vectors_they_are_queued_anew(told):
    source = await told.store.namespace(told.namespace).settings()
    records = await exported(told, with_vectors=False)
    assert not any(isinstance(record, PassageVector) for record in records)
    await told.store.import_namespace(replace(source, name="copy"), stream(records))
    assert {job.session for job in (await told.store.namespace("copy").list_jobs(JobQuery(), None, 9)).items} == {"", "s1", "s2"}
    texts = [passage.text for passage in await told.store.namespace("copy").missing_vectors("s1", 99)]
    assert texts == ["a", "b", "c", "Ana likes Ben"]


async def test_a_taken_name_is_refused(told):
    source = await told.store.namespace(told.namespace).settings()
    with pytest.raises(AlreadyExists):
        await told.store.import_namespace(source, stream([]))


async def test_a_stream_that_breaks_leaves_nothing(told):
    source = replace(await told.store.namespace(told.namespace).settings(), name="copy")
    records = await exported(told)

    async def broken():
        yield records[:5]
        raise ConnectionError

    with pytest.raises(ConnectionError):
        await told.store.import_namespace(source, broken())
    with pytest.raises(NotFound):
        await told.store.namespace("copy").settings()
    await told.store.import_namespace(source, stream(records))


@pytest.mark.parametrize("spoil", ["missing session", "missing message", "twice", "dimension"])
async def test_records_that_do_not_fit_are_refused(told, spoil):
    source = replace(await told.store.namespace(told.namespace).settings(), name="copy")
    records = await exported(told)
    match spoil:
        case "missing session":
            records = [r for r in records if not isinstance(r, Session)]
        case "missing message":
            records = [r for r in records if not (isinstance(r, Message) and r.text == "a")]
        case "twice":
            records.insert(3, next(r for r in records if isinstance(r, Message)))
        case "dimension":
            records[-1] = replace(records[-1], vector=records[-1].vector[:3])
    with pytest.raises(InvalidArgument, match="records"):
        await told.store.import_namespace(source, stream(records))
    with pytest.raises(NotFound):
        await told.store.namespace("copy").settings()


async def test_an_export_is_of_one_revision(told):
    export = told.store.namespace(told.namespace).export()
    first = await anext(export)
    await told.say("later", session="s3")
    later = [record async for batch in export for record in batch]
    names = [record.name for record in [*first, *later] if isinstance(record, Session)]
    assert names == ["s1", "s2"]


async def test_an_abandoned_export_lets_go(told):
    export = told.store.namespace(told.namespace).export()
    await anext(export)
    await export.aclose()
    await told.store.delete_namespace(told.namespace)


@pytest.mark.parametrize("outcome", ["completed", "given up"])
async def test_an_import_leaves_no_process_behind(told, monkeypatch, outcome):
    monkeypatch.setattr(import_analysis, "_BEFORE_PROCESS", 1)
    records = await exported(told)

    async def given():
        for record in records:
            yield [record]
        if outcome == "given up":
            raise ConnectionResetError

    settings = replace(await told.store.namespace(told.namespace).settings(), name="copy")
    with nullcontext() if outcome == "completed" else pytest.raises(ConnectionResetError):
        await told.store.import_namespace(settings, given())
    # There is one process at most: an import that kept it would leave none to the next.
    process = AnalysisProcess.start_if_free()
    assert process is not None
    process.close()
