"""Which reads see what they have to see."""

from datetime import timedelta

from graph.errors import RevisionNotReached
from graph.store.port import ConsistencyPoint

_RETRY_AFTER = timedelta(seconds=1)


def require_revision(at_least: ConsistencyPoint | None, uid: str, revision: int) -> None:
    """Lets a read of the namespace with this uid pass that is of this revision.

    Raises:
        RevisionNotReached: the read has to see a later one.
    """
    if at_least is None:
        return
    if any(point.namespace_uid == uid and revision < point.revision for point in (at_least, *at_least.others)):
        raise RevisionNotReached("the store has not reached that write", retry_after=_RETRY_AFTER)
