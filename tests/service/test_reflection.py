"""What tools learn from a running service by reflection, in both of its versions."""

from collections.abc import AsyncIterator
from typing import Any

import grpc
import pytest
from google.protobuf import descriptor_pb2, descriptor_pool
from grpc_reflection.v1alpha.reflection_pb2 import ExtensionRequest, ServerReflectionRequest, ServerReflectionResponse

from service.reflection.descriptor_files import DescriptorFiles
from service.server import SERVICES

V1, V1ALPHA = "grpc.reflection.v1.ServerReflection", "grpc.reflection.v1alpha.ServerReflection"
NOT_FOUND, INVALID_ARGUMENT = 5, 3


async def ask(service: Any, *requests: ServerReflectionRequest, version: str = V1) -> list[ServerReflectionResponse]:
    """The answers of one stream."""
    call: Any = service.channel.stream_stream(
        f"/{version}/ServerReflectionInfo",
        request_serializer=ServerReflectionRequest.SerializeToString,
        response_deserializer=ServerReflectionResponse.FromString,
    )

    async def questions() -> AsyncIterator[ServerReflectionRequest]:
        for request in requests:
            yield request

    return [answer async for answer in call(questions(), timeout=20)]


async def symbol(service: Any, name: str, version: str = V1) -> ServerReflectionResponse:
    return (await ask(service, ServerReflectionRequest(file_containing_symbol=name), version=version))[0]


def described(answer: ServerReflectionResponse) -> list[descriptor_pb2.FileDescriptorProto]:
    return [descriptor_pb2.FileDescriptorProto.FromString(file) for file in answer.file_descriptor_response.file_descriptor_proto]


def pool_of(answer: ServerReflectionResponse) -> descriptor_pool.DescriptorPool:
    """The files of an answer, linked; which fails where one is missing."""
    pool = descriptor_pool.DescriptorPool()
    waiting = described(answer)
    while waiting:
        ready = [file for file in waiting if not {other.name for other in waiting} & set(file.dependency)]
        for file in ready:
            pool.Add(file)
        waiting = [file for file in waiting if file not in ready]
    return pool


@pytest.mark.parametrize("version", [V1, V1ALPHA])
async def test_every_service_is_listed_and_every_method_is_found(service: Any, version: str) -> None:
    (listed,) = await ask(service, ServerReflectionRequest(list_services="*"), version=version)
    names = [each.name for each in listed.list_services_response.service]
    assert names == sorted([*SERVICES, "grpc.health.v1.Health", V1, V1ALPHA])
    for name in names:
        answer = await symbol(service, name, version)
        methods = pool_of(answer).FindServiceByName(name).methods
        assert methods
        for method in methods:
            found = await symbol(service, method.full_name, version)
            assert found.file_descriptor_response == answer.file_descriptor_response


@pytest.mark.parametrize(
    ("name", "file"),
    [
        ("structmem.v1.MemoryService.WatchJob", "structmem/v1/memory_service.proto"),
        ("structmem.v1.AppendMessagesRequest", "structmem/v1/memory_service.proto"),
        ("structmem.v1.AppendMessagesRequest.namespace", "structmem/v1/memory_service.proto"),
        ("structmem.v1.MessageInput.sent", "structmem/v1/memory_service.proto"),
        ("structmem.v1.MessageInput.LabelsEntry", "structmem/v1/memory_service.proto"),
        ("structmem.v1.JobState", "structmem/v1/job.proto"),
        ("structmem.v1.JOB_STATE_QUEUED", "structmem/v1/job.proto"),
        ("google.rpc.ErrorInfo", "google/rpc/error_details.proto"),
        ("google.rpc.BadRequest.FieldViolation", "google/rpc/error_details.proto"),
        ("google.rpc.RetryInfo", "google/rpc/error_details.proto"),
        ("google.rpc.Status", "google/rpc/status.proto"),
        ("google.protobuf.Timestamp", "google/protobuf/timestamp.proto"),
        ("grpc.health.v1.HealthCheckResponse.ServingStatus", "grpc_health/v1/health.proto"),
    ],
)
async def test_a_symbol_of_any_kind_is_found_in_its_file(service: Any, name: str, file: str) -> None:
    answer = await symbol(service, name)
    assert described(answer)[0].name == file
    pool_of(answer)
    (by_name,) = await ask(service, ServerReflectionRequest(file_by_filename=file))
    assert by_name.file_descriptor_response == answer.file_descriptor_response


