"""Consistency tokens: what a read needs to see an earlier write. Opaque to clients.

Here a namespace's uid, a revision, the namespace's name and the store's position, signed.
"""

from collections.abc import Sequence
from dataclasses import replace

from graph.store.port import ConsistencyPoint
from service.tokens import BadToken, Signer
from service.validate import Violations

MAX_TOKENS = 100


class ConsistencyTokens:
    """Makes consistency tokens and reads them."""

    def __init__(self, key: bytes) -> None:
        self._signer = Signer(key, "consistency")

    def make(self, name: str, point: ConsistencyPoint) -> str:
        """The token of a write to the namespace of this name."""
        return self._signer.seal([point.namespace_uid, point.revision, name, *point.position])

    def points(self, field: str, tokens: Sequence[str]) -> dict[str, ConsistencyPoint]:
        """What reads have to see, by the name of the namespace: of several tokens of one the latest. `field` is where they were given.

        Raises:
            InvalidArgument: there are too many, or one is not a token of this service.
        """
        points: dict[str, ConsistencyPoint] = {}
        with Violations() as found:
            if len(tokens) > MAX_TOKENS:
                found.add(field, f"must hold at most {MAX_TOKENS} tokens; it holds {len(tokens):,}")
                return {}
            for index, token in enumerate(tokens):
                try:
                    name, point = self._opened(token)
                except (BadToken, ValueError):
                    found.add(f"{field}[{index}]", "is not a consistency token of this service")
                    continue
                points[name] = _joined(points.get(name), point)
        return points

    def _opened(self, token: str) -> tuple[str, ConsistencyPoint]:
        uid, revision, name, *position = self._signer.open(token)
        assert isinstance(revision, int)
        return str(name), ConsistencyPoint(str(uid), revision, tuple(map(str, position)))


def _joined(known: ConsistencyPoint | None, point: ConsistencyPoint) -> ConsistencyPoint:
    """What asks for both writes. Positions are joined; revisions are not: a namespace made anew has revisions of its own."""
    if known is None:
        return point
    position = tuple(dict.fromkeys((*known.position, *point.position)))
    return replace(known, position=position, others=(*known.others, ConsistencyPoint(point.namespace_uid, point.revision)))
