"""What replaced or repeats what in a namespace, kept until it changes."""

from collections import OrderedDict
from collections.abc import Mapping
from dataclasses import dataclass

from graph.model import EdgeKind, Namespace, Supersession
from graph.model.ids import uuid_of
from graph.store.port import Memory

# So many edges are kept of all namespaces together, some 600 bytes each; of the one asked last all are kept.
_KEPT_EDGES = 200_000


@dataclass(frozen=True, slots=True)
class ChangeIndex:
    """What replaced what, at a version of that.

    Attributes:
        replaced_by, repeated_by: by the id of the older one, what was said first of those that replace, or repeat, it.
        named: the ids of all that these name, evidence included, by the bytes of their UUIDs.
    """

    version: int
    replaced_by: Mapping[str, Supersession]
    repeated_by: Mapping[str, Supersession]
    named: Mapping[bytes, str]

    def __bool__(self) -> bool:
        return bool(self.replaced_by or self.repeated_by)


class ChangeIndexes:
    """The indexes of the namespaces asked last, by their uid."""

    def __init__(self) -> None:
        self._kept: OrderedDict[str, ChangeIndex] = OrderedDict()
        # The namespace's revision at which each was last found to be current.
        self._looked: dict[str, int] = {}

    async def of(self, memory: Memory, namespace: Namespace) -> ChangeIndex:
        """What replaced what in the namespace, at its revision or a later one."""
        known = self._kept.get(namespace.uid)
        if known is not None and self._looked[namespace.uid] >= namespace.revision:
            self._kept.move_to_end(namespace.uid)
            return known
        found = await memory.supersessions(-1 if known is None else known.version)
        if found is not None:
            replaced: dict[str, Supersession] = {}
            repeated: dict[str, Supersession] = {}
            for edge in found.edges:
                by_older = replaced if edge.kind is EdgeKind.SUPERSEDES else repeated
                first = by_older.get(edge.older_id)
                if first is None or (edge.known_at, edge.newer_id) < (first.known_at, first.newer_id):
                    by_older[edge.older_id] = edge
            ids = {id_ for edge in found.edges for id_ in (edge.older_id, edge.newer_id, *edge.newer_evidence_ids)}
            known = ChangeIndex(found.version, replaced, repeated, {uuid_of(id_).bytes: id_ for id_ in ids})
        assert known is not None
        self._keep(namespace, known)
        return known

    def _keep(self, namespace: Namespace, index: ChangeIndex) -> None:
        self._kept[namespace.uid] = index
        self._kept.move_to_end(namespace.uid)
        self._looked[namespace.uid] = namespace.revision
        size = sum(len(each.replaced_by) + len(each.repeated_by) for each in self._kept.values())
        while size > _KEPT_EDGES and len(self._kept) > 1:
            uid, least = self._kept.popitem(last=False)
            del self._looked[uid]
            size -= len(least.replaced_by) + len(least.repeated_by)
