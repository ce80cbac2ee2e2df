"""Page and consistency tokens: signed, bound, passing."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st
from structmem.v1 import memory_service_pb2 as pb

from graph.errors import InvalidArgument
from graph.model import NO_EMBEDDING, ExtractionMode, Namespace
from service.consistency_tokens import ConsistencyTokens
from service.errors import RevisionNotReached
from service.page_tokens import PageTokens
from service.tokens import BadToken, Signer

KEY = b"k" * 32
NOON = datetime(2024, 5, 1, 12, tzinfo=UTC)


def pages(now: datetime = NOON, key: bytes = KEY) -> PageTokens:
    return PageTokens(key, lambda: now)


def listing(**fields: object) -> pb.ListMessagesRequest:
    return pb.ListMessagesRequest(namespace="acme", **fields)  # type: ignore[arg-type]


def test_a_page_token_gives_back_its_cursor() -> None:
    token = pages().make(listing(speakers=["Ana"]), "uid", (12, "msg_x"))
    assert pages().read(listing(speakers=["Ana"], page_token=token, page_size=7), "uid") == (12, "msg_x")
    assert pages().make(listing(), "uid", None) == ""
    assert pages().read(listing(), "uid") is None


def test_a_page_token_holds_for_its_request_and_namespace_only() -> None:
    token = pages().make(listing(speakers=["Ana"]), "uid", (1,))
    others = [
        (listing(speakers=["Bo"], page_token=token), "uid"),
        (listing(speakers=["Ana"], page_token=token), "another"),
        (pb.ListStatementsRequest(namespace="acme", speakers=["Ana"], page_token=token), "uid"),
    ]
    for request, uid in others:
        with pytest.raises(InvalidArgument, match="page_token"):
            pages().read(request, uid)


def test_a_page_token_expires_after_a_day() -> None:
    request = listing(page_token=pages().make(listing(), "uid", (1,)))
    assert pages(NOON + timedelta(hours=23)).read(request, "uid") == (1,)
    with pytest.raises(InvalidArgument, match="expired"):
        pages(NOON + timedelta(hours=25)).read(request, "uid")


def test_a_token_of_another_store_or_kind_is_refused() -> None:
    foreign = pages(key=b"x" * 32).make(listing(), "uid", (1,))
    other_kind = ConsistencyTokens(KEY).make("uid", 1)
    for token in (foreign, other_kind, "nonsense", "é", "AAAA"):
        with pytest.raises(InvalidArgument, match="page_token"):
            pages().read(listing(page_token=token), "uid")


@given(st.text(), st.binary())
def test_no_text_is_taken_for_a_token(text: str, data: bytes) -> None:
    signer = Signer(KEY, "page")
    for token in (text, data.hex()):
        with pytest.raises(BadToken):
            signer.open(token)


@given(st.integers(0, 60), st.integers(0, 7))
def test_a_changed_token_is_refused(place: int, bit: int) -> None:
    signer = Signer(KEY, "page")
    token = bytearray(signer.seal(["a", 1, "some longer payload so that there is enough of it"]).encode())
    token[place] ^= 1 << bit
    with pytest.raises(BadToken):
        signer.open(token.decode("latin-1"))


def test_a_consistency_token_asks_for_its_revision() -> None:
    tokens = ConsistencyTokens(KEY)
    namespace = Namespace("acme", "uid", NO_EMBEDDING, ExtractionMode.OFF, NOON, revision=5)
    other = replace(namespace, name="team", uid="other", revision=2)
    tokens.require("at_least", [], [namespace])
    tokens.require("at_least", [tokens.make("uid", 5), tokens.make("other", 2)], [namespace, other])
    tokens.require("at_least", [tokens.make("elsewhere", 9)], [namespace, other])
    for ahead in ([tokens.make("uid", 6), tokens.make("other", 2)], [tokens.make("uid", 5), tokens.make("other", 3)]):
        with pytest.raises(RevisionNotReached):
            tokens.require("at_least", ahead, [namespace, other])
    with pytest.raises(InvalidArgument, match=r"at_least\[1\]"):
        tokens.require("at_least", [tokens.make("uid", 5), "forged"], [namespace])
