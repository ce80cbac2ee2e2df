"""Threads find what belongs together across sessions, and keep their ids while new windows come."""

import asyncio
from collections import Counter
from datetime import timedelta

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from extract.consolidate import threads
from extract.consolidate.threads import ThreadChange, ThreadItem, ThreadMembers, ThreadRecipe, changed_threads
from extract.embed.minilm import MiniLmEmbedder
from graph.store.port import Float16Vector
from graph.text import terms_of
from tests.extract.consolidate.groups import SAID

# Two projects and a friendship, told in turns over ten weeks; the words of one sitting are seldom those of the next.
GREENHOUSE = (
    "Ines asked for a budget of a greenhouse of glass behind the kitchen garden.",
    "The glass for the greenhouse costs 900 euros, so Ines compared polycarbonate for its roof.",
    "Ines got the permit for the greenhouse; its foundation is to be poured in the garden.",
    "The foundation of the greenhouse is dry, and the roof of polycarbonate came.",
)
MARATHON = (
    "Ines wants to run the marathon of Porto and asked for a training plan of twelve weeks.",
    "In week three of the training plan Ines ran 18 kilometres and her knee hurt.",
    "Her knee is well again; Ines changed the training plan to shorter runs before the marathon.",
    "Ines ran 30 kilometres in training, two weeks before the marathon in Porto.",
)
FRIEND = (
    "Rui and his daughter Lia will visit Ines at Easter.",
    "Rui called: Lia has the measles, so the visit at Easter is off.",
    "Lia is well, and Rui wants to make up for the visit in June.",
)


def item(name: str, text: str, days: float, session: str = "", vector: Float16Vector | None = None) -> ThreadItem:
    said_at = SAID + timedelta(days=days)
    return ThreadItem(name, Counter(terms_of(text)), said_at, said_at, frozenset({session or name}), vector)


@pytest.fixture(scope="module")
def told() -> list[ThreadItem]:
    """The windows of all stories, with the packaged model's vectors."""
    stories = {"greenhouse": GREENHOUSE, "marathon": MARATHON, "friend": FRIEND}
    embedder = MiniLmEmbedder()
    vectors = asyncio.run(embedder.embed([text for texts in stories.values() for text in texts]))
    embedder.close()
    rows = iter(vectors)
    return [
        item(f"{name} {number}", text, 20 * number + shift, vector=next(rows))
        for shift, (name, texts) in enumerate(stories.items())
        for number, text in enumerate(texts)
    ]


class Memory:
    """Keeps threads as a store would, with ids in the order of their beginning."""

    def __init__(self) -> None:
        self.threads: dict[str, tuple[str, ...]] = {}
        self.items: dict[str, ThreadItem] = {}
        self._count = 0

    def take(self, items: list[ThreadItem]) -> list[ThreadChange]:
        known = [ThreadMembers(id_, tuple(self.items[one] for one in ids)) for id_, ids in sorted(self.threads.items())]
        changes = changed_threads(known, items)
        self.items.update({one.id: one for one in items})
        for change in changes:
            for gone in change.absorbed:
                del self.threads[gone]
            self._count += not change.id
            self.threads[change.id or f"sum_{self._count:04d}"] = change.item_ids
        return changes

    def stories(self) -> list[set[str]]:
        return [{name.partition(" ")[0] for name in ids} for ids in self.threads.values()]


def test_projects_and_people_are_told_apart_across_sessions(told: list[ThreadItem]) -> None:
    memory = Memory()
    memory.take(told)
    assert sorted(map(sorted, memory.stories())) == [["friend"], ["greenhouse"], ["marathon"]]


def test_one_window_at_a_time_makes_the_same_threads_and_no_id_changes(told: list[ThreadItem]) -> None:
    memory = Memory()
    owner: dict[str, str] = {}
    for one in sorted(told, key=lambda one: one.said_from):
        memory.take([one])
        for id_, ids in memory.threads.items():
            for name in ids:
                assert owner.setdefault(name, id_) == id_
    assert sorted(map(sorted, memory.stories())) == [["friend"], ["greenhouse"], ["marathon"]]


def test_what_has_nothing_to_do_with_a_thread_leaves_it_alone(told: list[ThreadItem]) -> None:
    memory = Memory()
    memory.take(told)
    (change,) = memory.take([item("quantum", "Bosons and fermions differ in the symmetry of wave functions", 70)])
    assert change == ThreadChange("", ("quantum",))


