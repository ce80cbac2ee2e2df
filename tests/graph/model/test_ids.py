import threading
import uuid

import pytest
from hypothesis import given
from hypothesis import strategies as st

from graph.model import PREFIXES, NodeKind, UuidSource, id_of, kind_of, uuid_of


@given(st.uuids(), st.sampled_from(sorted(PREFIXES)))
def test_an_id_gives_back_its_uuid_and_kind(value: uuid.UUID, kind: NodeKind) -> None:
    id_ = id_of(PREFIXES[kind], value)
    assert uuid_of(id_) == value
    assert kind_of(id_) == kind


@given(st.text(max_size=40))
def test_whatever_is_not_an_id_is_a_value_error(text: str) -> None:
    try:
        kind = kind_of(text)
    except ValueError:
        return
    assert text.startswith(PREFIXES[kind] + "_")


@pytest.mark.parametrize(
    "text",
    [
        "",
        "msg",
        "msg_",
        "msg_8zzzzzzzzzzzzzzzzzzzzzzzzz",  # more than 128 bits
        "msg_01M83K8XJXEWVBDXBWK2ZPFGG3",  # TypeIDs are lower case
        "job_01m83k8xjxewvbdxbwk2zpfgg3",  # a job is no node
        "msg_01m83k8xjxewvbdxbwk2zpfggu",  # "u" is not in the alphabet
    ],
)
def test_malformed_ids_are_refused(text: str) -> None:
    with pytest.raises(ValueError, match="not "):
        kind_of(text)


def test_minted_ids_are_version_7_and_ascend() -> None:
    source = UuidSource()
    ids = [source.mint("msg") for _ in range(5_000)]
    assert ids == sorted(set(ids))
    assert {uuid_of(i).version for i in ids} == {7}
    assert {uuid_of(i).variant for i in ids} == {uuid.RFC_4122}


def test_threads_never_mint_the_same_id() -> None:
    source = UuidSource()
    minted: list[str] = []

    def mint() -> None:
        minted.extend([source.mint("evt") for _ in range(2_000)])

    threads = [threading.Thread(target=mint) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(set(minted)) == 8_000
