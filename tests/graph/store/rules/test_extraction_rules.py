from dataclasses import replace
from datetime import UTC, datetime

import pytest

from graph.errors import InvalidArgument, NotFound, StaleWrite
from graph.model import Edge, EdgeKind, Event, LinkVerdict, NodeKind, Participant, Statement, UuidSource
from graph.store.port import ExtractionWrite, LinkDecision
from graph.store.rules.extracting import expected_session, outside_ids, require_all
from graph.store.rules.linking import check_entities, decision_properties, heeding_decisions, proposed_pairs, require_entities
from graph.store.rules.listed_edges import ListedEdge, derived_edges
from graph.store.rules.sessions import SessionRow

NOW = datetime(2024, 3, 4, tzinfo=UTC)
EVENT = Event("evt", "s", "Tea", NOW, NOW, ("m1", "m2", "m1"), statement_ids=("old",), participants=(Participant("ana", "subject"),))
FACT = Statement("fact", NodeKind.FACT, "s", "Ana drinks tea", "Ana", NOW, NOW, ("m1",), event_id="evt", entity_ids=("ana", "ana"))
WRITE = ExtractionWrite(
    2, 3, 5, statements=(FACT,), events=(EVENT,), edges=(Edge(EdgeKind.SAME_AS, "ana", "eva", "fact"),), read_ids=("m1", "m3")
)
SESSION = SessionRow(1, "s", "", last_seq=5, extracted_seq=3)


def test_a_write_refers_to_all_that_it_does_not_bring():
    assert outside_ids(WRITE) == {"m1", "m2", "m3", "old", "ana", "eva"}
    require_all({"m1": 1}, ["m1"])
    with pytest.raises(StaleWrite):
        require_all({}, ["m1"])


def test_a_write_is_taken_if_all_is_as_the_worker_saw_it():
    assert expected_session(SESSION, 2, WRITE) is SESSION
    for session, generation in ((None, 2), (replace(SESSION, extracted_seq=4), 2), (replace(SESSION, last_seq=4), 2), (SESSION, 3)):
        with pytest.raises(StaleWrite):
            expected_session(session, generation, WRITE)
    with pytest.raises(StaleWrite, match="generation"):
        expected_session(SESSION, None, WRITE)


def test_nodes_imply_each_edge_once_in_the_order_of_their_lists():
    keys = {id_: key for key, id_ in enumerate(("evt", "fact", "m1", "m2", "old", "ana"))}
    assert derived_edges((FACT,), (EVENT,), keys) == [
        ListedEdge(EdgeKind.EVIDENCED_BY, 0, 2, 0),
        ListedEdge(EdgeKind.EVIDENCED_BY, 0, 3, 1),
        ListedEdge(EdgeKind.STATES, 0, 4, 0),
        ListedEdge(EdgeKind.STATES, 0, 1, 1),
        ListedEdge(EdgeKind.INVOLVES, 0, 5, 0, "subject"),
        ListedEdge(EdgeKind.EVIDENCED_BY, 1, 2, 0),
        ListedEdge(EdgeKind.MENTIONS, 1, 5, 0),
    ]


def test_what_was_decided_to_be_different_is_not_proposed_to_be_the_same():
    keys = {"ana": 1, "eva": 2, "bob": 3}
    edges = [Edge(EdgeKind.SAME_AS, "ana", "eva"), Edge(EdgeKind.SAME_AS, "ana", "bob"), Edge(EdgeKind.RELATES, "ana", "eva")]
    assert proposed_pairs(edges, keys) == [(1, 2), (1, 3)]
    kinds = [edge.kind for edge in heeding_decisions(edges, keys, {(1, 2)})]
    assert kinds == [EdgeKind.DIFFERENT_FROM, EdgeKind.SAME_AS, EdgeKind.RELATES]


def test_a_decision_is_of_two_entities_that_are_there():
    ids = UuidSource()
    ana, eva = ids.mint("ent"), ids.mint("ent")
    decision = LinkDecision(ana, eva, LinkVerdict.SAME, "somebody")
    check_entities(decision)
    require_entities(decision, {ana, eva})
    assert decision_properties(decision, 0) == {
        "decided_at": "1970-01-01T00:00:00+00:00",
        "decided_by": "somebody",
        "confidence": "1.0",
        "reason": "decision",
    }
    assert decision_properties(replace(decision, verdict=LinkVerdict.UNDECIDED), 0) is None
    for other in (ana, ids.mint("msg"), "no id"):
        with pytest.raises(InvalidArgument, match="other_id"):
            check_entities(replace(decision, other_id=other))
    with pytest.raises(NotFound):
        require_entities(decision, {ana})
