"""What an error weighs on its way: no client refuses it, whatever the language of what is wrong."""

import base64
import urllib.parse
from collections.abc import Callable
from pathlib import Path
from typing import Any

import grpc
from google.rpc import error_details_pb2
from hypothesis import given
from hypothesis import strategies as st
from structmem.v1 import memory_service_pb2 as pb
from structmem.v1 import memory_service_pb2_grpc

from graph.errors import FieldViolation, InvalidArgument, NotFound, StorageFull, StructMemError
from service.errors import ElementTooLarge
from service.interceptors.statuses import DETAILS, status_of

texts = st.text(st.characters(exclude_categories=["Cs"]), max_size=2_000) | st.sampled_from(
    ["。" * 900, "🍵" * 500, "%" * 3_000, "\n" * 700]
)
# Longer than what else the metadata may hold of one value.
PAGE_TOKEN = "t" * 400
metadata = st.dictionaries(st.sampled_from(["id", "batch", "namespace", "incident"]), texts, max_size=4)
violations = st.lists(st.builds(FieldViolation, texts, texts), min_size=1, max_size=40)
HEADERS = {":status": "200", "content-type": "application/grpc", "grpc-status": "3", "grpc-accept-encoding": "identity, deflate, gzip"}


def weight(error: StructMemError) -> int:
    """Bytes of all headers of a call that ends with this error, as HTTP/2 counts them (RFC 7540, 6.5.2)."""
    status = status_of(error)
    plain = "".join(chr(sign) for sign in range(0x20, 0x7F) if chr(sign) != "%")
    headers = HEADERS | {
        "grpc-message": urllib.parse.quote(status.message, safe=plain),
        DETAILS: base64.b64encode(status.SerializeToString()).decode(),
        "x-request-id": "x" * 128,
    }
    return sum(len(name) + len(value) + 32 for name, value in headers.items())


def told(error: StructMemError) -> tuple[error_details_pb2.ErrorInfo, error_details_pb2.BadRequest]:
    info, bad = error_details_pb2.ErrorInfo(), error_details_pb2.BadRequest()
    for detail in status_of(error).details:
        detail.Unpack(info)
        detail.Unpack(bad)
    return info, bad


@given(violations, metadata)
def test_an_error_of_any_text_stays_below_what_clients_take(wrong: list[FieldViolation], more: dict[str, str]) -> None:
    error = InvalidArgument(wrong)
    error.metadata = more
    assert weight(error) < 8_192
    info, bad = told(error)
    assert info.reason == "ERROR_REASON_INVALID_ARGUMENT"
    # The first are told, in their order; where some are left out, it says how many there are.
    assert 1 <= len(bad.field_violations) <= len(wrong)
    assert all(violation.reason.startswith(shown.description[:-1]) for violation, shown in zip(wrong, bad.field_violations, strict=False))
    assert (info.metadata.get("violations") == str(len(wrong))) == (len(bad.field_violations) < len(wrong))


@given(texts, metadata)
def test_a_message_of_any_text_stays_below_what_clients_take(text: str, more: dict[str, str]) -> None:
    for kind in (NotFound, StorageFull):
        error = kind(text, metadata=more)
        assert weight(error) < 8_192
        message = status_of(error).message
        assert message == text or (message.endswith(" …") and text.startswith(message[:-2]))


def test_a_token_that_goes_on_after_what_is_too_large_is_never_cut() -> None:
    error = ElementTooLarge("msg_1", 4_000_000, 3_000_000, PAGE_TOKEN)
    info, _ = told(error)
    assert info.metadata["next_page_token"] == PAGE_TOKEN
    assert weight(error) < 8_192


def test_what_is_short_is_told_whole() -> None:
    error = InvalidArgument([FieldViolation(f"messages[{n}].text", "is required") for n in range(16)])
    info, bad = told(error)
    assert len(bad.field_violations) == 16
    assert not info.metadata
    assert status_of(error).message == str(error)


async def test_a_client_that_takes_no_more_than_8_kib_is_told_what_is_wrong_in_japanese(
    tmp_path: Path, running: Callable[..., Any], refused: Callable[..., Any]
) -> None:
    labels = {"会議の議事録" * 16: "長い" * 251}
    messages = [pb.MessageInput(speaker="花子", text="こんにちは", labels=labels) for _ in range(16)]
    request = pb.AppendMessagesRequest(namespace="acme", session="s", messages=messages, create_namespace=True)
    limits = [("grpc.max_metadata_size", 8_192), ("grpc.absolute_max_metadata_size", 8_192)]
    async with running(tmp_path) as service, grpc.aio.insecure_channel(service.application.address, options=limits) as channel:
        stub = memory_service_pb2_grpc.MemoryServiceStub(channel)
        refusal = await refused(stub.AppendMessages(request, metadata=(("x-request-id", "r" * 128),)))
        assert refusal.code is grpc.StatusCode.INVALID_ARGUMENT
        assert refusal.info.metadata["violations"] == "16"
        assert f"messages[0].labels[{next(iter(labels))[:80]}"[:60] in next(iter(refusal.fields))
