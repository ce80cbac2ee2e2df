"""Reads of one namespace: one round trip, answered by one row of lists.

What many nodes have comes as `collect(..)`, never as a row each: 561 rows of one number took 26 ms, the same as one list 1.5 ms.
"""

from collections.abc import Mapping
from typing import Any

from graph.errors import NamespaceNotFound
from graph.store.neo4j.driver.connection import Connection, Row
from graph.store.neo4j.rows.namespace_rows import NamespaceState

_ACTIVE = f"MATCH (n:Namespace {{name: $namespace}}) WHERE n.state = '{NamespaceState.ACTIVE.value}'"


async def namespace_row(connection: Connection, namespace: str, body: str, parameters: Mapping[str, Any] | None = None) -> Row:
    """The one row that `body` gives of the namespace, whose node is `n`; `body` ends in RETURN and keeps that row.

    Raises:
        NotFound: there is no such namespace.
    """
    found = await connection.rows(f"{_ACTIVE} {body}", {"namespace": namespace, **(parameters or {})})
    if not found:
        raise NamespaceNotFound(namespace)
    return found[0]
