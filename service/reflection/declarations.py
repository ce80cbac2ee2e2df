"""What a file declares, as fully qualified names without a leading dot."""

from collections.abc import Iterable, Iterator
from itertools import chain

from google.protobuf.descriptor_pb2 import DescriptorProto, EnumDescriptorProto, FieldDescriptorProto, FileDescriptorProto


def messages(file: FileDescriptorProto) -> Iterator[tuple[str, DescriptorProto]]:
    """Every message with its name, nested ones too."""
    return _below(file.package, file.message_type)


def symbols(file: FileDescriptorProto) -> Iterator[str]:
    """The names of messages, fields, oneofs, enums, enum values, services, methods and extensions."""
    yield from (_in(file.package, extension.name) for extension in file.extension)
    yield from _of_enums(file.package, file.enum_type)
    for name, message in messages(file):
        yield name
        yield from (_in(name, field.name) for field in chain(message.field, message.extension))
        yield from (_in(name, oneof.name) for oneof in message.oneof_decl)
        yield from _of_enums(name, message.enum_type)
    for service in file.service:
        name = _in(file.package, service.name)
        yield name
        yield from (_in(name, method.name) for method in service.method)


def extensions(file: FileDescriptorProto) -> Iterator[FieldDescriptorProto]:
    """Every extension, those declared in messages too."""
    yield from file.extension
    for _, message in messages(file):
        yield from message.extension


def _below(scope: str, declared: Iterable[DescriptorProto]) -> Iterator[tuple[str, DescriptorProto]]:
    for message in declared:
        name = _in(scope, message.name)
        yield name, message
        yield from _below(name, message.nested_type)


def _of_enums(scope: str, enums: Iterable[EnumDescriptorProto]) -> Iterator[str]:
    for enum in enums:
        yield _in(scope, enum.name)
        # As in C++, a value stands beside its enum and not in it.
        yield from (_in(scope, value.name) for value in enum.value)


def _in(scope: str, name: str) -> str:
    return f"{scope}.{name}" if scope else name
