"""Counts of a namespace, and what its models were called for."""

from graph.model import EdgeKind, from_micros
from graph.store.neo4j.driver.handle import Handle
from graph.store.neo4j.rows.node_edges import EDGE_TYPES
from graph.store.neo4j.schema import NODE_LABELS, in_namespace
from graph.store.port import GraphDescription, UsageEntry

_SEARCHED = ("Message", "Fact", "Relation", "Passage")
# A node's record and its place in the indexes take about 200 bytes; its texts and vectors (as half floats, floats and in the vector
# index) come besides.
_NODE_BYTES = 200
_VECTOR_COPIES = 4
_NODES = " ".join(
    f"""CALL (n) {{ MATCH (m:{label}) WHERE m.namespace = n.name AND m.id > ''
        RETURN [count(m) - count(m.retired_at), count(m.retired_at)] AS {kind.name}_nodes }}
    CALL (n) {{ MATCH (m:{label})-[r:{EDGE_TYPES}]->() WHERE m.namespace = n.name AND m.id > ''
        WITH type(r) AS type, count(*) AS edges RETURN collect([type, edges]) AS {kind.name}_edges }}"""
    for kind, label in NODE_LABELS.items()
)
_PASSAGES = " ".join(
    f"""CALL (n) {{ MATCH (m:{label}) WHERE {in_namespace(label, "m")}
        RETURN [count(m.v16), count(m.waits), sum(size(coalesce(m.text, ''))), sum(size(coalesce(m.terms, '')))] AS {label} }}"""
    for label in _SEARCHED
)
_TIMES = """CALL (n) { MATCH (s:Session) WHERE s.namespace = n.name AND s.key > 0
    RETURN [min(s.first_sent_at), max(s.last_sent_at)] AS times }"""
_COLUMNS = ", ".join(
    (
        "n.revision",
        "n.embedding_dimension",
        "times",
        f"[{', '.join(f'{kind.name}_nodes' for kind in NODE_LABELS)}]",
        f"[{', '.join(f'{kind.name}_edges' for kind in NODE_LABELS)}]",
        f"[{', '.join(_SEARCHED)}]",
    )
)
_DESCRIBE = f"{_NODES} {_PASSAGES} {_TIMES} RETURN {_COLUMNS}"
_USAGE = """CALL (n) { MATCH (u:Usage) WHERE u.namespace = n.name AND u.step >= '' AND u.model >= ''
    WITH u ORDER BY u.step, u.model
    RETURN collect([u.step, u.model, u.calls, u.items, u.prompt_tokens, u.completion_tokens, u.errors]) AS found } RETURN found"""


async def describe(handle: Handle) -> GraphDescription:
    """See `Memory.describe`. `bytes` is an estimate: Neo4j does not tell what one namespace of a database takes."""
    revision, dimension, (first, last), nodes, edges, passages = await handle.row(_DESCRIBE)
    counts: dict[int, int] = {}
    for name, count in (pair for of_label in edges for pair in of_label):
        counts[int(EdgeKind[name])] = counts.get(int(EdgeKind[name]), 0) + count
    vectors, waiting, text, terms = (sum(column) for column in zip(*passages, strict=True))
    return GraphDescription(
        nodes={kind: current for kind, (current, _) in zip(NODE_LABELS, nodes, strict=True) if current},
        retired={kind: retired for kind, (_, retired) in zip(NODE_LABELS, nodes, strict=True) if retired},
        edges=dict(sorted(counts.items())),
        vectors=vectors,
        vectors_pending=waiting,
        first_sent_at=None if first is None else from_micros(first),
        last_sent_at=None if last is None else from_micros(last),
        revision=revision,
        bytes=_NODE_BYTES * sum(map(sum, nodes)) + text + terms + vectors * dimension * 2 * _VECTOR_COPIES,
    )


async def usage(handle: Handle) -> list[UsageEntry]:
    """See `Memory.usage`."""
    (found,) = await handle.row(_USAGE)
    return [UsageEntry(*values) for values in found]
