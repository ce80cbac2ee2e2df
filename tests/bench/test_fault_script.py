import itertools
from collections import Counter

from bench.faults.snapshot import Snapshot, compare
from bench.faults.workload import Append, Chats, DeleteSession, DeleteTurns, Flush

MESSAGE = ("message", "ns", "turn-1", "hello")
EDGE = ("edge", "ns", "NEXT", "a", "b")


def test_the_same_seed_writes_the_same_script() -> None:
    first, again, other = Chats("faults/kitchen", 3), Chats("faults/kitchen", 3), Chats("faults/kitchen", 4)

    assert list(first.round()) == list(again.round())
    assert list(first.round()) != list(other.round())


def test_scripts_append_flush_and_delete_only_what_was_extracted() -> None:
    chats = Chats("faults/kitchen", 1)
    rounds = [list(chats.round()) for _ in range(40)]

    kinds = {type(operation) for operations in rounds for operation in operations}
    assert kinds == {Append, Flush, DeleteTurns, DeleteSession}
    for operations in rounds:
        for before, operation in itertools.pairwise(operations):
            if isinstance(operation, (DeleteTurns, DeleteSession)):
                assert isinstance(before, Flush)
                assert before.wait


def _snapshot(*items: tuple[str, ...]) -> Snapshot:
    clients = Counter((item[1], item[2]) for item in items if item[0] == "message")
    return Snapshot(Counter(items), clients)


def test_equal_memories_differ_in_nothing() -> None:
    found = compare(_snapshot(MESSAGE, EDGE), _snapshot(MESSAGE, EDGE), [("ns", "turn-1")])

    assert (found.lost, found.duplicated, found.different) == (0, 0, 0)


def test_a_missing_message_is_lost_and_its_edges_differ() -> None:
    found = compare(_snapshot(), _snapshot(MESSAGE, EDGE), [("ns", "turn-1")])

    assert (found.lost, found.duplicated, found.different) == (1, 0, 1)


def test_a_second_copy_is_a_duplicate() -> None:
    found = compare(_snapshot(MESSAGE, MESSAGE, EDGE), _snapshot(MESSAGE, EDGE), [("ns", "turn-1")])

    assert (found.lost, found.duplicated, found.different) == (0, 1, 0)


def test_other_content_is_different() -> None:
    changed = (*MESSAGE[:3], "goodbye")
    found = compare(_snapshot(changed, EDGE), _snapshot(MESSAGE, EDGE), [("ns", "turn-1")])

    assert (found.lost, found.duplicated, found.different) == (0, 0, 2)
    assert len(found.examples) == 2
