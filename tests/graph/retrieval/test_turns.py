"""Queries that are turns of a running session, and queries that see only what was said before they were asked."""

from dataclasses import replace
from datetime import datetime, timedelta

import numpy as np
import pytest

from graph.errors import InvalidArgument
from graph.model import Entity, EntityKind, MemoryFilter, Message, Role, Statement, UuidSource, to_micros
from graph.retrieval import RECIPES, MissReason, RetrievalAnswer, explain_miss, read_path, retrieve_many
from graph.retrieval.finding.as_asked import seen_before
from graph.retrieval.finding.search import found
from graph.store.candidates import CandidateQuery
from graph.store.port import AppendCommand, MessageDraft
from graph.text import terms_of
from tests.graph.retrieval.conftest import SPRING, Stated, begin_extraction, extract

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


@pytest.fixture
def one_seed(monkeypatch) -> None:
    """A walk from the best memory and the entities alone, so that it is what leads to the others."""
    monkeypatch.setattr(read_path, "RECIPES", {**RECIPES, "graph": replace(RECIPES["graph"], graph_seeds=1)})


@pytest.mark.usefixtures("one_seed")
@pytest.mark.parametrize("recipe", ["hybrid", "graph", "lexical", "dense"])
async def test_what_was_said_later_is_neither_returned_nor_lends_anything(extracted, recipe: str) -> None:
    query, asked_at = "How old is the puppy Nala?", SPRING + timedelta(minutes=4)
    answer = await extracted.retrieve(query, recipe=recipe, k=20, as_asked=True, asked_at=asked_at)
    assert answer.hits
    told = {hit.node.id for hit in answer.hits}
    for hit in answer.hits:
        told |= {part.from_id for part in hit.explanation.contributions} | {step.node_id for step in hit.explanation.path}
    nodes = (await extracted.store.namespace("home").get_nodes(sorted(told - {""}))).values()
    said = {node.id: node.sent_at if isinstance(node, Message) else node.said_at for node in nodes if not isinstance(node, Entity)}
    assert max(said.values()) < asked_at
    assert len((await extracted.retrieve(query, recipe=recipe, k=20)).hits) > len(answer.hits)


@pytest.mark.usefixtures("one_seed")
async def test_the_walk_is_what_it_was_when_the_later_had_not_been_said(world) -> None:
    """Two facts about an entity, as seen before and after a later one about it and about both sessions came."""
    await begin_extraction(world)
    nala, rex = (Entity(UuidSource().mint("ent"), name, EntityKind.PERSON, SPRING) for name in ("Nala", "Rex"))
    await extract(world, "spring", (Stated("Ben adopted a puppy called Nala.", (3,), (nala,)), Stated("Ana painted a sunrise.", (0,))))
    asked = {"recipe": "graph", "k": 20, "as_asked": True, "asked_at": SPRING + timedelta(days=100)}
    before = await world.retrieve("Did Nala meet Rex?", **asked)
    await extract(world, "autumn", (Stated("Nala and Rex make noises.", (3,), (nala, rex)), Stated("Rex is a river.", (2,), (rex,))))
    after = await world.retrieve("Did Nala meet Rex?", **asked)
    # How rare words are, and how busy Nala is, has changed.
    assert [hit.node.id for hit in after.hits] == [hit.node.id for hit in before.hits]
    assert [hit.explanation.path for hit in after.hits] == [hit.explanation.path for hit in before.hits]
    assert any(hit.explanation.path for hit in before.hits)
    assert (after.plan.entities, set((await world.retrieve("Did Nala meet Rex?")).plan.entities)) == (("Nala",), {"Rex", "Nala"})


