"""A service that extracts with a language model: messages in, events out, every call counted; profiles; no key; replays."""

import sys
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager
from pathlib import Path
from types import ModuleType
from typing import Any

import grpc
import pytest
from structmem.v1 import inspection_service_pb2, job_pb2, namespace_pb2, node_pb2
from structmem.v1 import memory_service_pb2 as pb
from structmem.v1 import namespace_service_pb2 as npb
from structmem.v1.error_reason_pb2 import ERROR_REASON_EXTRACTOR_ANSWER_INVALID, ERROR_REASON_EXTRACTOR_UNAVAILABLE

from service.app import build
from service.configuration import effective, load_settings
from service.errors import InvalidSettings
from tests.extract.compress.tiny_model import build as build_model
from tests.extract.llm.openai_server import Body, OpenAiServer, Reply, answer, fact, honest, said

TALK = ["I moved to Lisbon last Friday.", "My sister Ana lives there.", "I take Aspirin, 100 mg a day."]
CLINIC = namespace_pb2.ExtractionProfile(
    entity_types=[namespace_pb2.EntityType(name="medicine", kind=node_pb2.ENTITY_KIND_THING)],
    relation_types=[namespace_pb2.RelationType(name="takes", description="a patient takes a medicine")],
    instructions="Doses matter.",
)
Running = Callable[..., AbstractAsyncContextManager[Any]]


@pytest.fixture
async def model() -> AsyncIterator[OpenAiServer]:
    server = OpenAiServer()
    await server.start()
    yield server
    await server.stop()


