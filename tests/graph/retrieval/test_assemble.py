import threading
from datetime import timedelta
from types import SimpleNamespace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from graph.errors import InvalidArgument
from graph.model import MemoryFilter, NodeKind, Role, Statement
from graph.retrieval import CHARACTERS_A_TOKEN, build_context
from graph.retrieval.context.assemble import MAX_MEMORIES, _cut
from graph.retrieval.context.line import Line
from graph.store.port import AppendCommand, MessageDraft
from tests.graph.retrieval.conftest import SPRING, Stated, begin_extraction, extract


def words(text: str) -> int:
    return len(text.split())


def uneven(text: str) -> int:
    """A counter for which the whole is more than its parts, as line breaks can be for a tokenizer."""
    return len(text.split()) + 3 * text.count("\n") ** 2


async def context(world, query: str, budget: int, count=words, max_memories: int = MAX_MEMORIES, **fields):
    request = world.request(query, **fields)
    return await build_context(world.store, [request], world.embedder, budget, count, max_memories=max_memories)


@pytest.mark.parametrize("count", [words, len, uneven])
@pytest.mark.parametrize("budget", [1, 5, 16, 30, 60, 200, 5_000])
async def test_the_budget_is_kept_exactly(extracted, budget: int, count) -> None:
    built = await context(extracted, "What do we know about Nala and the sunrise?", budget, count)
    assert built.token_count == (count(built.text) if built.text else 0) <= budget
    assert built.text == "\n".join(entry.text for entry in built.entries)


async def test_lines_stand_in_order_of_time_with_their_sources(extracted) -> None:
    built = await context(extracted, "Nala sunrise Lisbon", 200)
    assert [e.said_at for e in built.entries] == sorted(e.said_at for e in built.entries)
    assert built.entries[0].text.startswith("2023-05-08 Mon 18:00 Ana: ")
    known = {id_ for ids in extracted.messages.values() for id_ in ids}
    assert all(e.evidence_ids and set(e.evidence_ids) <= known for e in built.entries)
    assert len({e.rank for e in built.entries}) == len(built.entries)


async def test_nothing_is_told_twice(extracted) -> None:
    built = await context(extracted, "Ben adopted a puppy called Nala", 500)
    told = [id_ for e in built.entries for id_ in e.evidence_ids]
    assert len(told) == len(set(told))


async def test_facts_alone_make_a_context(extracted) -> None:
    built = await context(extracted, "puppy", 100, filter=MemoryFilter(kinds=frozenset({NodeKind.FACT})))
    assert built.entries
    assert all(", in short: " in e.text for e in built.entries)


async def test_the_best_memory_is_cut_rather_than_left_out(world) -> None:
    built = await context(world, "Hi Ben! I painted a sunrise over the lake yesterday.", 8)
    assert built.entries[0].text == "2023-05-08 Mon 18:00 Ana: … I painted …"


async def test_no_budget_is_an_error(world) -> None:
    with pytest.raises(InvalidArgument) as refused:
        await context(world, "x", 0)
    assert refused.value.violations[0].field == "token_budget"


@given(st.lists(st.text(alphabet="abc", min_size=1, max_size=8), min_size=1, max_size=40), st.integers(1, 60))
def test_a_cut_line_fits(parts: list[str], budget: int) -> None:
    line = Line(None, f"2023-05-08 Mon 18:00 Ana: {' '.join(parts)}")  # type: ignore[arg-type] # the hit plays no part
    cut = _cut(line, budget, words)
    assert words(cut.text) <= budget


@given(st.integers(1, 60), st.integers(1, 40), st.integers(1, 5))
def test_a_cut_line_keeps_as_many_words_as_fit(length: int, budget: int, width: int) -> None:
    def count(text: str) -> int:
        return width * len(text.split())

    line = Line(None, f"2023-05-08 Mon 18:00 Ana: {' '.join(['word'] * length)}")  # type: ignore[arg-type] # the hit plays no part
    told = line.text.split()
    fitting = [f"{' '.join(told[:n])} …" for n in range(5, len(told)) if count(f"{' '.join(told[:n])} …") <= budget]
    assert _cut(line, budget, count).text == (fitting[-1] if fitting else "")


