"""What callers see when a call fails."""

from datetime import timedelta
from typing import Any, NoReturn

import grpc
import pytest
import structmem
from google.protobuf.any_pb2 import Any as AnyMessage
from google.protobuf.duration_pb2 import Duration
from google.rpc import code_pb2, error_details_pb2, status_pb2
from structmem import Client
from structmem.v1 import memory_service_pb2 as mpb


class Refusal(grpc.Status):
    """A status with details, as the service sends it."""

    def __init__(self, code: grpc.StatusCode, text: str, *details: Any) -> None:
        packed = []
        for detail in details:
            holder = AnyMessage()
            holder.Pack(detail)
            packed.append(holder)
        status = status_pb2.Status(code=code_pb2.Code.Value(code.name), message=text, details=packed)
        self.code, self.details = code, text
        self.trailing_metadata = (("grpc-status-details-bin", status.SerializeToString()),)


def refuse(context: grpc.ServicerContext, code: grpc.StatusCode, reason: str, *more: Any) -> NoReturn:
    info = error_details_pb2.ErrorInfo(reason=f"ERROR_REASON_{reason}", domain="structmem", metadata={"namespace": "alice"})
    context.abort_with_status(Refusal(code, f"because {reason}", info, *more))
    raise AssertionError


@pytest.mark.parametrize(
    ("reason", "code", "kind"),
    [
        ("NOT_FOUND", grpc.StatusCode.NOT_FOUND, structmem.NotFoundError),
        ("NAMESPACE_NOT_FOUND", grpc.StatusCode.NOT_FOUND, structmem.NamespaceNotFoundError),
        ("ALREADY_EXISTS", grpc.StatusCode.ALREADY_EXISTS, structmem.AlreadyExistsError),
        ("CONFLICT", grpc.StatusCode.FAILED_PRECONDITION, structmem.ConflictError),
        ("REQUEST_ID_REUSED", grpc.StatusCode.ALREADY_EXISTS, structmem.RequestReusedError),
        ("MESSAGE_ID_REUSED", grpc.StatusCode.ALREADY_EXISTS, structmem.DuplicateMessageError),
        ("PERMISSION_DENIED", grpc.StatusCode.PERMISSION_DENIED, structmem.PermissionDeniedError),
        ("UNAUTHENTICATED", grpc.StatusCode.UNAUTHENTICATED, structmem.UnauthenticatedError),
        ("STORAGE_FULL", grpc.StatusCode.RESOURCE_EXHAUSTED, structmem.StorageFullError),
        ("ANSWER_TOO_LARGE", grpc.StatusCode.FAILED_PRECONDITION, structmem.AnswerTooLargeError),
        ("ELEMENT_TOO_LARGE", grpc.StatusCode.FAILED_PRECONDITION, structmem.ElementTooLargeError),
        ("STREAM_STALLED", grpc.StatusCode.DEADLINE_EXCEEDED, structmem.DeadlineExceededError),
        ("STORE_LIMIT", grpc.StatusCode.FAILED_PRECONDITION, structmem.StoreLimitError),
        ("NAMESPACE_CORRUPT", grpc.StatusCode.DATA_LOSS, structmem.NamespaceCorruptError),
        ("SOMETHING_NEW", grpc.StatusCode.NOT_FOUND, structmem.NotFoundError),
        ("SOMETHING_ELSE", grpc.StatusCode.INTERNAL, structmem.InternalError),
    ],
)
def test_a_reason_becomes_its_exception(
    script: Any, client: Client, reason: str, code: grpc.StatusCode, kind: type[structmem.StructMemError]
) -> None:
    script.answers["GetJob"] = lambda request, context: refuse(context, code, reason)
    with pytest.raises(structmem.StructMemError) as caught:
        client.get_job("alice", "job_x")
    assert type(caught.value) is kind
    assert caught.value.reason == reason
    assert isinstance(caught.value.reason, structmem.ErrorReason) is not reason.startswith("SOMETHING")
    assert str(caught.value) == f"because {reason}"
    assert caught.value.metadata == {"namespace": "alice"}


