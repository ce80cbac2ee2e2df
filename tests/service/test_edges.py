"""What an edge carries: fields of its own in the contract, the same again after an export and an import."""

import pytest
from structmem.v1 import node_pb2

from graph.errors import InvalidArgument
from graph.model import Edge, EdgeKind
from service.convert.edges import edge_to_proto, properties_from_proto
from service.validate import Violations

DECIDED = {"decided_at": "2024-03-05T10:00:00.000123+00:00", "decided_by": "maria", "confidence": "1.0", "reason": "decision"}
RELATES = {"predicate": "boss_of", "valid_from": "2023-03-01T00:00:00+00:00", "valid_until": "2023-04-01T00:00:00+00:00"}


@pytest.mark.parametrize(
    ("kind", "properties"),
    [
        (EdgeKind.SAME_AS, DECIDED),
        (EdgeKind.SAME_AS, {"confidence": "0.8", "reason": "first name"}),
        (EdgeKind.RELATES, RELATES),
        (EdgeKind.RELATES, {"predicate": "boss_of", "valid_from": "2023-03-01T00:00:00+00:00"}),
        (EdgeKind.CAUSES, {"source": "stated"}),
        (EdgeKind.SUPERSEDES, {"reverted_at": "2024-03-05T10:00:00+00:00", "reverted_by": "maria", "decided_by": "local"}),
        (EdgeKind.SAME_AS, {"confidence": "quite", "decided_at": "yesterday", "decided_by": "maria"}),
    ],
)
def test_an_export_and_its_import_keep_all_of_it(kind: EdgeKind, properties: dict[str, str]) -> None:
    found = Violations()
    assert properties_from_proto(found, "edge", edge_to_proto(Edge(kind, "ent_1", "ent_2", "", properties))) == properties
    assert not found


def test_what_is_known_of_an_edge_has_a_field_and_a_type() -> None:
    decided = edge_to_proto(Edge(EdgeKind.SAME_AS, "ent_1", "ent_2", "", DECIDED))
    assert (decided.confidence, decided.reason, decided.decision.decided_by) == (1.0, "decision", "maria")
    assert decided.decision.decided_at.ToJsonString() == "2024-03-05T10:00:00.000123Z"
    assert not decided.properties
    reverted = edge_to_proto(Edge(EdgeKind.REPEATS, "msg_2", "msg_1", "", {"reverted_at": DECIDED["decided_at"], "reverted_by": "maria"}))
    assert (reverted.reverted.decided_by, reverted.reverted.decided_at.ToJsonString()) == ("maria", "2024-03-05T10:00:00.000123Z")
    assert not reverted.properties
    relates = edge_to_proto(Edge(EdgeKind.RELATES, "ent_1", "ent_2", "rel_1", RELATES))
    assert (relates.predicate, relates.valid.start.ToJsonString(), relates.HasField("confidence")) == (
        "boss_of",
        "2023-03-01T00:00:00Z",
        False,
    )


def test_where_a_list_stands_is_told_by_the_list_alone() -> None:
    assert not edge_to_proto(Edge(EdgeKind.STATES, "evt_1", "fct_1", "", {"order": "3"})).properties


def test_times_of_an_old_export_are_written_as_all_others() -> None:
    edge = node_pb2.Edge(kind=node_pb2.EDGE_KIND_SUPERSEDES, properties={"known_at": "2024-03-05T12:00:00+02:00", "valid_from": "soon"})
    told = properties_from_proto(Violations(), "edge", edge)
    assert told == {"known_at": "2024-03-05T10:00:00+00:00", "valid_from": "soon"}


def test_all_that_is_wrong_with_an_edge_is_told_together() -> None:
    found = Violations()
    edge = node_pb2.Edge(confidence=2, reason="x" * 2000, decision=node_pb2.EdgeDecision(decided_by="maria"))
    edge.valid.start.FromJsonString("2024-01-01T00:00:00Z")
    edge.valid.end.FromJsonString("2023-01-01T00:00:00Z")
    properties_from_proto(found, "edge", edge)
    with pytest.raises(InvalidArgument) as caught:
        found.check()
    assert [violation.field for violation in caught.value.violations] == [
        "edge.reason",
        "edge.confidence",
        "edge.valid",
        "edge.decision.decided_at",
    ]