def test_cutting_a_very_long_line_counts_little_of_it() -> None:
    counted: list[int] = []

    def count(text: str) -> int:
        counted.append(len(text))
        return words(text)

    _cut(Line(SimpleNamespace(), f"2023-05-08 Mon 18:00 Ana: {'word ' * 40_000}"), 100, count)  # type: ignore[arg-type]
    assert sum(counted) < 20_000


@pytest.mark.parametrize(
    "text", ["0f" * 90_000, "漢" * 90_000, "👨‍👩‍👧 " * 30_000, "\u0301" * 90_000], ids=["hex", "han", "families", "marks"]
)
def test_a_line_without_words_is_cut_to_the_characters_that_a_budget_has(text: str) -> None:
    cut = _cut(Line(SimpleNamespace(), f"2023-05-08 Mon 18:00 Ana: {text}"), 100, words)  # type: ignore[arg-type]
    assert 1_000 <= len(cut.text) <= 100 * CHARACTERS_A_TOKEN or len(cut.text.split()) in range(90, 101)
    assert words(cut.text) <= 100


async def test_tokens_are_counted_off_the_event_loop(extracted) -> None:
    counting: set[int] = set()

    def count(text: str) -> int:
        counting.add(threading.get_ident())
        return words(text)

    assert (await context(extracted, "puppy", 100, count)).entries
    assert counting
    assert threading.get_ident() not in counting


LONG = " ".join(f"Sentence {number} is about nothing at all, and says so in as many words as this." for number in range(60))


