from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from graph.errors import InvalidArgument
from graph.model import NodeKind
from graph.store.port import Deletion, DeletionReceipt
from graph.store.rules.deleting import check_deletion, deleted_counts, missing_ids, newly_doomed, receipt_of, stored_receipt

# A small graph: events by name with what they state, and statements with the messages that they rest on.
GRAPHS = st.tuples(
    st.dictionaries(st.sampled_from("EFG"), st.sets(st.sampled_from("abcd"), min_size=1), max_size=3),
    st.dictionaries(st.sampled_from("abcd"), st.sets(st.integers(1, 3), min_size=1)),
)


def closure(doomed, events, evidence):
    doomed = set(doomed)
    fresh = list(doomed)
    while fresh:
        dependents = [node for node, messages in evidence.items() if messages & set(fresh)]
        dependents += [node for event in fresh if event in events for node in events[event]]
        stating = {event: stated for event, stated in events.items() if stated & set(fresh)}
        fresh = newly_doomed(doomed, dependents, stating)
        assert not doomed & set(fresh)
        doomed |= set(fresh)
    return doomed


@given(GRAPHS, st.sets(st.sampled_from(["E", "F", "a", "b", 1, 2])))
def test_nothing_is_left_that_rests_on_what_goes_and_nothing_else_goes(graph, named):
    events, evidence = graph
    gone = closure(named, events, evidence)
    for node, messages in evidence.items():
        assert node in gone or not messages & gone
    for event, stated in events.items():
        assert stated <= gone if event in gone else not stated <= gone
    for node in gone - named:
        rests = evidence.get(node, set()) & gone
        stated_by_gone = any(node in stated and event in gone for event, stated in events.items())
        assert rests or stated_by_gone or events.get(node, {0}) <= gone


def test_either_memories_or_a_session_are_named():
    check_deletion(Deletion(memory_ids=("m",)))
    check_deletion(Deletion(session="s"))
    for deletion in (Deletion(), Deletion(("m",), "s")):
        with pytest.raises(InvalidArgument, match="memory_ids"):
            check_deletion(deletion)


def test_missing_ids_are_told_once_in_the_order_in_which_they_were_named():
    deletion = Deletion(memory_ids=("z", "a", "entity", "z"))
    assert missing_ids(deletion, {"a": 1, "entity": 2}, {1}) == ("z", "entity")


def test_a_stored_receipt_says_all_that_the_receipt_said():
    counts = deleted_counts([NodeKind.MESSAGE, NodeKind.FACT, NodeKind.MESSAGE], 0, session=True)
    assert counts == {NodeKind.MESSAGE: 2, NodeKind.FACT: 1, NodeKind.SESSION: 1}
    assert NodeKind.ENTITY not in counts
    receipt = DeletionReceipt("del_1", datetime(2024, 3, 4, 1, 2, 3, 4, tzinfo=UTC), counts, 7, ("z",))
    assert receipt_of(stored_receipt(receipt)) == receipt
