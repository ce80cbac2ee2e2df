"""Queries that are turns of a running session, and queries that see only what was said before they were asked."""

from datetime import timedelta

import numpy as np
import pytest

from graph.errors import InvalidArgument
from graph.model import MemoryFilter, Message, Role, Statement, to_micros
from graph.retrieval import MissReason, RetrievalAnswer, explain_miss
from graph.retrieval.finding.as_asked import said_before
from graph.store.port import AppendCommand, MessageDraft
from tests.graph.retrieval.conftest import SPRING

AUTUMN = SPRING + timedelta(days=150)


def texts(answer: RetrievalAnswer) -> list[str]:
    return [hit.node.text for hit in answer.hits]


def sessions(answer: RetrievalAnswer) -> set[str]:
    return {hit.node.session for hit in answer.hits}


async def test_what_stands_in_the_running_session_is_left_out_unless_the_filter_names_it(extracted) -> None:
    assert sessions(await extracted.retrieve("Nala says woof", k=20)) == {"spring", "autumn"}
    assert sessions(await extracted.retrieve("Nala says woof", k=20, session="autumn")) == {"spring"}
    both = MemoryFilter(sessions=("spring", "autumn"))
    assert sessions(await extracted.retrieve("Nala says woof", k=20, session="autumn", filter=both)) == {"spring", "autumn"}
    # A session that begins with this very turn is not stored yet.
    assert sessions(await extracted.retrieve("Nala says woof", k=20, session="new")) == {"spring", "autumn"}


async def test_sessions_and_memories_can_be_left_out(extracted) -> None:
    found = await extracted.retrieve("Nala the puppy", k=20)
    first = found.hits[0].node.id
    left = await extracted.retrieve("Nala the puppy", k=20, filter=MemoryFilter(not_ids=(first,)))
    assert first not in {hit.node.id for hit in left.hits}
    assert left.hits
    assert sessions(await extracted.retrieve("Nala the puppy", k=20, filter=MemoryFilter(not_sessions=("spring",)))) == {"autumn"}


async def test_an_explained_miss_names_what_left_it_out(extracted) -> None:
    puppy = extracted.messages["spring"][3]
    for fields, told in (
        ({"session": "spring"}, ("not_sessions",)),
        ({"filter": MemoryFilter(not_ids=(puppy,))}, ("not_ids",)),
        ({"as_asked": True, "asked_at": SPRING}, ("said",)),
    ):
        miss = await explain_miss(extracted.store, extracted.request("Nala the puppy", **fields), puppy, extracted.embedder)
        assert (miss.reason, miss.filtered_by) == (MissReason.FILTERED, told)


async def test_what_was_said_later_is_neither_returned_nor_lends_anything(extracted) -> None:
    asked_at = SPRING + timedelta(minutes=4)
    answer = await extracted.retrieve("How old is the puppy Nala?", k=20, as_asked=True, asked_at=asked_at)
    assert answer.hits
    for hit in answer.hits:
        assert (hit.node.sent_at if isinstance(hit.node, Message) else hit.node.said_at) < asked_at
        lenders = {part.from_id for part in hit.explanation.contributions} - {""}
        nodes = await extracted.store.namespace("home").get_nodes(sorted(lenders))
        assert all((node.sent_at if isinstance(node, Message) else node.said_at) < asked_at for node in nodes.values())
    assert len((await extracted.retrieve("How old is the puppy Nala?", k=20)).hits) > len(answer.hits)


def test_a_statement_that_rests_on_a_later_message_goes_with_it(columns, memory) -> None:
    early, late = to_micros(SPRING), to_micros(SPRING + timedelta(hours=2))
    whole = columns(
        [
            memory("the lake", said_at=early),
            memory("a ferry crosses it", said_at=late),
            memory("a ferry crosses the lake", said_at=early, rests_on=(0, 1)),
            memory("there is a lake", said_at=early, rests_on=(0,)),
        ],
        ("lake", "ferri"),
    )
    left = said_before(whole, SPRING + timedelta(hours=1))
    assert list(left.ids) == [whole.ids[0], whole.ids[3]]
    assert left.next.tolist() == [-1, -1]
    assert left.passage_row.tolist() == [0, 1]
    assert np.array_equal(left.term_counts, whole.term_counts[[0, 3]])
    assert (left.statement_row.tolist(), left.message_row.tolist()) == ([1], [0])
    assert said_before(whole, SPRING + timedelta(hours=3)) is whole


async def test_the_last_turns_tell_what_a_turn_without_words_is_about(world) -> None:
    turn = "and what about that one?"
    await world.store.namespace("home").append(
        AppendCommand(
            "now", (MessageDraft("Ana", Role.USER, "Tell me of the sunrise over the lake", AUTUMN + timedelta(days=9)),), timedelta(0)
        )
    )
    asked_at = AUTUMN + timedelta(days=10)

    async def cosine(session: str, turns: tuple[str, ...] = ()) -> float:
        answer = await world.retrieve(turn, k=20, session=session, turns=turns, asked_at=asked_at)
        painted = [part for hit in answer.hits if "painted" in hit.node.text for part in hit.explanation.contributions]
        return max((part.raw for part in painted if part.signal == "dense"), default=0.0)

    unknown, stored = await cosine("elsewhere"), await cosine("now")
    given = await cosine("elsewhere", ("What did she paint?", "A sunrise over the lake"))
    assert stored > unknown
    assert given > unknown


async def test_of_equal_memories_a_turn_finds_the_later_one_first(world) -> None:
    for number, session in enumerate(("first", "second")):
        draft = MessageDraft("Ana", Role.USER, "The harpsichord needs tuning", SPRING + timedelta(days=60 * number))
        await world.store.namespace("home").append(AppendCommand(session, (draft,), timedelta(0)))
    answer = await world.retrieve("harpsichord tuning", session="running", asked_at=SPRING + timedelta(days=70))
    first, second = answer.hits[:2]
    assert (first.node.session, second.node.session) == ("second", "first")
    told = {part.signal: part for part in first.explanation.contributions}["recency"]
    assert told.raw == pytest.approx(10, abs=0.01)
    assert first.score > second.score
    without = await world.retrieve("harpsichord tuning", asked_at=SPRING + timedelta(days=70))
    assert "recency" not in {part.signal for hit in without.hits for part in hit.explanation.contributions}


async def test_a_turn_explains_its_score(extracted) -> None:
    for hit in (await extracted.retrieve("Nala", k=20, session="autumn", turns=("A puppy!",), as_asked=True)).hits:
        assert isinstance(hit.node, Message | Statement)
        assert abs(sum(part.points for part in hit.explanation.contributions) - hit.score) < 1e-9


async def test_turns_without_a_session_are_refused(world) -> None:
    with pytest.raises(InvalidArgument) as refused:
        await world.retrieve("x", turns=("hello",))
    assert refused.value.violations[0].field == "turns"