async def test_of_a_long_message_the_passage_that_fits_is_told(world) -> None:
    text = f"{LONG} The harpsichord was tuned in Antwerp. {LONG}"
    await world.store.namespace("home").append(
        AppendCommand(
            "long", (MessageDraft("Ana", Role.USER, text, SPRING), MessageDraft("Ben", Role.USER, "A harpsichord?", SPRING)), timedelta(0)
        )
    )
    for budget in (250, 600, 1_500):
        built = await context(world, "Where was the harpsichord tuned?", budget)
        told = next(entry for entry in built.entries if entry.speaker == "Ana" and "Sentence" in entry.text)
        assert "The harpsichord was tuned in Antwerp." in told.text
        assert told.text.startswith("2023-05-08 Mon 18:00 Ana: … ")
        assert told.text.endswith(" …")
        assert words(told.text) <= max(budget // 6, 250)
        # What one message does not take is there for others.
        assert budget == 250 or "A harpsichord?" in built.text


async def test_a_long_message_that_fits_its_share_is_told_whole(world) -> None:
    await world.store.namespace("home").append(AppendCommand("long", (MessageDraft("Ana", Role.USER, LONG, SPRING),), timedelta(0)))
    built = await context(world, "Which sentence is about nothing?", 10_000)
    assert any(entry.text.endswith(LONG) for entry in built.entries)


async def test_what_is_told_of_a_message_in_part_or_not_at_all_is_told_by_a_statement(world) -> None:
    """Retrieval alone passes over a statement when its message ranks higher, which then is not told whole."""
    text = f"{LONG} The harpsichord was tuned in Antwerp. {LONG} Cleo paid ninety for it."
    draft = MessageDraft("Ana", Role.USER, text, SPRING)
    await world.store.namespace("home").append(AppendCommand("long", (draft,), timedelta(0)))
    await begin_extraction(world)
    await extract(world, "long", (Stated("Tuning the harpsichord cost ninety.", (0,)), Stated("Ana's harpsichord is tuned.", (0,))))
    query = "Where was the harpsichord tuned in Antwerp?"
    hits = [hit.node for hit in (await world.retrieve(query, k=50)).hits]
    assert any(getattr(node, "session", "") == "long" and node.text == text for node in hits)
    assert not any(isinstance(node, Statement) for node in hits)

    built = await context(world, query, 600)
    told = [entry for entry in built.entries if entry.evidence_ids and "harpsichord" in entry.text]
    assert sorted(", in short: " in entry.text for entry in told) == [False, True]
    # Whole, it says all of it.
    whole = await context(world, query, 20_000)
    assert not any(", in short: " in entry.text for entry in whole.entries)
    assert len((await context(world, query, 600, max_memories=1)).entries) == 1


TOWNS = " ".join(f"I visited town number {town} and met person{town} Smith{town} at the market." for town in range(400))
QUIET = "The weather was mild and nothing much happened on that slow and quiet afternoon by the river. "


@pytest.mark.parametrize("budget", [24, 40, 60, 120])
@pytest.mark.parametrize(
    ("text", "query", "told"),
    [
        (TOWNS, "Who did Ana meet in town number 237?", "town number 237 and met person237"),
        (f"{QUIET * 30}The fountain was repaired by Ludovica. {QUIET * 30}", "Who repairs the fountain?", "repaired by Ludovica."),
        (f"{QUIET.replace('.', ',') * 5}and Ludovica repaired the fountain", "Who repairs the fountain?", "Ludovica repaired the fountain"),
    ],
    ids=["towns", "fountain", "one sentence"],
)
async def test_what_is_told_of_a_long_message_holds_what_the_query_asks_for(world, text: str, query: str, told: str, budget: int) -> None:
    draft = MessageDraft("Ana", Role.USER, text, SPRING)
    await world.store.namespace("home").append(AppendCommand("long", (draft,), timedelta(0)))
    built = await context(world, query, budget)
    [line] = [entry.text for entry in built.entries if told in entry.text]
    assert line.startswith("2023-05-08 Mon 18:00 Ana: … ") or line.endswith(f": {text}")
    assert built.token_count == words(built.text) <= budget
    assert built == await context(world, query, budget)


async def test_with_room_to_spare_the_messages_are_told_instead_of_a_statement(world) -> None:
    said = "With her I run forty kilometres a week now, mostly along the Po before work, and on Sundays in the hills."
    await world.store.namespace("home").append(AppendCommand("run", (MessageDraft("Marco", Role.USER, said, SPRING),), timedelta(0)))
    await begin_extraction(world)
    await extract(world, "run", (Stated("Elena is Marco's coach.", (0,)), Stated("Marco has a coach.", (0,))))
    query = "Is Elena a coach?"
    [best, *_] = (await world.retrieve(query, k=50, recipe="lexical")).hits
    assert isinstance(best.node, Statement)

    short = await context(world, query, 20, recipe="lexical")
    assert [entry.text for entry in short.entries] == ["2023-05-08 Mon 18:00 Marco, in short: Elena is Marco's coach."]
    wide = await context(world, query, 5_000, recipe="lexical")
    [line] = [entry for entry in wide.entries if "Marco" in entry.text]
    assert line.text == f"2023-05-08 Mon 18:00 Marco: {said}"
    assert (line.kind, line.rank, line.evidence_ids) == (NodeKind.MESSAGE, best.rank, (line.node_id,))
    for budget in range(8, 120, 4):
        built = await context(world, query, budget, uneven, recipe="lexical")
        assert built.token_count == uneven(built.text) <= budget
        assert [entry.said_at for entry in built.entries] == sorted(entry.said_at for entry in built.entries)
        told = [entry.kind for entry in built.entries if "Marco" in entry.text]
        assert len(set(told)) <= 1
    # What the filter keeps out is told by no way round.
    facts = await context(world, query, 5_000, recipe="lexical", filter=MemoryFilter(kinds=frozenset({NodeKind.FACT})))
    assert all(", in short: " in entry.text for entry in facts.entries)
    assert len((await context(world, query, 5_000, recipe="lexical", max_memories=1)).entries) == 1
