"""Consistency tokens: what a read needs to see an earlier write. Opaque to clients.

Here a namespace's uid and a revision, signed; where the store has a position, the namespace's name and that, too.
"""

from collections.abc import Sequence
from datetime import timedelta

from graph.errors import InvalidArgument
from graph.model import Namespace
from graph.store.port import Store
from service.errors import RevisionNotReached
from service.tokens import BadToken, Signer


class ConsistencyTokens:
    """Makes consistency tokens and holds reads to them."""

    def __init__(self, key: bytes) -> None:
        self._signer = Signer(key, "consistency")

    def make(self, namespace_uid: str, revision: int, name: str = "", position: Sequence[str] = ()) -> str:
        """The token of a write to the namespace of this name, at the store's position after it."""
        return self._signer.seal([namespace_uid, revision, name, *position] if position else [namespace_uid, revision])

    async def reach(self, token: str, names: Sequence[str], store: Store) -> None:
        """Brings the store to the token's position, if it is of one of these namespaces; before any of them is read.

        Raises:
            InvalidArgument: it is not a token of this store.
            StoreUnavailable: the store did not come there in time.
        """
        if not token:
            return
        _, _, *rest = self._open(token)
        name, *position = map(str, rest) if rest else [""]
        if position and name in names:
            await store.reach(name, position)

    def require(self, token: str, namespaces: Sequence[Namespace]) -> None:
        """Lets a read pass that sees the write of the token. A token of a namespace that is not asked is ignored.

        Raises:
            InvalidArgument: it is not a token of this store.
            RevisionNotReached: the store is behind it.
        """
        if not token:
            return
        uid, revision, *_ = self._open(token)
        assert isinstance(revision, int)
        for namespace in namespaces:
            if namespace.uid == uid and namespace.revision < revision:
                raise RevisionNotReached("the store has not reached that write", retry_after=timedelta(seconds=1))

    def _open(self, token: str) -> list[object]:
        try:
            return self._signer.open(token)
        except (BadToken, ValueError):
            raise InvalidArgument.of("at_least", "is not a consistency token of this service") from None