def test_a_bad_request_names_each_field(script: Any, client: Client) -> None:
    violation = error_details_pb2.BadRequest.FieldViolation
    bad = error_details_pb2.BadRequest(
        field_violations=[violation(field="query.recipe", description="unknown"), violation(field="query.text", description="is required")]
    )
    script.answers["Retrieve"] = lambda request, context: refuse(context, grpc.StatusCode.INVALID_ARGUMENT, "INVALID_ARGUMENT", bad)
    with pytest.raises(structmem.InvalidArgumentError) as caught:
        client.retrieve("", "alice", recipe="magic")
    assert [(v.field, v.reason) for v in caught.value.violations] == [("query.recipe", "unknown"), ("query.text", "is required")]


def test_a_request_to_wait_is_told(script: Any) -> None:
    wait = error_details_pb2.RetryInfo(retry_delay=Duration(seconds=90))
    script.answers["GetJob"] = lambda request, context: refuse(context, grpc.StatusCode.UNAVAILABLE, "STORE_UNAVAILABLE", wait)
    with Client(script.target, timeout=5) as client, pytest.raises(structmem.UnavailableError) as caught:
        client.get_job("alice", "job_x")
    assert caught.value.retry_after == timedelta(seconds=90)
    assert len(script.requests) == 1, "it asked to wait for longer than the deadline allows"


def test_a_transient_failure_is_tried_again_with_the_same_request(script: Any, client: Client) -> None:
    def answer(request: mpb.AppendMessagesRequest, context: grpc.ServicerContext) -> mpb.AppendMessagesResponse:
        if len(script.requests) < 3:
            refuse(context, grpc.StatusCode.UNAVAILABLE, "STORE_UNAVAILABLE")
        return mpb.AppendMessagesResponse(job_id="job_1", messages=[mpb.AppendedMessage(id="msg_1", seq=1)])

    script.answers["AppendMessages"] = answer
    done = client.append("alice", "s", [structmem.NewMessage("Maria", "hello")])
    assert done.job_ids == ("job_1",)
    assert len({request.request_id for request in script.requests}) == 1
    assert len(script.requests[0].request_id) >= 16


def test_what_must_not_happen_twice_is_not_tried_again(script: Any, client: Client) -> None:
    script.answers["RetryJob"] = lambda request, context: refuse(context, grpc.StatusCode.UNAVAILABLE, "STORE_UNAVAILABLE")
    with pytest.raises(structmem.UnavailableError):
        client.retry_job("alice", "job_x")
    assert len(script.requests) == 1


def test_an_expired_deadline_has_its_own_error(script: Any, client: Client) -> None:
    import threading

    over = threading.Event()
    script.answers["GetJob"] = lambda request, context: (over.wait(5), mpb.GetJobResponse())[1]
    try:
        with pytest.raises(structmem.DeadlineExceededError):
            client.get_job("alice", "job_x", timeout=0.1)
    finally:
        over.set()


def test_no_service_at_the_address(unused_tcp_port: int) -> None:
    with Client(f"127.0.0.1:{unused_tcp_port}", retries=1) as client, pytest.raises(structmem.UnavailableError, match="cannot be reached"):
        client.server_info()


@pytest.mark.parametrize(
    ("message", "field"),
    [
        (structmem.NewMessage("Maria", "lone \ud800"), "messages[0].text"),
        (structmem.NewMessage("Maria", "hi", role="narrator"), "messages[0].role"),
        (structmem.NewMessage("Maria", 5), "messages[0].text"),  # type: ignore[arg-type]
    ],
)
def test_what_cannot_be_sent_is_refused_with_its_field(client: Client, message: structmem.NewMessage, field: str) -> None:
    with pytest.raises(structmem.InvalidArgumentError) as caught:
        client.append("alice", "s", [message])
    assert caught.value.violations[0].field == field


def test_a_request_that_is_too_large_is_the_callers(script: Any, client: Client) -> None:
    # The scripted service takes 4 MB, gRPC's own default.
    with pytest.raises(structmem.RequestTooLargeError, match="larger than the service takes") as caught:
        client.append("alice", "s", [structmem.NewMessage("Maria", "x" * 900_000)] * 5)
    assert isinstance(caught.value, structmem.InvalidArgumentError)
    assert caught.value.reason is structmem.ErrorReason.UNSPECIFIED
    assert not script.requests
