"""What replaced, or repeats, what: relationships between memories."""

from graph.model import CHANGE_KINDS, EdgeKind, Supersessions
from graph.store.neo4j.driver.handle import Handle
from graph.store.rules.changes import supersession

_VERSION = "RETURN coalesce(n.changes_revision, 0)"
_EDGES = """CALL (n) {{ MATCH (a)-[r:{kind}]->(b) WHERE r.namespace = n.name AND a.retired_at IS NULL AND b.retired_at IS NULL
    WITH a, r, b ORDER BY a.key, b.key
    RETURN collect([a.id, b.id, properties(r), [(a)-[e:EVIDENCED_BY]->(m) | [e.order, m.id]]]) AS found }} RETURN found"""


async def supersessions(handle: Handle, seen: int) -> Supersessions | None:
    """See `Memory.supersessions`. What is written while they are read may be among them; it is then read again the next time."""
    (version,) = await handle.row(_VERSION)
    if version <= seen:
        return None
    edges = []
    for kind in sorted(CHANGE_KINDS):
        (found,) = await handle.row(_EDGES.format(kind=EdgeKind(kind).name))
        for newer, older, properties, evidence in found:
            edges.append(supersession(kind, newer, older, properties, [id_ for _, id_ in sorted(evidence)]))
    return Supersessions(version, tuple(edges))
