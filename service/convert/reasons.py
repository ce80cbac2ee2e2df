"""Reasons of errors, to the contract: the domain's words are the enum's without its prefix."""

from structmem.v1 import error_reason_pb2

_PREFIX = "ERROR_REASON_"


def reason_name(reason: str) -> str:
    """The name of a reason in the contract, which `google.rpc.ErrorInfo` carries."""
    return _PREFIX + reason


def reason_to_proto(reason: str) -> error_reason_pb2.ErrorReason.ValueType:
    """The reason in a message; what a job of another version left behind is not set."""
    name = reason_name(reason)
    if name not in error_reason_pb2.ErrorReason.keys():  # noqa: SIM118 - an enum wrapper is no mapping
        return error_reason_pb2.ERROR_REASON_UNSPECIFIED
    return error_reason_pb2.ErrorReason.Value(name)