@pytest.fixture
def asking(model: OpenAiServer, running: Running, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Running:
    """A service whose language model is that server."""
    monkeypatch.setenv("CUSTOM_KEY", "sk-secret")
    settings = {
        "extractor": "llm",
        "llm_provider": "custom",
        "llm_model": "a-model",
        "llm_base_url": model.url,
        "llm_key_variable": "CUSTOM_KEY",
        "llm_retries": 0,
    }
    return lambda **changes: running(tmp_path, **(settings | changes))


async def told(service: Any, *texts: str, session: str = "s") -> job_pb2.Job:
    """Appends messages of Maria and waits until they are extracted; returns the job as it ended."""
    messages = [pb.MessageInput(speaker="Maria", text=text) for text in texts]
    request = pb.AppendMessagesRequest(namespace="clinic", session=session, messages=messages, create_namespace=True)
    return await finished(service, (await service.memory.AppendMessages(request)).job_id)


async def finished(service: Any, job: str) -> job_pb2.Job:
    last: job_pb2.Job | None = None
    await service.memory.ExpediteJob(pb.ExpediteJobRequest(namespace="clinic", job_id=job))
    async for update in service.memory.WatchJob(pb.WatchJobRequest(namespace="clinic", job_id=job), timeout=30):
        last = update.job
    assert last is not None
    return last


async def facts(service: Any) -> list[str]:
    answer = await service.memory.ListStatements(pb.ListStatementsRequest(namespace="clinic"))
    return sorted(statement.text for statement in answer.statements)


async def usage(service: Any) -> dict[str, inspection_service_pb2.UsageEntry]:
    answer = await service.inspection.GetUsage(inspection_service_pb2.GetUsageRequest(namespace="clinic"))
    return {entry.step: entry for entry in answer.entries}


async def test_messages_in_events_out_calls_counted(asking: Running, model: OpenAiServer) -> None:
    moved = fact("Maria moved to Lisbon.", 1, subject="Maria", predicate="moved_to", object="Lisbon", when="last Friday")
    sister = fact("Ana is Maria's sister.", 2, subject="Ana", predicate="sister_of", object="Maria")
    entities = [{"name": "Ana", "type": "person", "messages": [2]}, {"name": "Lisbon", "type": "place", "messages": [1]}]
    model.script = [
        Reply(answer({"title": "The move", "facts": [moved, fact("x", 40)], "relations": [sister]}, entities=entities)),
        Reply(answer({"title": "The move", "facts": [fact("x", 41)]})),
    ]
    async with asking() as service:
        job = await told(service, *TALK)
        assert job.state == job_pb2.JOB_STATE_SUCCEEDED
        assert [failure.reason for failure in job.partial_failures] == [ERROR_REASON_EXTRACTOR_ANSWER_INVALID]
        assert await facts(service) == ["Ana is Maria's sister.", "Maria moved to Lisbon."]
        found = await service.memory.ListEvents(pb.ListEventsRequest(namespace="clinic"))
        assert [event.title for event in found.events] == ["The move"]
        entries = await usage(service)
        assert (entries["extract"].calls, entries["extract"].items, entries["extract"].prompt_tokens) == (1, 3, 100)
        assert (entries["repair"].model, entries["repair"].calls) == ("a-model", 1)
        info = await service.inspection.GetServerInfo(inspection_service_pb2.GetServerInfoRequest())
        assert info.extractor == "llm"
        assert "language model" in info.extractor_note
    assert model.headers[0]["authorization"] == "Bearer sk-secret"


async def test_a_model_that_dies_leaves_the_job_waiting_and_its_calls_counted(asking: Running, model: OpenAiServer) -> None:
    model.script = [Reply(dies=True), Reply(status=500)]
    async with asking() as service:
        job = await told(service, "I have a dog.")
        assert job.state == job_pb2.JOB_STATE_SUCCEEDED
        assert job.attempts == 3
        assert await facts(service) == ["Maria said: I have a dog."]
        entry = (await usage(service))["extract"]
        assert (entry.calls, entry.errors, entry.items) == (3, 2, 1)


async def test_calls_of_a_job_that_is_cancelled_count(asking: Running, model: OpenAiServer, eventually: Any) -> None:
    model.answers = lambda _: Reply(delay=60)
    async with asking(lease_s=1.0) as service:
        messages = [pb.MessageInput(speaker="Maria", text="I have a dog.")]
        request = pb.AppendMessagesRequest(namespace="clinic", session="s", messages=messages, create_namespace=True)
        id_ = (await service.memory.AppendMessages(request)).job_id
        await service.memory.FlushSession(pb.FlushSessionRequest(namespace="clinic", session="s"))

        async def asked() -> bool:
            return len(model.requests) == 1

        await eventually(asked)
        await service.memory.CancelJob(pb.CancelJobRequest(namespace="clinic", job_id=id_))

        async def counted() -> bool:
            entry = (await usage(service)).get("extract")
            return entry is not None and (entry.calls, entry.errors, entry.items) == (1, 1, 0)

        await eventually(counted)


async def test_while_the_model_cannot_be_asked_the_job_says_why(asking: Running, model: OpenAiServer, eventually: Any) -> None:
    model.answers = lambda _: Reply(status=401)
    async with asking() as service:
        messages = [pb.MessageInput(speaker="Maria", text="I have a dog.")]
        request = pb.AppendMessagesRequest(namespace="clinic", session="s", messages=messages, create_namespace=True)
        id_ = (await service.memory.AppendMessages(request)).job_id
        await service.memory.FlushSession(pb.FlushSessionRequest(namespace="clinic", session="s"))

        async def failed_once() -> bool:
            job = (await service.memory.GetJob(pb.GetJobRequest(namespace="clinic", job_id=id_))).job
            return job.error.reason == ERROR_REASON_EXTRACTOR_UNAVAILABLE and "sk-secret" not in str(job)

        await eventually(failed_once)
        model.answers = honest
        assert (await finished(service, id_)).state == job_pb2.JOB_STATE_SUCCEEDED


async def test_a_profile_is_part_of_the_generation(asking: Running, model: OpenAiServer, eventually: Any) -> None:
    def doses(body: Body) -> Reply:
        if "Doses matter." not in body["messages"][0]["content"]:
            return honest(body)
        takes = [fact("Maria takes Aspirin.", one["n"], subject="Maria", predicate="takes", object="Aspirin") for one in said(body)]
        return Reply(answer({"title": "Doses", "relations": takes[-1:]}))

    model.answers = doses
    async with asking() as service:
        await told(service, *TALK)
        before = (await service.namespaces.GetNamespace(npb.GetNamespaceRequest(namespace="clinic"))).namespace
        assert not before.HasField("profile")
        update = npb.UpdateNamespaceRequest(namespace="clinic", profile=CLINIC)
        after = (await service.namespaces.UpdateNamespace(update)).namespace
        assert (after.profile.version, after.profile.instructions) == (1, "Doses matter.")
        assert after.generation.number == before.generation.number + 1
        assert after.generation.fingerprint != before.generation.fingerprint

        async def anew() -> bool:
            return await facts(service) == ["Maria takes Aspirin."]

        await eventually(anew)
        again = (await service.namespaces.UpdateNamespace(update)).namespace
        assert (again.profile.version, again.generation.number) == (1, after.generation.number)
    async with asking() as service:
        kept = (await service.namespaces.GetNamespace(npb.GetNamespaceRequest(namespace="clinic"))).namespace
        assert kept.profile == after.profile
        none = npb.UpdateNamespaceRequest(namespace="clinic", profile=namespace_pb2.ExtractionProfile())
        gone = (await service.namespaces.UpdateNamespace(none)).namespace
        assert (gone.profile.version, len(gone.profile.entity_types), gone.profile.instructions) == (2, 0, "")


async def test_a_profile_goes_with_an_export(running: Running, tmp_path: Path) -> None:
    async with running(tmp_path) as service:
        await service.namespaces.CreateNamespace(npb.CreateNamespaceRequest(namespace="clinic", profile=CLINIC))
        stream = service.memory.ExportNamespace(pb.ExportNamespaceRequest(namespace="clinic"))
        header, trailer = [part async for part in stream]

        async def requests() -> AsyncIterator[pb.ImportNamespaceRequest]:
            yield pb.ImportNamespaceRequest(header=pb.ImportNamespaceHeader(namespace="copy", export_header=header.header))
            yield pb.ImportNamespaceRequest(trailer=trailer.trailer)

        await service.memory.ImportNamespace(requests())
        copy = (await service.namespaces.GetNamespace(npb.GetNamespaceRequest(namespace="copy"))).namespace
        assert (copy.profile.version, copy.profile.relation_types) == (1, CLINIC.relation_types)


async def test_a_wrong_profile_is_refused_with_its_places(service: Any, refused: Callable[..., Any]) -> None:
    wrong = namespace_pb2.ExtractionProfile(
        entity_types=[namespace_pb2.EntityType(name="A B")], relation_types=[namespace_pb2.RelationType(name="x" * 50)]
    )
    refusal = await refused(service.namespaces.CreateNamespace(npb.CreateNamespaceRequest(namespace="clinic", profile=wrong)))
    assert refusal.code is grpc.StatusCode.INVALID_ARGUMENT
    assert set(refusal.fields) == {"profile.entity_types[0].name", "profile.entity_types[0].kind", "profile.relation_types[0].name"}


async def test_without_a_key_the_local_extractor_works(running: Running, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("OPENAI_API_KEY", raising=False)
    async with running(tmp_path, extractor="llm", llm_model="a-model") as service:
        info = await service.inspection.GetServerInfo(inspection_service_pb2.GetServerInfoRequest())
        assert info.extractor == "local"


async def test_a_recording_is_replayed_without_the_model(asking: Running, running: Running, model: OpenAiServer, tmp_path: Path) -> None:
    file = tmp_path / "exchanges.jsonl"
    async with asking(llm_record=file, data_dir=tmp_path / "first") as service:
        await told_at_a_time(service)
        recorded = await facts(service)
    asked = len(model.requests)
    await model.stop()
    async with running(tmp_path, extractor="llm", llm_provider="custom", llm_model="a-model", llm_replay=file) as service:
        await told_at_a_time(service)
        assert await facts(service) == recorded == ["Maria said: I have a dog."]
    assert len(model.requests) == asked == 1


async def told_at_a_time(service: Any) -> None:
    message = pb.MessageInput(speaker="Maria", text="I have a dog.", sent_at_local="2023-05-08T13:56:00Z")
    request = pb.AppendMessagesRequest(namespace="clinic", session="s", messages=[message], create_namespace=True)
    await finished(service, (await service.memory.AppendMessages(request)).job_id)


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({}, "llm_model"),
        ({"llm_model": "m", "llm_provider": "custom"}, "llm_base_url"),
        ({"llm_model": "m", "llm_base_url": "localhost:1"}, "llm_base_url"),
        ({"llm_model": "m", "llm_record": "a", "llm_replay": "b"}, "llm_record"),
        ({"llm_model": "m", "llm_provider": "acme"}, "llm_provider"),
        ({"llm_model": "m", "llm_concurrency": 0}, "llm_concurrency"),
        ({"llm_model": "m", "compressor": "zip"}, "compressor"),
        ({"llm_model": "m", "compression_rate": 1.0}, "compression_rate"),
        ({"llm_model": "m", "compression_rate": 0.0}, "compression_rate"),
        ({"llm_model": "m", "compressor_model": ""}, "compressor_model"),
        ({"llm_model": "m", "segmentation": "attention+similarity"}, "segmentation"),
        ({"llm_model": "m", "segmentation": "attention+similarity", "compressor": "entropy"}, "segmentation"),
        ({"extractor": "local", "segmentation": "attention+similarity", "compressor": "llmlingua2"}, "segmentation"),
    ],
)
def test_wrong_settings_are_named(changes: dict[str, Any], field: str) -> None:
    with pytest.raises(InvalidSettings) as raised:
        load_settings({"extractor": "llm"} | changes)
    assert [violation.field for violation in raised.value.violations] == [field]


