"""Consistency tokens: what a read needs to see an earlier write. Opaque to clients; here a namespace's uid and a revision, signed."""

from datetime import timedelta

from graph.errors import InvalidArgument
from graph.model import Namespace
from service.errors import RevisionNotReached
from service.tokens import BadToken, Signer


class ConsistencyTokens:
    """Makes consistency tokens and holds reads to them."""

    def __init__(self, key: bytes) -> None:
        self._signer = Signer(key, "consistency")

    def make(self, namespace_uid: str, revision: int) -> str:
        """The token of a write."""
        return self._signer.seal([namespace_uid, revision])

    def require(self, token: str, namespaces: list[Namespace]) -> None:
        """Lets a read pass that sees the write of the token. A token of a namespace that is not asked is ignored.

        Raises:
            InvalidArgument: it is not a token of this store.
            RevisionNotReached: the store is behind it.
        """
        if not token:
            return
        try:
            uid, revision = self._signer.open(token)
        except (BadToken, ValueError):
            raise InvalidArgument.of("at_least", "is not a consistency token of this service") from None
        assert isinstance(revision, int)
        for namespace in namespaces:
            if namespace.uid == uid and namespace.revision < revision:
                raise RevisionNotReached("the store has not reached that write", retry_after=timedelta(seconds=1))
