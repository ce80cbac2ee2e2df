from datetime import UTC, datetime

from graph.model import Edge, EdgeKind, Event, NodeKind, Participant, Statement, implied_edges

NOW = datetime(2024, 5, 1, tzinfo=UTC)


def test_an_event_implies_its_evidence_statements_and_participants() -> None:
    event = Event(
        "evt_1", "s", "Ana moved", NOW, NOW, ("msg_1",), statement_ids=("fct_1", "rel_1"), participants=(Participant("ent_1", "subject"),)
    )
    assert [(e.kind, e.target_id, dict(e.properties)) for e in implied_edges(event)] == [
        (EdgeKind.EVIDENCED_BY, "msg_1", {"order": "0"}),
        (EdgeKind.STATES, "fct_1", {"order": "0"}),
        (EdgeKind.STATES, "rel_1", {"order": "1"}),
        (EdgeKind.INVOLVES, "ent_1", {"role": "subject"}),
    ]


def test_a_statement_implies_its_evidence_and_mentions() -> None:
    fact = Statement("fct_1", NodeKind.FACT, "s", "Ana moved.", "Ana", NOW, NOW, ("msg_1", "msg_2"), entity_ids=("ent_1",))
    assert list(implied_edges(fact)) == [
        Edge(EdgeKind.EVIDENCED_BY, "fct_1", "msg_1", properties={"order": "0"}),
        Edge(EdgeKind.EVIDENCED_BY, "fct_1", "msg_2", properties={"order": "1"}),
        Edge(EdgeKind.MENTIONS, "fct_1", "ent_1"),
    ]
