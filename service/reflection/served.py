"""The files that describe the services of a server: the contract, what its errors carry, health, and reflection itself."""

from importlib import resources

from google.protobuf import any_pb2, text_format
from google.protobuf.descriptor import FileDescriptor
from google.protobuf.descriptor_pb2 import FileDescriptorProto, FileDescriptorSet
from google.rpc import error_details_pb2, status_pb2
from grpc_health.v1 import health_pb2
from grpc_reflection.v1alpha import reflection_pb2

from service.reflection.declarations import messages
from service.reflection.descriptor_files import DescriptorFiles


def served_files() -> DescriptorFiles:
    """All of them. The contract is as `make proto` has written it, with its comments, which Python's own descriptors have not."""
    contract = FileDescriptorSet.FromString(resources.files("service.reflection").joinpath("structmem.v1.binpb").read_bytes())
    alpha = _described(reflection_pb2.DESCRIPTOR)
    # No message of the contract names the details of its errors, so that no import leads to them.
    details = map(_described, (any_pb2.DESCRIPTOR, status_pb2.DESCRIPTOR, error_details_pb2.DESCRIPTOR))
    return DescriptorFiles([*contract.file, *details, _described(health_pb2.DESCRIPTOR), alpha, _final(alpha)])


def _described(file: FileDescriptor) -> FileDescriptorProto:
    """A file of Python's own, with the JSON names, which it knows and does not write down."""
    described = FileDescriptorProto()
    file.CopyToProto(described)
    for name, message in messages(described):
        known = file.pool.FindMessageTypeByName(name)
        for field in message.field:
            field.json_name = known.fields_by_name[field.name].json_name
    return described


def _final(alpha: FileDescriptorProto) -> FileDescriptorProto:
    """v1, which is v1alpha under its final name, message for message; grpcio-reflection has v1alpha alone."""
    final = text_format.Parse(text_format.MessageToString(alpha).replace("v1alpha", "v1"), FileDescriptorProto())
    final.options.ClearField("deprecated")
    return final
