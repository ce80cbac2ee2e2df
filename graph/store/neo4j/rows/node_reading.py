"""Nodes by their ids, with what their edges say: evidence, statements, participants and entities are kept as edges alone."""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from graph.model import MEMORY_KINDS, Node, NodeKind, Participant, Session, kind_of
from graph.store.neo4j.driver.handle import Handle
from graph.store.neo4j.rows.node_rows import PROJECTIONS, entity_of, event_of, message_of, session_of, statement_of
from graph.store.neo4j.rows.summary_properties import summary_of
from graph.store.neo4j.schema import NODE_LABELS
from graph.store.port import NodesWithin

_EVIDENCE = "evidence: [(m)-[r:EVIDENCED_BY]->(x:Message) | [r.order, x.id]]"
_LINKS = {
    NodeKind.EVENT: f"""{_EVIDENCE}, statements: [(m)-[r:STATES]->(x) | [r.order, x.id]],
        participants: [(m)-[r:INVOLVES]->(x:Entity) | [r.order, x.id, r.role, x.name]]""",
    NodeKind.FACT: f"""{_EVIDENCE}, entities: [(m)-[r:MENTIONS]->(x:Entity) | [r.order, x.id]],
        events: [(x:Event)-[:STATES]->(m) | [x.key, x.id]]""",
}
_LINKS[NodeKind.RELATION] = _LINKS[NodeKind.FACT]
_LINKS[NodeKind.SUMMARY] = """members: [(m)-[r:SUMMARIZES]->(x) | [r.order, x.id]],
        seeds: [(m)-[r:SEEDED_BY]->(x:Event) | [r.order, x.id, r.similarity]]"""


# The property that makes a node large.
TEXTS = {
    NodeKind.SESSION: "m.name",
    NodeKind.MESSAGE: "m.text",
    NodeKind.EVENT: "m.title",
    NodeKind.FACT: "m.text",
    NodeKind.RELATION: "m.text",
    NodeKind.ENTITY: "m.name",
    NodeKind.SUMMARY: "coalesce(m.text, '')",
}
_ALL = 1 << 60


def count_within(kind: NodeKind) -> str:
    """How many nodes of the list `ms`, from the first on, it takes for their texts to have more than `$max_bytes` characters, or all.

    Characters, which the server can count, are at most as many as bytes: what reads the nodes cuts them exactly.
    """
    text = TEXTS[kind]
    return f"reduce(s = [0, 0], m IN ms | CASE WHEN s[0] > $max_bytes THEN s ELSE [s[0] + size({text}), s[1] + 1] END)[1]"


def node_map(kind: NodeKind) -> str:
    """The map of a node `m` of this kind that `node_of` reads, as an expression of Cypher."""
    links = _LINKS.get(kind)
    return f"m{PROJECTIONS[kind]}" if links is None else f"m{PROJECTIONS[kind][:-1]}, {links}}}"


def node_of(kind: NodeKind, row: Mapping[str, Any]) -> Node:
    """The node of a `node_map`."""
    match kind:
        case NodeKind.SESSION:
            return session_of(row)
        case NodeKind.MESSAGE:
            return message_of(row)
        case NodeKind.EVENT:
            parts = [Participant(id_, role or "", name) for _, id_, role, name in sorted(row["participants"])]
            return event_of(row, _in_order(row["evidence"]), _in_order(row["statements"]), parts)
        case NodeKind.FACT | NodeKind.RELATION:
            # One event states it; should there be more, the newest counts.
            event = _in_order(row["events"])[-1:]
            return statement_of(row, _in_order(row["evidence"]), event[0] if event else "", _in_order(row["entities"]))
        case NodeKind.ENTITY:
            return entity_of(row)
        case NodeKind.SUMMARY:
            return summary_of(row, _in_order(row["members"]), [(id_, similarity) for _, id_, similarity in sorted(row["seeds"])])


def _in_order(pairs: Iterable[Any]) -> list[str]:
    return [id_ for _, id_ in sorted(pairs)]


def ids_by_kind(ids: Iterable[str]) -> dict[NodeKind, list[str]]:
    """These ids by the kind of node that they name, without what is no id of a node."""
    found: defaultdict[NodeKind, list[str]] = defaultdict(list)
    for id_ in dict.fromkeys(ids):
        try:
            found[kind_of(id_)].append(id_)
        except ValueError:
            continue
    return dict(found)


async def get_nodes(handle: Handle, ids: Sequence[str]) -> Mapping[str, Node]:
    """See `Memory.get_nodes`; in the order of the ids."""
    return (await get_nodes_within(handle, ids, _ALL)).nodes


async def get_nodes_within(handle: Handle, ids: Sequence[str], max_bytes: int) -> NodesWithin:
    """See `Memory.get_nodes_within`. Only messages are left out, by the characters of their texts: the other nodes are short."""
    wanted = ids_by_kind(ids)
    # Two queries for all sets of kinds: Neo4j plans each text once.
    kinds = sorted(MEMORY_KINDS if wanted.keys() <= MEMORY_KINDS else NODE_LABELS)
    body = f"{' '.join(map(_nodes_of, kinds))} RETURN {', '.join(kind.name for kind in kinds)}"
    found = await handle.row(body, {"ids": {kind.name: wanted.get(kind, []) for kind in kinds}, "max_bytes": max_bytes})
    nodes = {row["id"]: node_of(kind, row) for kind, (rows, _) in zip(kinds, found, strict=True) for row in rows}
    omitted = {id_ for _, left_out in found for id_ in left_out}
    order = dict.fromkeys(ids)
    return NodesWithin({id_: nodes[id_] for id_ in order if id_ in nodes}, tuple(id_ for id_ in order if id_ in omitted))


def _nodes_of(kind: NodeKind) -> str:
    """Of the nodes of one kind those that are read, and the ids of the others."""
    found = f"UNWIND $ids.{kind.name} AS id MATCH (m:{NODE_LABELS[kind]} {{namespace: n.name, id: id}})"
    if kind is not NodeKind.MESSAGE:
        return f"CALL (n) {{ {found} RETURN [collect({node_map(kind)}), []] AS {kind.name} }}"
    return f"""CALL (n) {{ {found} WITH collect(m) AS ms
        WITH ms, reduce(s = {{left: $max_bytes, kept: []}}, m IN ms | CASE WHEN size(m.text) > s.left THEN s
            ELSE {{left: s.left - size(m.text), kept: s.kept + m.id}} END).kept AS kept
        RETURN [[m IN ms WHERE m.id IN kept | {node_map(kind)}], [m IN ms WHERE NOT m.id IN kept | m.id]] AS {kind.name} }}"""


async def get_session(handle: Handle, name: str) -> Session | None:
    """See `Memory.get_session`."""
    body = f"OPTIONAL MATCH (m:Session {{namespace: n.name, name: $session}}) RETURN m{PROJECTIONS[NodeKind.SESSION]}"
    (row,) = await handle.row(body, {"session": name})
    return None if row is None else session_of(row)
