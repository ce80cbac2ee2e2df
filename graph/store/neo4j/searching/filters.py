"""A query's filter in the three forms in which Neo4j can apply it: on any node, inside the vector index, inside the full-text index."""

from collections.abc import Iterable, Sequence
from typing import Any

from graph.model import MEMORY_KINDS, MemoryFilter, TimeRange, to_micros
from graph.model.filters import LabelCondition
from graph.store.neo4j.rows.conditions import label_values, labels_pass
from graph.store.neo4j.rows.search_tokens import kind_facet, label_facets, session_facet, speaker_facet

# One text for all filters, so that Neo4j plans each query of a search once: it takes up to a second. For the same reason the values come in
# one map: of a list that is a parameter itself every magnitude of its length has a plan of its own, and null has another.
# Statements happened in their time, or when they were said where that is not known; messages when they were said. An instant is a span of
# one microsecond.
_COLUMNS = """($filter.kinds IS NULL OR m.kind IN $filter.kinds) AND ($filter.sessions IS NULL OR m.session IN $filter.sessions)
    AND ($filter.not_sessions IS NULL OR NOT m.session IN $filter.not_sessions)
    AND ($filter.speakers IS NULL OR m.speaker IN $filter.speakers)
    AND ($filter.said IS NULL OR (m.said_at >= $filter.said[0] AND m.said_at < $filter.said[1]))
    AND ($filter.happened IS NULL OR CASE m.kind
        WHEN 'MESSAGE' THEN m.said_at >= $filter.happened[0] AND m.said_at < $filter.happened[1]
        ELSE m.starts_at < $filter.happened[1] AND (m.ends_at > $filter.happened[0] OR m.starts_at >= $filter.happened[0]) END)"""

# A statement passes when one of its messages has labels that pass. Not in every text: its subqueries would make all plans larger.
_LABELS = f"""CASE WHEN m:Message THEN {labels_pass("m", "$filter.labels")}
    WHEN m:Passage THEN EXISTS {{ MATCH (o:Message)-[:HAS_PASSAGE]->(m) WHERE {labels_pass("o", "$filter.labels")} }}
    ELSE EXISTS {{ MATCH (m)-[:EVIDENCED_BY]->(o:Message) WHERE {labels_pass("o", "$filter.labels")} }} END"""

# As for labels: a further passage stands for its message.
_NOT_IDS = """CASE WHEN m:Passage THEN NOT EXISTS { MATCH (o:Message)-[:HAS_PASSAGE]->(m) WHERE o.id IN $filter.not_ids }
    ELSE NOT m.id IN $filter.not_ids END"""


class SearchFilter:
    """The filter of one query, for nodes called `m`: memories, or :Passage nodes, which stand for their message.

    Attributes:
        inside: conditions that the vector index applies itself, as a search goes on.
        all: every condition, for what has no index or is not in it.
        of_memories: the conditions on a memory's own properties, for what is no :Passage; `labels` are the others, "true" for none.
        parameters: of both.
        rest: whether `all` says more than `inside`.
        beyond_facets: whether `all` says more than `facets`.
    """

    def __init__(self, chosen: MemoryFilter) -> None:
        self._chosen = chosen
        self.inside = _inside(chosen)
        self.of_memories = f"{_COLUMNS} AND NOT m.id IN $filter.not_ids"
        self.labels = _LABELS if chosen.labels else "true"
        self.all = " AND ".join([_COLUMNS] + [_LABELS] * bool(chosen.labels) + [_NOT_IDS] * bool(chosen.not_ids))
        self.parameters = {"filter": _values(chosen)}
        self.rest = chosen.happened is not None or bool(chosen.labels or chosen.not_sessions or chosen.not_ids)
        # A statement has the label facets of all its messages; that one message has all labels that are asked for is more.
        self.beyond_facets = self.rest or chosen.said is not None

    def facets(self, token: str) -> list[list[str]]:
        """Tokens of which what passes has at least one of each list. They say less than `all`: neither times nor what must be missing."""
        chosen = self._chosen
        required: list[list[str]] = []
        if not chosen.kinds >= MEMORY_KINDS:
            required.append([kind_facet(token, kind) for kind in sorted(chosen.kinds & MEMORY_KINDS)])
        if chosen.sessions:
            required.append([session_facet(token, name) for name in chosen.sessions])
        if chosen.speakers:
            required.append([speaker_facet(token, name) for name in chosen.speakers])
        required += [_label_tokens(token, [condition]) for condition in chosen.labels.all_of]
        if chosen.labels.any_of:
            required.append(_label_tokens(token, chosen.labels.any_of))
        return required


def _inside(chosen: MemoryFilter) -> str:
    terms = ["m.namespace = $namespace"]
    if not chosen.kinds >= MEMORY_KINDS:
        terms.append("m.kind IN $filter.kinds")
    if chosen.sessions:
        terms.append("m.session IN $filter.sessions")
    if chosen.speakers:
        terms.append("m.speaker IN $filter.speakers")
    if chosen.said is not None:
        terms.append("m.said_at >= $filter.said[0] AND m.said_at < $filter.said[1]")
    return " AND ".join(terms)


def _values(chosen: MemoryFilter) -> dict[str, Any]:
    some_kinds = not chosen.kinds >= MEMORY_KINDS
    return {
        "kinds": sorted(kind.name for kind in chosen.kinds & MEMORY_KINDS) if some_kinds else None,
        "sessions": list(chosen.sessions) or None,
        "not_sessions": list(chosen.not_sessions) or None,
        "not_ids": list(chosen.not_ids),
        "speakers": list(chosen.speakers) or None,
        "said": _bounds(chosen.said),
        "happened": _bounds(chosen.happened),
        "labels": label_values(chosen.labels),
    }


def _bounds(range_: TimeRange | None) -> list[int] | None:
    return None if range_ is None else [to_micros(range_.start), to_micros(range_.end)]


def _label_tokens(token: str, conditions: Sequence[LabelCondition]) -> list[str]:
    return [facet for condition in conditions for facet in _facets_of(token, condition)]


def _facets_of(token: str, condition: LabelCondition) -> Iterable[str]:
    if not condition.values:
        return label_facets(token, condition.key, "")[:1]
    return [label_facets(token, condition.key, value)[1] for value in condition.values]
