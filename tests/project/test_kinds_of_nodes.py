"""A new kind of node fails here, by the name of each table that does not know it yet; docs/design.md has all places."""

from collections.abc import Collection
from typing import get_args

import pytest
from structmem import NodeKind as ClientKind
from structmem.v1 import node_pb2

from graph.cypher.graph_rows import LABELS
from graph.model import Node, NodeKind
from graph.model.ids import PREFIXES
from graph.store.digest import PART_OF, PARTS
from graph.store.embedded.exporting import NODE_ORDER
from graph.store.neo4j.rows.node_reading import TEXTS
from graph.store.neo4j.rows.node_rows import PROJECTIONS
from graph.store.neo4j.schema import NODE_LABELS

TABLES: dict[str, Collection[NodeKind]] = {
    "graph.model.ids.PREFIXES": PREFIXES,
    "graph.cypher.graph_rows.LABELS": LABELS,
    "graph.store.embedded.exporting.NODE_ORDER": [kind for kinds in NODE_ORDER for kind in kinds],
    "graph.store.neo4j.schema.NODE_LABELS": NODE_LABELS,
    "graph.store.neo4j.rows.node_rows.PROJECTIONS": PROJECTIONS,
    "graph.store.neo4j.rows.node_reading.TEXTS": TEXTS,
}


@pytest.mark.parametrize("table", TABLES)
def test_a_table_knows_every_kind_of_node(table: str) -> None:
    assert sorted(TABLES[table]) == sorted(NodeKind)


def test_the_contract_and_the_client_name_every_kind_of_node() -> None:
    names = {kind.name for kind in NodeKind}
    assert {name.removeprefix("NODE_KIND_") for name, _ in node_pb2.NodeKind.items()} == names | {"UNSPECIFIED"}
    assert {kind.name for kind in ClientKind} == names | {"UNSPECIFIED"}


def test_every_class_of_node_is_part_of_a_digest() -> None:
    assert set(get_args(Node)) <= PART_OF.keys()
    assert set(PART_OF.values()) <= set(PARTS)
