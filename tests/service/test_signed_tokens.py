"""Page and consistency tokens: signed, bound, passing."""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st
from structmem.v1 import memory_service_pb2 as pb

from graph.errors import InvalidArgument, RevisionNotReached
from graph.store.port import ConsistencyPoint
from graph.store.rules.consistency import require_revision
from service.consistency_tokens import ConsistencyTokens
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
    other_kind = ConsistencyTokens(KEY).make("acme", ConsistencyPoint("uid", 1))
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


def test_consistency_tokens_of_several_namespaces_go_together() -> None:
    tokens = ConsistencyTokens(KEY)
    old, new = ConsistencyPoint("uid", 5, ("before",)), ConsistencyPoint("uid", 6, ("bookmark",))
    gone, other = ConsistencyPoint("deleted", 5_000), ConsistencyPoint("elsewhere", 9)
    points = tokens.points("at_least", [tokens.make("acme", one) for one in (gone, new, old)] + [tokens.make("other", other)])
    assert points["other"] == other
    assert points["acme"].position == ("bookmark", "before")
    require_revision(points["acme"], "uid", 6)
    with pytest.raises(RevisionNotReached):
        require_revision(points["acme"], "uid", 5)
    assert tokens.points("at_least", []) == {}


def test_what_is_no_consistency_token_is_named() -> None:
    tokens = ConsistencyTokens(KEY)
    for bad in ("forged", "é", "AAAA", ""):
        with pytest.raises(InvalidArgument, match=r"at_least\[1\]"):
            tokens.points("at_least", [tokens.make("acme", ConsistencyPoint("uid", 5)), bad])
