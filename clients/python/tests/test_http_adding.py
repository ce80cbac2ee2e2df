"""What the HTTP adapter does where the service refuses, and where it is not installed whole."""

import subprocess
import sys
from typing import Any

import pytest
from google.rpc import error_details_pb2, status_pb2
from grpc_status import rpc_status
from structmem import AsyncClient, InvalidArgumentError
from structmem.http.adding import RequestIds, add
from structmem.http.bodies import AddRequest
from structmem.http.refusals import refusal_of
from structmem.v1 import memory_service_pb2 as pb


def _request(*contents: str) -> AddRequest:
    messages = [{"role": "user", "content": content} for content in contents]
    return AddRequest.model_validate({"request_id": "r", "user_id": "u", "session_id": "s", "messages": messages})


def _refuse(context: Any, field: str, reason: str) -> None:
    bad = error_details_pb2.BadRequest(field_violations=[error_details_pb2.BadRequest.FieldViolation(field=field, description=reason)])
    status = status_pb2.Status(code=3, message=f"{field} {reason}")
    status.details.add().Pack(error_details_pb2.ErrorInfo(reason="ERROR_REASON_INVALID_ARGUMENT"))
    status.details.add().Pack(bad)
    context.abort_with_status(rpc_status.to_status(status))  # type: ignore[no-untyped-call]  # grpc_status ships no types


async def test_of_a_request_that_the_service_refuses_the_id_is_free_again(script: Any) -> None:
    def append(request: pb.AppendMessagesRequest, context: Any) -> pb.AppendMessagesResponse:
        if request.namespace == "users/u":
            _refuse(context, "messages[0].text", "is not to our taste")
        return pb.AppendMessagesResponse(messages=[pb.AppendedMessage(id="msg_1", seq=1)])

    script.answers = {"AppendMessages": append, "DeleteMemories": lambda *_: pb.DeleteMemoriesResponse()}
    async with AsyncClient(script.target) as client:
        with pytest.raises(InvalidArgumentError) as refused:
            await add(client, RequestIds(client, "users"), "users", _request("Words."))
    deleted = script.requests[-1]
    assert (deleted.namespace, list(deleted.memories.ids)) == ("users/@requests", ["msg_1"])
    refusal = refusal_of(refused.value)
    assert (refusal.status, refusal.reason) == (422, "INVALID_ARGUMENT")
    assert [(one.field, one.reason) for one in refusal.violations] == [("messages[0].content", "is not to our taste")]


async def test_what_is_half_stored_keeps_its_id(script: Any) -> None:
    """Its repeat goes on where it ended: every message has a client id of its own."""
    seen: list[pb.AppendMessagesRequest] = []

    def append(request: pb.AppendMessagesRequest, context: Any) -> pb.AppendMessagesResponse:
        seen.append(request)
        if len(seen) == 3:
            _refuse(context, "messages[0].text", "is not to our taste")
        return pb.AppendMessagesResponse(messages=[pb.AppendedMessage(id=f"msg_{n}", seq=n) for n, _ in enumerate(request.messages)])

    script.answers = {"AppendMessages": append}
    async with AsyncClient(script.target) as client:
        with pytest.raises(InvalidArgumentError):
            await add(client, RequestIds(client, "users"), "users", _request(*(f"Text {number}" for number in range(1_500))))
    assert [len(request.messages) for request in seen] == [1, 1000, 500]
    ids = [message.client_id for request in seen[1:] for message in request.messages]
    assert len(set(ids)) == 1_500


@pytest.mark.parametrize("missing", ["starlette", "uvicorn", "pydantic"])
def test_without_the_extra_it_says_what_to_install(missing: str) -> None:
    code = f"import sys; sys.modules[{missing!r}] = None\nimport structmem.http"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert f"structmem.http needs {missing}: pip install 'structmem[http]'" in done.stderr
