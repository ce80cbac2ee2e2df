"""The store on Neo4j: one database for many namespaces and many service processes.

`schema.py` has the labels, constraints and indexes, `node_properties.py` what each node holds, `node_rows.py` how a node of the model
becomes properties and back. Every write is a `Transaction` (`transaction.py`), which locks its namespace's node first; so revisions are
in commit order.
"""

from graph.store.neo4j.driver.connection import Address
from graph.store.neo4j.driver.server_state import ServerFacts, holds_store, server_facts
from graph.store.neo4j.store import Neo4jStore

__all__ = ["Address", "Neo4jStore", "ServerFacts", "holds_store", "server_facts"]