@pytest.mark.parametrize("name", ["structmem.v1.AppendMessagesRequest", "grpc.health.v1.HealthCheckRequest", f"{V1}", f"{V1ALPHA}"])
async def test_every_field_has_its_json_name(service: Any, name: str) -> None:
    for file in described(await symbol(service, name)):
        pool = descriptor_pool.Default()
        for message in file.message_type:
            for field in message.field:
                assert field.json_name, f"{message.name}.{field.name}"
                if file.package == "structmem.v1":
                    known = pool.FindMessageTypeByName(f"{file.package}.{message.name}").fields_by_name[field.name]
                    assert (field.json_name, field.number) == (known.json_name, known.number)


async def test_the_contract_comes_with_its_comments(service: Any) -> None:
    file = described(await symbol(service, "structmem.v1.MemoryService"))[0]
    assert all(
        any(list(place.path) == [6, 0, 2, method] and place.leading_comments for place in file.source_code_info.location)
        for method in range(len(file.service[0].method))
    )


async def test_what_is_not_there_is_an_answer_and_the_stream_goes_on(service: Any) -> None:
    requests = [
        ServerReflectionRequest(host="here", file_containing_symbol="structmem.v1.MemoryService.Nope"),
        ServerReflectionRequest(file_containing_symbol=""),
        ServerReflectionRequest(file_by_filename="nope.proto"),
        ServerReflectionRequest(file_containing_extension=ExtensionRequest(containing_type="structmem.v1.Job", extension_number=1)),
        ServerReflectionRequest(all_extension_numbers_of_type="structmem.v1.Nope"),
        ServerReflectionRequest(),
        ServerReflectionRequest(all_extension_numbers_of_type="structmem.v1.Job"),
    ]
    answers = await ask(service, *requests)
    assert [answer.error_response.error_code for answer in answers] == [*[NOT_FOUND] * 5, INVALID_ARGUMENT, 0]
    assert "structmem.v1.MemoryService.Nope" in answers[0].error_response.error_message
    assert [answer.original_request for answer in answers] == requests
    assert answers[0].valid_host == "here"
    assert answers[-1].all_extension_numbers_response.base_type_name == "structmem.v1.Job"


async def test_a_broken_request_ends_its_stream_alone(service: Any) -> None:
    raw: Any = service.channel.stream_stream(f"/{V1}/ServerReflectionInfo")

    async def broken() -> AsyncIterator[bytes]:
        yield b"\xff\xff"

    with pytest.raises(grpc.aio.AioRpcError):
        [answer async for answer in raw(broken(), timeout=20)]
    assert (await symbol(service, "structmem.v1.Job")).HasField("file_descriptor_response")


def test_extensions_are_found_by_their_number_wherever_they_are_declared() -> None:
    optional = descriptor_pb2.FieldDescriptorProto.LABEL_OPTIONAL
    base = descriptor_pb2.FileDescriptorProto(name="base.proto", package="made")
    base.message_type.add(name="Open").extension_range.add(start=100, end=200)
    more = descriptor_pb2.FileDescriptorProto(name="more.proto", package="made", dependency=["base.proto"])
    more.extension.add(name="plain", number=120, extendee=".made.Open", label=optional)
    more.message_type.add(name="Holder").extension.add(name="held", number=110, extendee=".made.Open", label=optional)
    files = DescriptorFiles([base, more])

    both = [more.SerializeToString(), base.SerializeToString()]
    assert files.extension_numbers("made.Open") == [110, 120]
    assert files.extension_numbers("made.Holder") == []
    assert files.extending("made.Open", 110) == files.extending("made.Open", 120) == both
    assert files.extending("made.Open", 111) is None
    assert files.declaring("made.plain") == files.declaring("made.Holder.held") == both
