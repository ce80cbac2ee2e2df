"""Consistency tokens: what a read needs to see an earlier write. Opaque to clients.

Here a namespace's uid and a revision, signed; where the store has a position, the namespace's name and that, too.
"""

from collections.abc import Sequence
from datetime import timedelta

from graph.model import Namespace
from graph.store.port import Store
from service.errors import RevisionNotReached
from service.tokens import BadToken, Signer
from service.validate import Violations

MAX_TOKENS = 100


class ConsistencyTokens:
    """Makes consistency tokens and holds reads to them."""

    def __init__(self, key: bytes) -> None:
        self._signer = Signer(key, "consistency")

    def make(self, namespace_uid: str, revision: int, name: str = "", position: Sequence[str] = ()) -> str:
        """The token of a write to the namespace of this name, at the store's position after it."""
        return self._signer.seal([namespace_uid, revision, name, *position] if position else [namespace_uid, revision])

    async def reach(self, field: str, tokens: Sequence[str], names: Sequence[str], store: Store) -> None:
        """Brings the store to the positions of those tokens that are of one of these namespaces; before any of them is read.

        Raises:
            InvalidArgument: there are too many, or one is not a token of this store.
            StoreUnavailable: the store did not come there in time.
        """
        for _, _, *rest in self._opened(field, tokens):
            name, *position = map(str, rest) if rest else [""]
            if position and name in names:
                await store.reach(name, position)

    def require(self, field: str, tokens: Sequence[str], namespaces: Sequence[Namespace]) -> None:
        """Lets a read pass that sees the writes of these tokens. Tokens of namespaces that are not asked are ignored.

        Raises:
            InvalidArgument: there are too many, or one is not a token of this store.
            RevisionNotReached: the store is behind one of them.
        """
        for uid, revision, *_ in self._opened(field, tokens):
            assert isinstance(revision, int)
            for namespace in namespaces:
                if namespace.uid == uid and namespace.revision < revision:
                    raise RevisionNotReached("the store has not reached that write", retry_after=timedelta(seconds=1))

    def _opened(self, field: str, tokens: Sequence[str]) -> list[list[object]]:
        with Violations() as found:
            if len(tokens) > MAX_TOKENS:
                found.add(field, f"must hold at most {MAX_TOKENS} tokens; it holds {len(tokens):,}")
                return []
            opened = []
            for index, token in enumerate(tokens):
                try:
                    opened.append(self._signer.open(token))
                except (BadToken, ValueError):
                    found.add(f"{field}[{index}]", "is not a consistency token of this service")
        return opened
