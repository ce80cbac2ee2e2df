"""What changes, from the messages to the answer."""

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from graph.model import (
    DISTANT_PAST,
    AsOf,
    EdgeKind,
    ExtractionMode,
    ExtractorSpec,
    JobKind,
    MemoryFilter,
    NodeKind,
    Statement,
    Supersession,
)
from graph.retrieval import RetrievalRequest, retrieve
from graph.store.port import Deletion, GenerationStart, Reversal, StatementQuery
from tests.extract.consolidate.talk import EMBEDDER, START, Talk

LATER = START + timedelta(days=60)
WHEN = "when is the launch of the portal?"
FIRST = "The portal launch is on 3 June."
SECOND = "The portal launch was moved to 9 June."
THIRD = "The portal launch was postponed to 20 June."


@pytest.fixture
async def talk(store: Any, clock: Any) -> Talk:
    talk = await Talk(store, clock).create()
    await talk.say((FIRST, "The portal launch needs a speaker."), "may")
    await talk.say(("We had soup.", SECOND), "later", timedelta(days=3))
    return talk


async def texts(talk: Talk, query: str = WHEN, **more: Any) -> list[str]:
    request = RetrievalRequest("acme/maria", query, 10, "hybrid", MemoryFilter(), LATER, None)
    return [hit.node.text for hit in (await retrieve(talk.store, replace(request, **more), EMBEDDER)).hits]


async def replaced(talk: Talk) -> list[Supersession]:
    return [edge for edge in (await talk.memory.supersessions(-1)).edges if edge.kind is EdgeKind.SUPERSEDES]


def before(found: list[str], one: str, other: str) -> bool:
    return found.index(one) < found.index(other)


async def test_what_replaced_it_stands_before_what_was_replaced(talk: Talk) -> None:
    found = await texts(talk)
    assert before(found, SECOND, FIRST)
    await talk.say((THIRD,), "last", timedelta(days=9))
    found = await texts(talk)
    assert before(found, THIRD, SECOND)
    assert before(found, SECOND, FIRST)
    assert "The portal launch needs a speaker." in found


async def test_a_fact_that_was_replaced_is_no_hit_and_stays_in_history(talk: Talk) -> None:
    [edge] = await replaced(talk)
    nodes = await talk.memory.get_nodes([edge.newer_id, edge.older_id])
    older, newer = nodes[edge.older_id], nodes[edge.newer_id]
    assert isinstance(older, Statement)
    assert "3 June" in older.text
    assert "9 June" in newer.text
    assert edge.known_at == newer.said_at
    only_facts = {"filter": MemoryFilter(kinds=frozenset({NodeKind.FACT}))}
    assert older.text not in await texts(talk, **only_facts)
    assert older.text in await texts(talk, "when was the portal launch at first?", **only_facts)


async def test_a_relation_that_says_what_a_fact_says_is_replaced_with_it(store: Any, clock: Any) -> None:
    talk = await Talk(store, clock).create()
    await talk.say(("I live in Ghent with my sister Ana.",), "may")
    await talk.say(("I moved to Bruges.",), "later", timedelta(days=3))
    nodes = await talk.memory.get_nodes([edge.older_id for edge in await replaced(talk)])
    assert {node.kind for node in nodes.values()} == {NodeKind.FACT, NodeKind.RELATION}
    assert all("Ghent" in node.text for node in nodes.values())
    stands = (await talk.memory.list_statements(StatementQuery(as_of=AsOf()), None, 50)).items
    assert not any(statement.text.endswith("lives in Ghent.") for statement in stands)
    assert any("sister" in statement.text for statement in stands)


async def test_the_old_one_is_found_as_of_its_time(talk: Talk) -> None:
    seen = await texts(talk, asked_at=START + timedelta(days=1), as_asked=True)
    assert FIRST in seen
    assert SECOND not in seen
    known = await texts(talk, valid_at=START + timedelta(days=1))
    assert before(known, FIRST, SECOND)


async def test_sessions_that_are_extracted_in_any_order_are_held_against_each_other(store: Any, clock: Any) -> None:
    talk = await Talk(store, clock).create()
    await talk.say((SECOND,), "later", timedelta(days=3))
    await talk.say((FIRST,), "may")
    assert before(await texts(talk), SECOND, FIRST)


async def test_a_correction_never_held(store: Any, clock: Any) -> None:
    talk = await Talk(store, clock).create()
    await talk.say(("The portal launch is on Tuesday.", "Sorry, the portal launch is on Thursday, not Tuesday."))
    [edge] = await replaced(talk)
    assert (edge.reason, edge.valid_from) == ("correction", DISTANT_PAST)


async def test_when_what_replaced_it_is_deleted_it_stands_again(talk: Talk) -> None:
    [edge] = await replaced(talk)
    later = (await talk.memory.get_nodes([edge.newer_id]))[edge.newer_id]
    assert isinstance(later, Statement)
    await talk.memory.delete(Deletion(memory_ids=later.evidence_ids))
    assert await replaced(talk) == []
    assert (await texts(talk))[0] == FIRST


async def test_another_extraction_finds_it_again(talk: Talk) -> None:
    await talk.memory.begin_generation(GenerationStart(ExtractorSpec("other", "v1", ExtractionMode.EVENT)))
    assert (await talk.memory.supersessions(-1)).edges == ()
    for session in ("may", "later"):
        await talk.memory.flush(session)
    await talk.run(JobKind.EXTRACTION)
    assert len(await replaced(talk)) == 1


async def test_summaries_tell_what_holds_once_it_was_replaced(store: Any, clock: Any) -> None:
    talk = await Talk(store, clock).create()
    await talk.say(("I live in a small flat in Bern.", "My cat is called Pickle."), "may")
    await talk.consolidate()
    assert any("Bern" in one.text for one in await talk.summaries())
    await talk.say(("I moved to Basel last week.",), "later", timedelta(days=3))
    stale = await talk.summaries(stale=True)
    assert stale
    await talk.consolidate()
    told = [one.text for one in await talk.summaries()]
    assert not any("Bern" in text for text in told)
    assert any("Basel" in text for text in told)
    assert any("Pickle" in text for text in told)
    await talk.holds()


SITTER, OTHER_SITTER = "Our babysitter is Lotte.", "Frieda is our babysitter these days."


async def sitters(talk: Talk) -> list[str]:
    """Who is named by the hits, messages and what is stated by them, in their order."""
    found = await texts(talk, "who is our babysitter?")
    return list(dict.fromkeys(name for text in found for name in ("Frieda", "Lotte") if name in text))


async def test_what_may_have_replaced_it_comes_first_now_and_hides_nothing(store: Any, clock: Any) -> None:
    talk = await Talk(store, clock).create()
    await talk.say((SITTER, "We had soup."), "may")
    await talk.say(("The roses need water.", OTHER_SITTER), "later", timedelta(days=30))
    [edge] = (await talk.memory.supersessions(-1)).edges
    assert edge.kind is EdgeKind.MAY_SUPERSEDE
    nodes = await talk.memory.get_nodes([edge.newer_id, edge.older_id])
    assert [nodes[id_].text for id_ in (edge.newer_id, edge.older_id)] == [OTHER_SITTER, SITTER]
    assert await sitters(talk) == ["Frieda", "Lotte"]
    await talk.memory.revert(Reversal(edge.newer_id, edge.older_id))
    assert (await talk.memory.supersessions(-1)).edges == ()
