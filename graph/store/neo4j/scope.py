"""What understanding a query needs to know of a namespace."""

from collections.abc import Sequence

from graph.store.neo4j.driver.handle import Handle
from graph.store.neo4j.rows.namespace_rows import namespace_of
from graph.store.neo4j.rows.node_rows import ENTITY_PROJECTION, entity_of
from graph.store.port import MAX_SCOPE_SPEAKERS, QueryScope
from graph.text.names import folded

_SCOPE = f"""
    CALL (n) {{ MATCH (s:Speaker) WHERE s.namespace = n.name AND s.name >= ''
        WITH s ORDER BY s.messages DESC, s.name LIMIT {MAX_SCOPE_SPEAKERS} RETURN collect(s.name) AS speakers }}
    CALL (n) {{ UNWIND $at.names AS name MATCH (a:EntityName {{namespace: n.name, folded: name}})
        MATCH (m:Entity {{namespace: n.name, id: a.entity_id}}) WITH DISTINCT m ORDER BY m.key
        RETURN collect(m{ENTITY_PROJECTION}) AS entities }}
    RETURN properties(n), speakers, entities"""


async def query_scope(handle: Handle, names: Sequence[str]) -> QueryScope:
    """See `Memory.query_scope`; the most frequent speakers first, entities oldest first."""
    wanted = list(dict.fromkeys(map(folded, names)))
    properties, speakers, entities = await handle.row(_SCOPE, {"at": {"names": wanted}})
    return QueryScope(namespace_of(properties), tuple(speakers), tuple(map(entity_of, entities)))