def test_a_consolidator_wants_a_model_too() -> None:
    with pytest.raises(InvalidSettings) as raised:
        load_settings({"consolidator": "llm"})
    assert [(one.field, one.reason) for one in raised.value.violations] == [("llm_model", "is required by the llm consolidator")]


async def test_prompts_are_compressed_and_what_is_stored_is_not(asking: Running, model: OpenAiServer) -> None:
    talk = "Well, it was so that I had been thinking about it for a while and then I did not move to Lisbon with Ana in May 2021."
    async with asking(compressor="entropy", compression_rate=0.4) as service:
        assert (await told(service, talk)).state == job_pb2.JOB_STATE_SUCCEEDED
        stored = await service.memory.ListMessages(pb.ListMessagesRequest(namespace="clinic"))
        assert [message.text for message in stored.messages] == [talk]
        entry = (await usage(service))["compress"]
        assert (entry.model, entry.calls, entry.items) == ("entropy", 1, 1)
        assert entry.completion_tokens < entry.prompt_tokens
    [shown] = said(model.requests[0])
    assert len(shown["text"]) < 0.7 * len(talk)
    assert all(word in shown["text"] for word in ("not", "Lisbon", "Ana", "May 2021"))


@pytest.mark.filterwarnings("ignore")  # what torch and transformers warn of while they load
@pytest.mark.timeout(300)
async def test_attention_parts_turns_and_compresses_them_in_one_pass(
    asking: Running, model: OpenAiServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    pytest.importorskip("llmlingua", reason="the extra compression is not installed (it brings torch)")
    from extract.compress.llmlingua import LlmLinguaCompressor

    windows: list[Any] = []
    judge = LlmLinguaCompressor._judge
    monkeypatch.setattr(LlmLinguaCompressor, "_judge", lambda self, window: (windows.append(window), judge(self, window))[1])
    turns = [f"and then the boat number {number} was moved to the garden of the house that they would have bought" for number in range(12)]
    chosen = {"compressor": "llmlingua2", "compressor_model": str(build_model(tmp_path / "tiny")), "compression_rate": 0.4}
    async with asking(**chosen, segmentation="attention+similarity") as service:
        assert (await told(service, *turns)).state == job_pb2.JOB_STATE_SUCCEEDED
        entry = (await usage(service))["compress"]
        assert (entry.model, entry.items) == ("tiny", 12)
    judged = [word for window in windows for word in window.words]
    assert len(judged) == len(set(judged)) == sum(len(text.split()) for text in turns)
    shown = said(model.requests[0])
    assert len(shown) == 12
    assert sum(len(one["text"]) for one in shown) < 0.7 * sum(map(len, turns))


def test_a_compressor_without_its_extra_or_its_model_says_what_to_do(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    chosen = {"data_dir": tmp_path, "extractor": "llm", "llm_provider": "ollama", "llm_model": "m", "compressor": "llmlingua2"}
    torch = ModuleType("torch")
    torch.__dict__["set_num_threads"] = lambda count: None
    monkeypatch.setitem(sys.modules, "torch", torch)
    monkeypatch.setitem(sys.modules, "llmlingua", None)
    with pytest.raises(InvalidSettings, match=r"compressor: needs an extra: .*structmem-server\[compression\]"):
        build(load_settings(chosen))
    monkeypatch.setitem(sys.modules, "llmlingua", ModuleType("llmlingua"))
    with pytest.raises(InvalidSettings, match=r"compressor_model: .*llmlingua-2-bert-base-multilingual-cased-meetingbank.*directory"):
        build(load_settings({**chosen, "compressor_model": str(tmp_path)}))


async def test_a_recording_that_is_none_stops_the_start(running: Running, tmp_path: Path) -> None:
    file = tmp_path / "exchanges.jsonl"
    file.write_text("no\nyes\n")
    for wrong in (file, tmp_path / "absent"):
        with pytest.raises(InvalidSettings, match="llm_replay"):
            async with running(tmp_path, extractor="llm", llm_model="m", llm_replay=wrong):
                pass


def test_the_key_is_masked() -> None:
    settings = load_settings({"llm_api_key": "sk-secret"})
    assert effective(settings)["llm_api_key"].value == "********"
    assert "sk-secret" not in repr(settings)
