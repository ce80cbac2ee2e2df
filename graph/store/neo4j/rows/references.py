"""Finding stored nodes by their ids."""

from collections import defaultdict
from collections.abc import Iterable

from graph.model import NodeKind, kind_of
from graph.store.neo4j.driver.transaction import Transaction
from graph.store.neo4j.rows.edge_rows import NodeRef
from graph.store.neo4j.schema import NODE_LABELS


async def refs_of(tx: Transaction, ids: Iterable[str]) -> dict[str, NodeRef]:
    """The nodes that exist among these ids; what is no id at all is not there either."""
    by_kind: defaultdict[NodeKind, list[str]] = defaultdict(list)
    for id_ in dict.fromkeys(ids):
        try:
            by_kind[kind_of(id_)].append(id_)
        except ValueError:
            continue
    refs: dict[str, NodeRef] = {}
    for kind, some in by_kind.items():
        query = f"UNWIND $at.ids AS id MATCH (n:{NODE_LABELS[kind]} {{namespace: $namespace, id: id}}) RETURN collect([n.id, n.key])"
        [[found]] = await tx.rows(query, {"ids": some})
        refs |= {id_: NodeRef(kind, key) for id_, key in found}
    return refs
