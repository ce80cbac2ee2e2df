"""A query's filter in the three forms in which Neo4j can apply it: on any node, inside the vector index, inside the full-text index."""

from collections.abc import Iterable, Sequence

from graph.model import MEMORY_KINDS, MemoryFilter, NodeKind, to_micros
from graph.model.filters import LabelCondition
from graph.store.neo4j.conditions import Conditions
from graph.store.neo4j.search_tokens import kind_facet, label_facets, session_facet, speaker_facet


class SearchFilter:
    """The filter of one query, for nodes called `m`: memories, or :Passage nodes, which stand for their message.

    Attributes:
        inside: conditions that the vector index applies itself, as a search goes on.
        all: every condition, for what has no index or is not in it.
        rest: whether `all` says more than `inside`.
    """

    def __init__(self, chosen: MemoryFilter) -> None:
        self._chosen = chosen
        self.inside = Conditions("m.namespace = $namespace", prefix="f")
        self.all = Conditions(prefix="g")
        for conditions in (self.inside, self.all):
            _add_columns(conditions, chosen)
        _add_happened(self.all, chosen)
        _add_labels(self.all, chosen)
        self.rest = chosen.happened is not None or bool(chosen.labels)

    def __bool__(self) -> bool:
        return bool(self.all)

    @property
    def kinds(self) -> frozenset[NodeKind]:
        """The kinds that may pass."""
        return self._chosen.kinds & MEMORY_KINDS

    def facets(self, token: str) -> list[list[str]]:
        """Tokens of which what passes has at least one of each list. They say less than `all`: neither times nor what must be missing."""
        chosen = self._chosen
        required: list[list[str]] = []
        if not chosen.kinds >= MEMORY_KINDS:
            required.append([kind_facet(token, kind) for kind in sorted(self.kinds)])
        if chosen.sessions:
            required.append([session_facet(token, name) for name in chosen.sessions])
        if chosen.speakers:
            required.append([speaker_facet(token, name) for name in chosen.speakers])
        required += [_label_tokens(token, [condition]) for condition in chosen.labels.all_of]
        if chosen.labels.any_of:
            required.append(_label_tokens(token, chosen.labels.any_of))
        return required

    @property
    def beyond_facets(self) -> bool:
        """Whether `all` says more than `facets`."""
        # A statement has the labels of all its evidence; that one message has all that are asked for is more.
        return self._chosen.said is not None or self._chosen.happened is not None or bool(self._chosen.labels)


def _add_columns(conditions: Conditions, chosen: MemoryFilter) -> None:
    if not chosen.kinds >= MEMORY_KINDS:
        conditions.one_of("m.kind", sorted(kind.name for kind in chosen.kinds & MEMORY_KINDS))
    if chosen.sessions:
        conditions.one_of("m.session", chosen.sessions)
    if chosen.speakers:
        conditions.one_of("m.speaker", chosen.speakers)
    conditions.within("m.said_at", chosen.said)


def _add_happened(conditions: Conditions, chosen: MemoryFilter) -> None:
    """Statements happened in their time, or when they were said where that is not known; messages when they were said."""
    if chosen.happened is not None:
        start, end = conditions.value(to_micros(chosen.happened.start)), conditions.value(to_micros(chosen.happened.end))
        conditions.add(
            f"""CASE m.kind WHEN 'MESSAGE' THEN m.said_at >= {start} AND m.said_at < {end}
            ELSE m.starts_at < {end} AND (m.ends_at > {start} OR m.starts_at >= {start}) END"""
        )


def _add_labels(conditions: Conditions, chosen: MemoryFilter) -> None:
    """A message by its labels; a statement passes when one of its messages does."""
    if chosen.labels:
        own, others = (conditions.labels_term(message, chosen.labels) for message in ("m", "o"))
        conditions.add(
            f"""CASE WHEN m:Message THEN {own}
            WHEN m:Passage THEN EXISTS {{ MATCH (o:Message)-[:HAS_PASSAGE]->(m) WHERE {others} }}
            ELSE EXISTS {{ MATCH (m)-[:EVIDENCED_BY]->(o:Message) WHERE {others} }} END"""
        )


def _label_tokens(token: str, conditions: Sequence[LabelCondition]) -> list[str]:
    return [facet for condition in conditions for facet in _facets_of(token, condition)]


def _facets_of(token: str, condition: LabelCondition) -> Iterable[str]:
    if not condition.values:
        return label_facets(token, condition.key, "")[:1]
    return [label_facets(token, condition.key, value)[1] for value in condition.values]
