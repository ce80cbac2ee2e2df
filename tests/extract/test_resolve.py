"""Drafts become nodes and edges: names that are one entity, relations between them, order and cause."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

from extract.entities import short_names
from extract.port import EntityMention, EventDraft, Extraction, Segment, StatementDraft
from extract.resolve import ResolvedExtraction, resolve
from graph.model import EdgeKind, Entity, EntityKind, Granularity, Message, NodeKind, Role, TimeSpan, UuidSource

NOW = datetime(2023, 6, 1, tzinfo=UTC)
SAID = datetime(2023, 5, 17, 9, tzinfo=UTC)
MESSAGES = tuple(
    Message(f"msg_{seq}", "chat", seq, "Maria", Role.USER, "…", SAID + timedelta(minutes=seq), SAID, f"c{seq}") for seq in (1, 2)
)
PERSON, PLACE, UNKNOWN = EntityKind.PERSON, EntityKind.PLACE, EntityKind.UNKNOWN


def _resolved(*events: EventDraft, **more: object) -> ResolvedExtraction:
    return resolve(Extraction(events, **more), Segment("n", "chat", (), MESSAGES, UTC), 3, UuidSource(), NOW)  # type: ignore[arg-type]


def _fact(text: str, *mentions: EntityMention, evidence: tuple[str, ...] = ("msg_1",), time: TimeSpan | None = None) -> StatementDraft:
    return StatementDraft(NodeKind.FACT, text, "Maria", evidence, mentions, time=time)


def _month(number: int) -> TimeSpan:
    return TimeSpan(datetime(2023, number, 1, tzinfo=UTC), datetime(2023, number + 1, 1, tzinfo=UTC), Granularity.MONTH)


def test_statements_and_events_point_at_one_another_and_at_their_evidence() -> None:
    found = _resolved(EventDraft("move", (_fact("Maria moved.", EntityMention("Lisbon", PLACE), evidence=("msg_2", "msg_1", "msg_2")),)))
    [event], [statement], [lisbon] = found.events, found.statements, found.entities
    assert event.statement_ids == (statement.id,)
    assert (statement.event_id, statement.evidence_ids) == (event.id, ("msg_2", "msg_1"))
    assert statement.said_at == event.said_at == SAID + timedelta(minutes=2)
    assert (statement.entity_ids, statement.generation, event.generation, event.recorded_at) == ((lisbon.id,), 3, 3, NOW)


def test_evidence_from_elsewhere_is_refused() -> None:
    found = _resolved(EventDraft("a", (_fact("x", evidence=("msg_9",)),)), EventDraft("b", (_fact("y", evidence=()),)))
    assert (found.statements, found.events) == ((), ())


def _links(found: ResolvedExtraction) -> set[tuple[str, str, str, str]]:
    names = {entity.id: entity.name for entity in found.entities}
    links = (edge for edge in found.edges if edge.kind is EdgeKind.SAME_AS)
    return {
        (names.get(one.source_id, one.source_id), names.get(one.target_id, ""), one.properties["reason"], one.properties["confidence"])
        for one in links
    }


def test_a_first_name_is_linked_with_the_one_full_name_that_begins_with_it_and_stays_an_entity() -> None:
    full, short = EntityMention("Ana Silva", PERSON), EntityMention("Ana", UNKNOWN)
    found = _resolved(EventDraft("a", (_fact("x", full), _fact("y", short))))
    assert [(one.name, one.aliases) for one in found.entities] == [("Ana Silva", ()), ("Ana", ())]
    assert len({one.entity_ids for one in found.statements}) == 2
    assert _links(found) == {("Ana", "Ana Silva", "first name", "0.8")}


def test_a_first_name_that_the_namespace_knows_is_linked_less_surely() -> None:
    ana = Entity("ent_1", "Ana", PERSON, NOW)
    draft = Extraction((EventDraft("a", (_fact("x", EntityMention("Ana Silva", PERSON)),)),))
    assert short_names(draft) == ["Ana"]
    found = resolve(draft, Segment("n", "chat", (), MESSAGES, UTC), 3, UuidSource(), NOW, (ana,))
    assert _links(found) == {("ent_1", "Ana Silva", "first name", "0.6")}


def test_names_of_other_kinds_are_never_linked() -> None:
    mentions = (EntityMention("Paris Hilton", PERSON), EntityMention("Paris", PLACE))
    assert _links(_resolved(EventDraft("a", (_fact("x", *mentions),)))) == set()


def test_what_somebody_is_called_by_is_linked_with_the_name_that_a_relation_gives() -> None:
    nora, maria, boss = EntityMention("Nora", PERSON), EntityMention("Maria", PERSON), EntityMention("Maria's boss", PERSON, "alias")
    draft = StatementDraft(
        NodeKind.RELATION, "Nora is Maria's boss.", "Maria", ("msg_1",), (nora, maria, boss), "boss_of", "Nora", "Maria", confidence=0.8
    )
    found = _resolved(EventDraft("a", (draft,)))
    assert _links(found) == {("Maria's boss", "Nora", "kinship or role", "0.8")}
    [link] = [edge for edge in found.edges if edge.kind is EdgeKind.SAME_AS]
    assert link.via_id == found.statements[0].id


def test_a_fact_that_shortens_relates_its_subject_with_the_entity_that_its_object_begins_with() -> None:
    mentions = (EntityMention("Maria", PERSON), EntityMention("New York", PLACE), EntityMention("Tom", PERSON))
    draft = StatementDraft(
        NodeKind.FACT, "Maria flew to New York with Tom.", "Maria", ("msg_1",), mentions, "flew_to", "Maria", "New York with Tom"
    )
    found = _resolved(EventDraft("a", (draft,)))
    names = {entity.id: entity.name for entity in found.entities}
    [edge] = [edge for edge in found.edges if edge.kind is EdgeKind.RELATES]
    assert (names[edge.source_id], edge.properties["predicate"], names[edge.target_id]) == ("Maria", "flew_to", "New York")


def test_a_first_name_of_two_people_is_neither() -> None:
    mentions = (EntityMention("Ana Silva", PERSON), EntityMention("Ana Costa", PERSON), EntityMention("Ana", PERSON))
    assert [one.name for one in _resolved(EventDraft("a", (_fact("x", *mentions),))).entities] == ["Ana Silva", "Ana Costa", "Ana"]


def test_names_are_compared_without_case_and_the_known_kind_wins() -> None:
    found = _resolved(EventDraft("a", (_fact("x", EntityMention("LISBON", UNKNOWN), EntityMention("Lisbon", PLACE)),)))
    assert [(one.name, one.kind) for one in found.entities] == [("LISBON", PLACE)]


def test_roles_of_assistant_chats_are_no_people() -> None:
    found = _resolved(EventDraft("a", (_fact("x", EntityMention("assistant", PERSON), EntityMention("The user", PERSON)),)))
    assert found.entities == ()


def test_a_relation_draws_an_edge_between_its_ends_with_its_predicate() -> None:
    ana, maria = EntityMention("Ana", PERSON), EntityMention("Maria", PERSON)
    draft = StatementDraft(
        NodeKind.RELATION, "Ana is Maria's boss.", "Maria", ("msg_1",), (ana, maria), "boss_of", "Ana", "Maria", time=_month(3)
    )
    found = _resolved(EventDraft("a", (draft,)))
    [edge] = [edge for edge in found.edges if edge.kind is EdgeKind.RELATES]
    names = {entity.id: entity.name for entity in found.entities}
    assert (names[edge.source_id], names[edge.target_id], edge.via_id) == ("Ana", "Maria", found.statements[0].id)
    assert edge.properties["predicate"] == "boss_of"
    assert edge.properties["valid_from"].startswith("2023-03-01")


def test_messages_mention_entities() -> None:
    found = _resolved(EventDraft("a", (_fact("x"),)), mentions={"msg_1": (EntityMention("Porto", PLACE),), "msg_9": ()})
    [edge] = [edge for edge in found.edges if edge.kind is EdgeKind.MENTIONS]
    assert (edge.source_id, edge.target_id) == ("msg_1", found.entities[0].id)


def test_causes_and_the_order_of_one_messages_dated_events_become_edges() -> None:
    june = EventDraft("june", (_fact("x"),), _month(6))
    march = EventDraft("march", (_fact("y"),), _month(3), causes=(0, 7))
    elsewhere = EventDraft("april, of another message", (_fact("z", evidence=("msg_2",)),), _month(4))
    found = _resolved(june, march, elsewhere)
    ids = [event.id for event in found.events]
    assert {(edge.kind, edge.source_id, edge.target_id) for edge in found.edges} == {
        (EdgeKind.CAUSES, ids[1], ids[0]),
        (EdgeKind.BEFORE, ids[1], ids[0]),
    }


def test_what_events_are_to_each_other_tells_by_which_message_and_how_surely() -> None:
    effect = EventDraft("effect", (replace(_fact("x", evidence=("msg_2",)), confidence=0.9), replace(_fact("z"), confidence=0.4)))
    cause = EventDraft("cause", (replace(_fact("y"), confidence=0.6),), causes=(0,), enables=(0, 1, 9))
    edges = _resolved(effect, cause).edges
    assert [edge.kind for edge in edges] == [EdgeKind.CAUSES, EdgeKind.ENABLES]
    for edge in edges:
        # The later of the two messages: with it both are told.
        assert edge.via_id == "msg_2"
        assert edge.properties == {"source": "stated", "confidence": "0.6"}
