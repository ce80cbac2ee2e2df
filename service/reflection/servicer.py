"""The reflection service: one stream of questions and answers. https://github.com/grpc/grpc/blob/master/doc/server-reflection.md"""

from collections.abc import AsyncIterable, AsyncIterator, Iterable

import grpc
from grpc_reflection.v1alpha.reflection_pb2 import (
    ErrorResponse,
    ExtensionNumberResponse,
    FileDescriptorResponse,
    ListServiceResponse,
    ServerReflectionRequest,
    ServerReflectionResponse,
    ServiceResponse,
)

from service.reflection.descriptor_files import DescriptorFiles
from service.reflection.served import served_files

# Both have the same messages on the wire.
SERVICE_NAMES = ("grpc.reflection.v1.ServerReflection", "grpc.reflection.v1alpha.ServerReflection")


def register_reflection(server: grpc.aio.Server, services: Iterable[str]) -> None:
    """Adds both versions to a server. `services`: the full names of the others that it has."""
    reflection = _Reflection(served_files(), sorted([*services, *SERVICE_NAMES]))
    handler = grpc.stream_stream_rpc_method_handler(
        reflection.answers,
        request_deserializer=ServerReflectionRequest.FromString,
        response_serializer=ServerReflectionResponse.SerializeToString,
    )
    for name in SERVICE_NAMES:
        server.add_generic_rpc_handlers((grpc.method_handlers_generic_handler(name, {"ServerReflectionInfo": handler}),))


class _Reflection:
    def __init__(self, files: DescriptorFiles, services: list[str]) -> None:
        self._files = files
        self._services = services

    async def answers(self, requests: AsyncIterable[ServerReflectionRequest], _: object) -> AsyncIterator[ServerReflectionResponse]:
        """One answer a request, in order. What is not found is an answer too: it does not end the stream."""
        async for request in requests:
            answer = self._answer(request)
            answer.valid_host = request.host
            answer.original_request.CopyFrom(request)
            yield answer

    def _answer(self, request: ServerReflectionRequest) -> ServerReflectionResponse:
        match request.WhichOneof("message_request"):
            case "file_by_filename":
                return _files(self._files.named(request.file_by_filename), f"no file {request.file_by_filename!r}")
            case "file_containing_symbol":
                return _files(self._files.declaring(request.file_containing_symbol), f"no symbol {request.file_containing_symbol!r}")
            case "file_containing_extension":
                wanted = request.file_containing_extension
                found = self._files.extending(wanted.containing_type, wanted.extension_number)
                return _files(found, f"no extension {wanted.extension_number} of {wanted.containing_type!r}")
            case "all_extension_numbers_of_type":
                return self._extension_numbers(request.all_extension_numbers_of_type)
            case "list_services":
                listed = ListServiceResponse(service=[ServiceResponse(name=name) for name in self._services])
                return ServerReflectionResponse(list_services_response=listed)
            case _:
                return _error(grpc.StatusCode.INVALID_ARGUMENT, "message_request is not set")

    def _extension_numbers(self, message: str) -> ServerReflectionResponse:
        numbers = self._files.extension_numbers(message)
        if numbers is None:
            return _error(grpc.StatusCode.NOT_FOUND, f"no message {message!r}")
        return ServerReflectionResponse(
            all_extension_numbers_response=ExtensionNumberResponse(base_type_name=message, extension_number=numbers)
        )


def _files(found: list[bytes] | None, otherwise: str) -> ServerReflectionResponse:
    if found is None:
        return _error(grpc.StatusCode.NOT_FOUND, otherwise)
    return ServerReflectionResponse(file_descriptor_response=FileDescriptorResponse(file_descriptor_proto=found))


def _error(status: grpc.StatusCode, message: str) -> ServerReflectionResponse:
    return ServerReflectionResponse(error_response=ErrorResponse(error_code=status.value[0], error_message=message))
