from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from graph.errors import InvalidArgument
from graph.model import NodeKind
from graph.model.ids import id_of_number
from graph.store.port import DeletedItem, Deletion, DeletionCause, DeletionReceipt, MessageQuery
from graph.store.rules.deleting import FORGOTTEN_NAME, check_deletion, kept_names, missing_ids, newly_doomed, suspicious_names
from graph.store.rules.receipts import chunks, counted, page_of_items, pieces_of_page, receipt_of, stored_receipt, unpacked

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


def test_a_deletion_selects_in_one_way():
    check_deletion(Deletion(memory_ids=("m",)))
    check_deletion(Deletion(session="s"))
    check_deletion(Deletion(messages=MessageQuery(speakers=("Ana",))))
    for deletion in (Deletion(), Deletion(("m",), "s"), Deletion(messages=MessageQuery()), Deletion(("m",), messages=MessageQuery(("s",)))):
        with pytest.raises(InvalidArgument, match="selector"):
            check_deletion(deletion)


def test_missing_ids_are_told_once_in_the_order_in_which_they_were_named():
    deletion = Deletion(memory_ids=("z", "a", "entity", "z"))
    assert missing_ids(deletion, {"a": 1, "entity": 2}, {1}) == ("z", "entity")


def test_a_stored_receipt_says_all_that_the_receipt_said():
    counts = {NodeKind.MESSAGE: 2, NodeKind.FACT: 1, NodeKind.SESSION: 1}
    receipt = DeletionReceipt("del_1", datetime(2024, 3, 4, 1, 2, 3, 4, tzinfo=UTC), counts, 7, ("z",), "ana", 3, b"digest")
    stored = stored_receipt(receipt)
    assert receipt_of(stored) == receipt
    # A request that was answered before receipts were kept.
    assert receipt_of(stored[:5]) == DeletionReceipt(receipt.id, receipt.deleted_at, counts, 7, ("z",))


def items(count):
    return [DeletedItem(id_of_number("fct" if i % 3 else "msg", i), DeletionCause(i % 3 + 1)) for i in range(count)]


@given(st.integers(0, 2_500), st.integers(0, 2_600), st.integers(1, 1_500))
def test_what_a_receipt_lists_is_kept_in_pieces_and_read_in_pages(count, first, limit):
    listed = items(count)
    pieces = chunks(listed)
    assert [item for piece in pieces for item in unpacked(piece)] == listed
    piece, several = pieces_of_page(first, limit)
    page = page_of_items(pieces[piece : piece + several], first, limit)
    assert list(page.items) == listed[first : first + limit]
    assert page.next == ((first + limit,) if count > first + limit else None)


def test_nodes_are_counted_by_kind():
    assert counted(items(4)) == {NodeKind.MESSAGE: 2, NodeKind.FACT: 2}


def test_names_go_that_only_deleted_texts_know():
    names = ("Ana", "Ana Silva", "Aninha")
    assert suspicious_names(names, ["tom: ana silva and aninha came"]) == names
    assert suspicious_names(names, ["tom: hello"]) == ()
    assert kept_names(names, ("Ana", "Ana Silva"), {"Ana"}) == ("Ana", "Aninha")
    assert kept_names(names, names, set()) == (FORGOTTEN_NAME,)