def test_threads_that_have_become_one_are_joined_and_the_older_id_stays() -> None:
    older = ThreadMembers("sum_1", (item("a", "tickets for the ferry to Corfu", 0),))
    younger = ThreadMembers("sum_2", (item("b", "hotel in the old town with a terrace", 300),))
    apart = ThreadMembers("sum_3", (item("c", "tax return of last year", 301),))
    both = [item(f"d{number}", "ferry tickets to Corfu and hotel in the old town with terrace", 302 + number) for number in range(4)]
    (change,) = changed_threads([older, younger, apart], both)
    assert change.id == "sum_1"
    assert change.absorbed == ("sum_2",)
    assert set(change.item_ids) == {"a", "b", "d0", "d1", "d2", "d3"}


def test_vectors_join_what_shares_no_word() -> None:
    axes = np.eye(32, dtype=np.float16)
    known = [ThreadMembers(f"sum_{place}", (item(f"w{place}", f"word{place}", place, vector=axes[place]),)) for place in range(30)]
    (change,) = changed_threads(known, [item("new", "quite another", 31, vector=axes[7])])
    assert change == ThreadChange("sum_7", ("w7", "new"))


def test_windows_of_one_session_are_drawn_together() -> None:
    known = [ThreadMembers("sum_1", (item("a", "garden glass roof permit", 0, "s"),))]
    text = "permit for the roof of the carport with chimney and gutters"
    assert changed_threads(known, [item("b", text, 1, "t")])[0].id == ""
    assert changed_threads(known, [item("b", text, 1, "s")])[0].id == "sum_1"


def test_a_namespace_of_a_thousand_threads_takes_new_windows() -> None:
    rng = np.random.default_rng(7)
    vectors = rng.normal(size=(1_000, 64)).astype(np.float16)
    known = [
        ThreadMembers(
            f"sum_{place:04d}",
            tuple(
                item(f"{place}-{n}", f"alpha{place} beta{place} common gamma{place}", place / 10, vector=vectors[place]) for n in range(5)
            ),
        )
        for place in range(1_000)
    ]
    new = [item(f"new {place}", f"alpha{place} beta{place} common", 101, vector=vectors[place]) for place in range(0, 1_000, 50)]
    changes = changed_threads(known, new)
    assert [(change.id, change.item_ids[-1], change.absorbed) for change in changes] == [
        (f"sum_{place:04d}", f"new {place}", ()) for place in range(0, 1_000, 50)
    ]


def test_threads_compared_a_few_at_a_time_are_joined_alike(monkeypatch: pytest.MonkeyPatch) -> None:
    rng = np.random.default_rng(3)
    topics = rng.integers(12, size=200)
    centres = rng.normal(size=(12, 32))
    items = [
        item(
            f"w{place}",
            " ".join(f"t{topic}x{word}" for word in rng.integers(8, size=5)),
            place,
            # Some namespaces got vectors late: what has none is joined by its words.
            vector=(centres[topic] + rng.normal(size=32)).astype(np.float16) if place % 4 else None,
        )
        for place, topic in enumerate(topics.tolist())
    ]
    strict = ThreadRecipe(joins=0.95, merges=0.4)  # so that most threads begin alone and are joined
    at_once = changed_threads([], items, strict)
    assert 12 <= len(at_once) < 60
    monkeypatch.setattr(threads, "_MOST_COMPARED", 1)
    assert changed_threads([], items, strict) == at_once


WORDS = st.lists(st.sampled_from(("ant", "bee", "cat", "dog", "elk", "fox", "gnu", "hen")), max_size=5).map(" ".join)


@settings(max_examples=60)
@given(st.lists(st.lists(st.tuples(WORDS, st.integers(0, 90)), max_size=5), max_size=5))
def test_every_window_is_in_exactly_one_thread_whatever_comes(batches: list[list[tuple[str, int]]]) -> None:
    memory, count = Memory(), 0
    for batch in batches:
        items = [item(f"w {count + place}", text, days) for place, (text, days) in enumerate(batch)]
        count += len(items)
        memory.take(items)
        assert sorted(name for ids in memory.threads.values() for name in ids) == sorted(memory.items)
