"""What replaced, may have replaced or repeats what in a namespace, kept until it changes."""

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
        may_be_replaced_by: by the id of the older one, all that may replace it, first said first.
        named: the ids of all that these name, evidence included, by the bytes of their UUIDs.
    """

    version: int
    replaced_by: Mapping[str, Supersession]
    repeated_by: Mapping[str, Supersession]
    may_be_replaced_by: Mapping[str, tuple[Supersession, ...]]
    named: Mapping[bytes, str]

    def __bool__(self) -> bool:
        return bool(self.named)

    @property
    def size(self) -> int:
        """How many edges are kept."""
        return len(self.replaced_by) + len(self.repeated_by) + sum(map(len, self.may_be_replaced_by.values()))


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
            likely: dict[str, list[Supersession]] = {}
            for edge in sorted(found.edges, key=lambda one: (one.known_at, one.newer_id)):
                if edge.kind is EdgeKind.MAY_SUPERSEDE:
                    likely.setdefault(edge.older_id, []).append(edge)
                    continue
                by_older = replaced if edge.kind is EdgeKind.SUPERSEDES else repeated
                by_older.setdefault(edge.older_id, edge)
            ids = {id_ for edge in found.edges for id_ in (edge.older_id, edge.newer_id, *edge.newer_evidence_ids)}
            named = {uuid_of(id_).bytes: id_ for id_ in ids}
            known = ChangeIndex(found.version, replaced, repeated, {id_: tuple(edges) for id_, edges in likely.items()}, named)
        assert known is not None
        self._keep(namespace, known)
        return known

    def _keep(self, namespace: Namespace, index: ChangeIndex) -> None:
        self._kept[namespace.uid] = index
        self._kept.move_to_end(namespace.uid)
        self._looked[namespace.uid] = namespace.revision
        size = sum(each.size for each in self._kept.values())
        while size > _KEPT_EDGES and len(self._kept) > 1:
            uid, least = self._kept.popitem(last=False)
            del self._looked[uid]
            size -= least.size
