"""No more is read of a store than an answer has room for, and nothing is passed over."""

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from graph.model import JobError, Message
from graph.store.port import PAGE_BYTES, EntityQuery, EventQuery, JobAttemptFailed, JobQuery, MessageQuery, StatementQuery, count_within
from graph.store.rules.node_bytes import node_bytes

LETTERS = {"ascii": "a", "japanese": "茶", "emoji": "🍵"}


async def every_page(list_page):
    """All pages of a listing."""
    pages, cursor = [], None
    while True:
        page = await list_page(cursor)
        pages.append(page.items)
        if page.next is None:
            return pages
        cursor = page.next


@pytest.mark.parametrize("letter", LETTERS.values(), ids=LETTERS)
@pytest.mark.parametrize("sessions", [("s1",), ()], ids=["by-seq", "by-time"])
async def test_a_page_of_long_messages_ends_early_and_the_next_goes_on(bench, letter, sessions):
    texts = [letter * length for length in (10, 3_000, 20_000, 10, 6_000, 3_000, 10)]
    await bench.say(*texts)
    memory = bench.store.namespace(bench.namespace)
    pages = await every_page(lambda cursor: memory.list_messages(MessageQuery(sessions=sessions), cursor, 5, 12_000))
    assert [message.text for page in pages for message in page] == texts
    assert len(pages) > 2
    # Each is within the bound, or holds a single message that is larger.
    assert all(len(page) == 1 or sum(map(node_bytes, page)) <= 12_000 for page in pages)
    assert all(len(page) <= 5 for page in pages)
    # None could have taken the first of the next.
    assert all(len(page) == 5 or sum(map(node_bytes, (*page, following[0]))) > 12_000 for page, following in pairwise(pages))


async def test_pages_of_events_statements_entities_and_sessions_end_early(bench):
    for number in range(3):
        await bench.say(*(f"message {n} " + "word " * 50 for n in range(5)), session=f"s{number}")
        await bench.extract(f"s{number}")
    memory = bench.store.namespace(bench.namespace)
    listings = {
        "events": lambda cursor, size: memory.list_events(EventQuery(), cursor, 100, size),
        "statements": lambda cursor, size: memory.list_statements(StatementQuery(), cursor, 100, size),
        "entities": lambda cursor, size: memory.list_entities(EntityQuery(), cursor, 100, size),
        "sessions": lambda cursor, size: memory.list_sessions(cursor, 100, size),
    }
    for name, listing in listings.items():
        [whole] = await every_page(lambda cursor, listing=listing: listing(cursor, 10**7))
        most = sum(map(node_bytes, whole)) // 2 + 1
        pages = await every_page(lambda cursor, listing=listing, most=most: listing(cursor, most))
        assert [node for page in pages for node in page] == list(whole), name
        assert len(pages) > 1 or len(whole) == 1, name
        assert all(sum(map(node_bytes, page)) <= most or len(page) == 1 for page in pages), name


async def test_pages_of_jobs_end_early(bench):
    for number in range(6):
        await bench.say("Hello", session=f"s{number}")
        lease = await bench.flushed_lease(f"s{number}")
        error = JobError("PROVIDER_UNAVAILABLE", "the model's answer was not to be had. " * 50)
        await bench.store.namespace(bench.namespace).finish_job(lease, JobAttemptFailed(error, None))
    memory = bench.store.namespace(bench.namespace)
    [whole] = await every_page(lambda cursor: memory.list_jobs(JobQuery(), cursor, 100, 10**7))
    most = sum(map(node_bytes, whole)) // 2 + 1
    pages = await every_page(lambda cursor: memory.list_jobs(JobQuery(), cursor, 100, most))
    assert [job for page in pages for job in page] == list(whole)
    assert len(whole) == 6
    assert len(pages) in (2, 3)
    assert all(sum(map(node_bytes, page)) <= most for page in pages)
    # One that has no room comes all the same, alone.
    assert [len(page) for page in await every_page(lambda cursor: memory.list_jobs(JobQuery(), cursor, 100, 1))] == [1] * 6


async def test_without_a_bound_of_its_own_a_page_has_what_one_answer_has_room_for(bench):
    await bench.say(*(f"{number} " + "x" * 190_000 for number in range(20)))
    memory = bench.store.namespace(bench.namespace)
    pages = await every_page(lambda cursor: memory.list_messages(MessageQuery(), cursor, 1_000))
    assert len(pages[0]) > 10
    assert sum(map(len, pages)) == 20
    assert all(sum(map(node_bytes, page)) <= PAGE_BYTES for page in pages)
    assert sum(map(node_bytes, (*pages[0], pages[1][0]))) > PAGE_BYTES


async def test_of_nodes_that_have_no_room_the_ids_are_told_and_smaller_ones_come_all_the_same(bench):
    stored = await bench.say("a" * 100, "b" * 50_000, "c" * 100, "d" * 60_000, "e" * 100)
    ids = [message.id for message in stored.messages]
    memory = bench.store.namespace(bench.namespace)
    missing = bench.ids.mint("msg")
    found = await memory.get_nodes_within([ids[4], ids[1], missing, ids[3], ids[0], ids[2]], 55_000)
    assert list(found.nodes) == [ids[4], ids[1], ids[0], ids[2]]
    assert found.omitted == (ids[3],)
    everything = await memory.get_nodes_within(ids, 10**7)
    assert (list(everything.nodes), everything.omitted) == (ids, ())
    assert dict(everything.nodes) == dict(await memory.get_nodes(ids))


async def test_an_export_of_long_messages_comes_in_batches_that_fit_into_memory(bench):
    await bench.say(*(f"{n} " + "x" * 190_000 for n in range(50)))
    batches = [batch async for batch in bench.store.namespace(bench.namespace).export()]
    sizes = [sum(map(node_bytes, batch)) for batch in batches if isinstance(batch[0], Message)]
    assert max(sizes) < 5_000_000
    assert sum(sizes) > 9_000_000


@given(st.lists(st.integers(0, 100), max_size=30), st.integers(0, 300))
def test_a_page_is_never_empty_and_never_larger_unless_it_holds_one(sizes, limit):
    count = count_within(sizes, limit)
    assert (count == 0) == (not sizes)
    assert sum(sizes[:count]) <= limit or count == 1
    assert count == len(sizes) or sum(sizes[: count + 1]) > limit
