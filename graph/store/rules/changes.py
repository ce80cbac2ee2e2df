"""What replaced, or repeats, what: from the properties of an edge."""

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime

from graph.model import DISTANT_PAST, EdgeKind, Supersession


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


def _moment(told: str | None) -> datetime:
    try:
        moment = datetime.fromisoformat(told or "")
    except ValueError:
        return DISTANT_PAST
    return moment.astimezone(UTC) if moment.tzinfo else moment.replace(tzinfo=UTC)
