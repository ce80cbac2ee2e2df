"""What replaced, or repeats, what: from the properties of an edge, and what becomes of edges that somebody reverts."""

from collections.abc import Iterable, Mapping, Sequence, Set
from dataclasses import dataclass, replace
from datetime import UTC, datetime

from graph.errors import NotFound
from graph.model import CHANGE_KINDS, DISTANT_PAST, Edge, EdgeKind, Supersession, from_micros
from graph.store.port import Reversal

# What an edge carries that somebody reverted.
REVERTED = frozenset({"reverted_at", "reverted_by"})


def supersession(kind: EdgeKind, newer_id: str, older_id: str, properties: Mapping[str, str], evidence: Sequence[str]) -> Supersession:
    """The edge as searches read it. What an import brought without a time was always known."""
    return Supersession(
        kind=kind,
        newer_id=newer_id,
        older_id=older_id,
        known_at=_moment(properties.get("known_at")),
        valid_from=_moment(properties.get("valid_from")),
        reason=properties.get("reason", ""),
        confidence=float(properties.get("confidence") or 1),
        newer_evidence_ids=tuple(evidence) or (newer_id,),
    )


def by_older(found: Iterable[Supersession]) -> dict[str, tuple[Supersession, ...]]:
    """By the id of what was replaced what replaced it, what was said first first."""
    made: dict[str, tuple[Supersession, ...]] = {}
    for change in sorted(found, key=lambda one: (one.known_at, one.newer_id)):
        made[change.older_id] = (*made.get(change.older_id, ()), change)
    return made


@dataclass(frozen=True, slots=True)
class Anchor:
    """What an edge is about, whatever extraction found it: its kind, and the keys of the messages that its two ends rest on."""

    kind: EdgeKind
    newer: Set[int]
    older: Set[int]

    def is_about_the_same_as(self, other: "Anchor") -> bool:
        """Whether the two cannot be told apart."""
        return self.kind is other.kind and not self.newer.isdisjoint(other.newer) and not self.older.isdisjoint(other.older)


def anchor_of(edge: Edge, rests_on: Mapping[str, Set[int]]) -> Anchor:
    """`rests_on`: the messages that a statement rests on, by its id; a message rests on itself."""
    return Anchor(edge.kind, rests_on[edge.source_id], rests_on[edge.target_id])


def replaces(edge: Edge) -> bool:
    """Whether the edge says that its target holds no more, and nobody reverted it."""
    return edge.kind is EdgeKind.SUPERSEDES and REVERTED.isdisjoint(edge.properties)


def changes_among(edges: Sequence[Edge]) -> list[Edge]:
    """The edges of what replaces, may replace or repeats what."""
    return [edge for edge in edges if edge.kind in CHANGE_KINDS]


def heeding_reversals(
    edges: Sequence[Edge], rests_on: Mapping[str, Set[int]], reverted: Sequence[tuple[Anchor, Mapping[str, str]]]
) -> list[Edge]:
    """The edges as they may be stored. `reverted`: what the edges that somebody reverted are about, with what they carry."""
    made: list[Edge] = []
    for edge in edges:
        if edge.kind in CHANGE_KINDS:
            anchor = anchor_of(edge, rests_on)
            mark = next((told for other, told in reverted if anchor.is_about_the_same_as(other)), {})
            edge = replace(edge, properties={**edge.properties, **{key: mark[key] for key in sorted(REVERTED & mark.keys())}})
        made.append(edge)
    return made


def after_reversal(edge: Edge, reversal: Reversal, now: int) -> Edge:
    """What becomes of an edge that the reversal names; `now` in microseconds since 1970."""
    if reversal.restore is not edge.is_reverted:
        return edge
    left = {key: value for key, value in edge.properties.items() if key not in REVERTED}
    if not reversal.restore:
        left |= {"reverted_at": from_micros(now).isoformat(), "reverted_by": reversal.decided_by}
    return replace(edge, properties=left)


def require_changes(found: Sequence[Edge], reversal: Reversal) -> None:
    """Refuses a reversal of what nobody said. `found`: the edges from the one to the other. Raises NotFound."""
    if not found:
        raise NotFound(
            "nothing in the namespace says that the one replaces, or repeats, the other",
            metadata={"node_id": reversal.newer_id},
        )


def _moment(told: str | None) -> datetime:
    try:
        moment = datetime.fromisoformat(told or "")
    except ValueError:
        return DISTANT_PAST
    return moment.astimezone(UTC) if moment.tzinfo else moment.replace(tzinfo=UTC)
