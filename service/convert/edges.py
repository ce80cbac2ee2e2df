"""Edges of the graph, both ways: what the domain and the stores keep as properties has fields of its own in the contract."""

from collections.abc import Mapping
from datetime import UTC, datetime

from structmem.v1 import node_pb2, time_pb2

from graph.model import DISTANT_FUTURE, DISTANT_PAST, Edge
from service.convert.times import range_from_proto, timestamp
from service.validate import Violations, fraction, instant, text

MAX_PROPERTY = 1000
# Where an edge stands among those that its source lists; the source's own fields show that order.
_ORDER = "order"
_TIMES = ("known_at", "valid_from", "valid_until")


def edge_to_proto(edge: Edge) -> node_pb2.Edge:
    """An edge."""
    left = {key: value for key, value in edge.properties.items() if key != _ORDER}
    shown = node_pb2.Edge(
        kind=node_pb2.EdgeKind.ValueType(edge.kind),
        source_id=edge.source_id,
        target_id=edge.target_id,
        via_id=edge.via_id,
        role=left.pop("role", ""),
        predicate=left.pop("predicate", ""),
        reason=left.pop("reason", ""),
    )
    if (confidence := _number(left.get("confidence"))) is not None:
        shown.confidence = confidence
        del left["confidence"]
    if (similarity := _number(left.get("similarity"), -1)) is not None:
        shown.similarity = similarity
        del left["similarity"]
    if (decided_at := _moment(left.get("decided_at"))) is not None:
        shown.decision.CopyFrom(node_pb2.EdgeDecision(decided_at=timestamp(decided_at), decided_by=left.pop("decided_by", "")))
        del left["decided_at"]
    if (reverted_at := _moment(left.get("reverted_at"))) is not None:
        shown.reverted.CopyFrom(node_pb2.EdgeDecision(decided_at=timestamp(reverted_at), decided_by=left.pop("reverted_by", "")))
        del left["reverted_at"]
    if (known_at := _moment(left.get("known_at"))) is not None:
        shown.known_at.FromDatetime(known_at)
        del left["known_at"]
    start, end = _moment(left.get("valid_from")), _moment(left.get("valid_until"))
    if start or end:
        shown.valid.CopyFrom(time_pb2.TimeRange(start=timestamp(start), end=timestamp(end)))
        left = {key: value for key, value in left.items() if not (key == "valid_from" and start) and not (key == "valid_until" and end)}
    shown.properties.update(left)
    return shown


def properties_from_proto(found: Violations, at: str, edge: node_pb2.Edge) -> dict[str, str]:
    """What an imported edge carries. Exports of earlier services have all of it in `properties`."""
    for key, value in edge.properties.items():
        text(found, f"{at}.properties.key", key, MAX_PROPERTY)
        text(found, f"{at}.properties[{key[:100]}]", value, MAX_PROPERTY, required=False)
    told: dict[str, str] = dict(edge.properties)
    for key in ("role", "predicate", "reason"):
        if value := text(found, f"{at}.{key}", getattr(edge, key), MAX_PROPERTY, required=False):
            told[key] = value
    if edge.HasField("confidence"):
        told["confidence"] = str(fraction(found, f"{at}.confidence", edge.confidence))
    if edge.HasField("similarity"):
        if not -1 <= edge.similarity <= 1:
            found.add(f"{at}.similarity", "must be from -1 to 1")
        told["similarity"] = str(edge.similarity)
    valid = range_from_proto(found, f"{at}.valid", edge.valid)
    if valid is not None and valid.start != DISTANT_PAST:
        told["valid_from"] = valid.start.isoformat()
    if valid is not None and valid.end != DISTANT_FUTURE:
        told["valid_until"] = valid.end.isoformat()
    if edge.HasField("known_at"):
        told["known_at"] = instant(found, f"{at}.known_at", edge.known_at).isoformat()
    if edge.HasField("decision"):
        told |= _decision(found, f"{at}.decision", edge.decision, "decided")
    if edge.HasField("reverted"):
        told |= _decision(found, f"{at}.reverted", edge.reverted, "reverted")
    # Stores compare these as text: all of them are written alike.
    return told | {key: moment.isoformat() for key in _TIMES if (moment := _moment(told.get(key))) is not None}


def _decision(found: Violations, at: str, decision: node_pb2.EdgeDecision, done: str) -> Mapping[str, str]:
    if not decision.HasField("decided_at"):
        found.add(f"{at}.decided_at", "is required")
    return {
        f"{done}_at": instant(found, f"{at}.decided_at", decision.decided_at).isoformat(),
        f"{done}_by": text(found, f"{at}.decided_by", decision.decided_by, MAX_PROPERTY, required=False),
    }


def _number(told: str | None, least: float = 0) -> float | None:
    try:
        number = float(told or "")
    except ValueError:
        return None
    return number if least <= number <= 1 else None


def _moment(told: str | None) -> datetime | None:
    """The instant that a store wrote in ISO 8601; None for what an earlier import brought that is none."""
    try:
        moment = datetime.fromisoformat(told or "")
    except ValueError:
        return None
    return moment.astimezone(UTC) if moment.tzinfo else None