async def test_a_statement_goes_that_rests_on_a_later_message_that_nothing_found(world) -> None:
    told = ["The harpsichord was tuned", "Good", "Is it?", "Yes", "Well", "It went to Antwerp"]
    drafts = tuple(MessageDraft("Ana", Role.USER, text, SPRING + timedelta(days=60 + place)) for place, text in enumerate(told))
    await world.store.namespace("home").append(AppendCommand("music", drafts, timedelta(0)))
    await begin_extraction(world)
    whole, early = "Antwerp received it.", "An instrument got in order."
    on = SPRING + timedelta(days=60)
    await extract(world, "music", (Stated(whole, (0, 5), said_at=on), Stated(early, (0,), said_at=on)))
    memory = world.store.namespace("home")
    query = CandidateQuery(tuple(terms_of("harpsichord tuned")), None, MemoryFilter(), dense_limit=0)

    async def facts(asked_at: datetime) -> set[str]:
        candidates = await found(memory, world.request("x", as_asked=True, asked_at=asked_at), query)
        nodes = await memory.get_nodes(list(candidates.ids))
        assert "It went to Antwerp" not in {node.text for node in nodes.values()}
        return {node.text for node in nodes.values() if isinstance(node, Statement)}

    assert await facts(SPRING + timedelta(days=70)) == {whole, early}
    assert await facts(SPRING + timedelta(days=63)) == {early}
    id_ = next(hit.node.id for hit in (await world.retrieve(whole)).hits if hit.node.text == whole)
    request = world.request("harpsichord", as_asked=True, asked_at=SPRING + timedelta(days=63))
    miss = await explain_miss(world.store, request, id_, world.embedder)
    assert (miss.reason, miss.filtered_by) == (MissReason.FILTERED, ("said",))


@pytest.mark.parametrize("recipe", ["hybrid", "graph"])
async def test_what_is_explained_of_a_later_memory_has_no_other_later_ones(extracted, recipe: str) -> None:
    asked = {"recipe": recipe, "as_asked": True, "asked_at": SPRING + timedelta(minutes=4)}
    spring = extracted.messages["spring"]
    # Of the one that is asked about, those before and after it come along.
    told = await explain_miss(extracted.store, extracted.request("Nala woof", **asked), spring[4], extracted.embedder)
    assert (told.reason, told.filtered_by) == (MissReason.FILTERED, ("said",))
    lenders = {part.from_id for part in told.hit.explanation.contributions} - {""}
    assert lenders <= set(spring[:4])
    woof = await explain_miss(extracted.store, extracted.request("Nala woof", **asked), extracted.messages["autumn"][3], extracted.embedder)
    assert (woof.reason, woof.filtered_by) == (MissReason.FILTERED, ("said",))
    assert {part.from_id for part in woof.hit.explanation.contributions} == {""}


async def test_a_statement_that_rests_on_a_later_message_goes_with_it(columns, memory) -> None:
    class AllKnown:
        async def known_before(self, ids, moment):
            return frozenset(ids)

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
    left = await seen_before(AllKnown(), whole, SPRING + timedelta(hours=1))
    assert list(left.ids) == [whole.ids[0], whole.ids[3]]
    assert left.next.tolist() == [-1, -1]
    assert left.passage_row.tolist() == [0, 1]
    assert np.array_equal(left.term_counts, whole.term_counts[[0, 3]])
    assert (left.statement_row.tolist(), left.message_row.tolist()) == ([1], [0])
    assert list((await seen_before(AllKnown(), whole, SPRING + timedelta(hours=3))).ids) == list(whole.ids)
    besides = await seen_before(AllKnown(), whole, SPRING + timedelta(hours=1), whole.ids[2])
    assert (list(besides.ids), besides.eligible.tolist()) == ([whole.ids[0], whole.ids[2], whole.ids[3]], [True, False, True])


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


async def test_a_session_of_several_namespaces_is_refused(world) -> None:
    requests = [world.request("x", session="now"), world.request("x", session="now", namespace="other")]
    with pytest.raises(InvalidArgument) as refused:
        await retrieve_many(world.store, requests, world.embedder)
    assert refused.value.violations[0].field == "session"


async def test_turns_without_a_session_are_refused(world) -> None:
    with pytest.raises(InvalidArgument) as refused:
        await world.retrieve("x", turns=("hello",))
    assert refused.value.violations[0].field == "turns"
