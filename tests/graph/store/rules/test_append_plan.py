from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from graph.errors import DuplicateMessage, RequestReused
from graph.model import Role, UuidSource
from graph.store.port import AppendCommand, MessageDraft
from graph.store.rules.appending import analysed_messages, append_digest, outcome_of, planned_append, stored_outcome
from graph.store.rules.requests import answer_to_repeat

NOON = datetime(2024, 3, 4, 12, 0, tzinfo=UTC)


def draft(client_id="", text="", **fields):
    return MessageDraft("Ann", Role.USER, text or f"text of {client_id}", NOON, client_id, **fields)


def command(*drafts, request_id="r"):
    return AppendCommand("s", tuple(drafts), timedelta(0), request_id=request_id)


def planned(*drafts, last_seq=0, known=None):
    return planned_append(last_seq, known or {}, analysed_messages(command(*drafts), UuidSource(), ""))


@given(st.lists(st.sampled_from(["", "a", "b", "c", "d"]), max_size=12), st.integers(0, 1_000))
def test_what_an_append_stored_is_a_duplicate_when_it_comes_again(client_ids, last_seq):
    drafts = [draft(client_id) for client_id in client_ids]
    first = planned(*drafts, last_seq=last_seq)

    distinct = {client_id for client_id in client_ids if client_id}
    assert [item.message.seq for item in first.fresh] == list(range(last_seq + 1, last_seq + 1 + len(first.fresh)))
    assert len(first.fresh) == client_ids.count("") + len(distinct)
    assert [answer.client_id for answer in first.answers] == client_ids

    known = {item.message.client_id: item.message for item in first.fresh if item.message.client_id}
    again = planned(*drafts, last_seq=last_seq + len(first.fresh), known=known)
    assert [item.message.client_id for item in again.fresh] == [client_id for client_id in client_ids if not client_id]
    for before, after in zip(first.answers, again.answers, strict=True):
        if after.client_id:
            assert (after.id, after.seq, after.duplicate) == (before.id, before.seq, True)


@pytest.mark.parametrize(
    "changed",
    [
        {"text": "something else"},
        {"speaker": "Ben"},
        {"role": Role.ASSISTANT},
        {"labels": {"topic": "tea"}},
        {"image_caption": "a cup"},
        {"sent_at": NOON + timedelta(microseconds=1)},
    ],
)
def test_the_same_client_id_with_other_content_is_refused(changed):
    with pytest.raises(DuplicateMessage):
        planned(draft("a"), replace(draft("a"), **changed))


def test_all_messages_that_are_refused_are_told_at_once():
    known = planned(draft("a"), draft("b"), draft("c")).fresh
    changed = [replace(draft(one), text="something else") for one in "ac"]
    with pytest.raises(DuplicateMessage) as refused:
        planned(draft("new"), changed[0], draft("b"), changed[1], known={item.message.client_id: item.message for item in known})
    assert refused.value.metadata == {"client_id": "a", "positions": "1,3"}


def test_a_time_that_nobody_gave_is_no_content():
    later = replace(draft("a", sent_at_assumed=True), sent_at=NOON + timedelta(hours=1))
    assert planned(draft("a"), later).answers[1].duplicate
    assert append_digest(command(draft("a", sent_at_assumed=True))) == append_digest(command(later))
    assert append_digest(command(draft("a"))) != append_digest(command(replace(later, sent_at_assumed=False)))


def test_a_stored_outcome_says_all_that_the_outcome_said():
    outcome = planned(draft("a"), draft("a"), draft()).outcome(7, "job_1", "uid")
    assert outcome_of(stored_outcome(outcome), "uid") == outcome


def test_a_repeat_gets_its_answer_until_it_expires_and_another_body_is_refused():
    stored = (b"digest", b"[1]", 1_000)
    assert answer_to_repeat(stored, 999, "r", b"digest") == [1]
    assert answer_to_repeat(stored, 1_000, "r", b"digest") is None
    assert answer_to_repeat(None, 0, "r", b"digest") is None
    assert answer_to_repeat((None, None, None), 0, "r", b"digest") is None
    with pytest.raises(RequestReused):
        answer_to_repeat(stored, 999, "r", b"other")
