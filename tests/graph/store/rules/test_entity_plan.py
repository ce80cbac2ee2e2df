from datetime import UTC, datetime
from itertools import count

from hypothesis import given
from hypothesis import strategies as st

from graph.model import Entity, EntityKind
from graph.store.rules.entity_matching import names_of
from graph.store.rules.entity_plan import StoredEntity, names_to_find, planned_entities
from graph.text.names import folded

NOW = datetime(2024, 3, 4, tzinfo=UTC)
NAMES = st.sampled_from(["Ana", "ANA", "Annie", "Ben", "ben ", "Lisbon"])
PROPOSALS = st.lists(st.tuples(NAMES, st.sampled_from(EntityKind), st.lists(NAMES, max_size=2)), max_size=8)


def proposed(parts):
    return [Entity(f"p{number}", name, kind, NOW, tuple(aliases)) for number, (name, kind, aliases) in enumerate(parts)]


class Stored:
    """What a store holds after it carried out plans."""

    def __init__(self):
        self.entities = {}
        self._keys = count(1)

    def take(self, proposals):
        wanted = names_to_find(proposals)
        found = [
            (name, entity) for name in wanted for entity in self.entities.values() if name in map(folded, (entity.name, *entity.aliases))
        ]
        plan = planned_entities(proposals, found, lambda: next(self._keys))
        for key, entity in plan.new.items():
            self.entities[key] = StoredEntity(key, entity.kind, entity.id, entity.name, entity.aliases)
        for key, kind in plan.kinds.items():
            assert self.entities[key].kind == EntityKind.UNKNOWN
            self.entities[key] = self.entities[key]._replace(kind=kind)
        for key, (name, *aliases) in plan.names.items():
            assert name == self.entities[key].name
            self.entities[key] = self.entities[key]._replace(aliases=aliases)
        assert plan.names.keys() == plan.added_names.keys()
        return plan


@given(PROPOSALS)
def test_each_proposal_is_an_entity_that_bears_its_names_and_no_other_kind(parts):
    stored, proposals = Stored(), proposed(parts)
    plan = stored.take(proposals)
    assert plan.keys.keys() == {proposal.id for proposal in proposals}
    for proposal in proposals:
        entity = stored.entities[plan.keys[proposal.id]]
        assert set(map(folded, names_of(proposal))) <= set(map(folded, (entity.name, *entity.aliases)))
        assert proposal.kind in (entity.kind, EntityKind.UNKNOWN)


@given(PROPOSALS)
def test_the_same_proposals_make_no_further_entities(parts):
    stored, proposals = Stored(), proposed(parts)
    stored.take(proposals)
    known = {proposal.kind: proposal for proposal in proposals if proposal.kind is not EntityKind.UNKNOWN}
    again = stored.take(list(known.values()))
    assert not again.new
    assert not again.kinds


def test_a_new_name_is_added_and_a_kind_that_was_unknown_is_told():
    stored = Stored()
    stored.take(proposed([("Ana", EntityKind.UNKNOWN, [])]))
    plan = stored.take(proposed([("ana", EntityKind.PERSON, ["Annie"])]))
    assert (plan.new, plan.kinds, plan.names) == ({}, {1: EntityKind.PERSON}, {1: ["Ana", "Annie"]})
    assert plan.added_names == {1: ("p0", ["Annie"])}
