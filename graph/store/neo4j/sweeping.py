"""Clearing away namespaces that are being deleted, and imports that broke off.

It goes in batches, each of which makes sure that the namespace is still to go: other processes may clear away the same one.
"""

from graph.store.neo4j.driver.database import Database
from graph.store.neo4j.rows.namespace_rows import NamespaceState
from graph.store.neo4j.schema import NAMESPACED_LABELS, in_namespace

# Nodes deleted in one transaction: with their relationships they must fit the server's memory for a transaction.
_BATCH = 2_000
_DOOMED = """MATCH (n:Namespace) WHERE ($name = '' OR n.name = $name)
    AND (n.state = $deleting OR (n.state = $creating AND coalesce(n.building_until, 0) <= $now)) RETURN n.name, n.uid"""
# The node is locked and looked at again: when another process has cleared the name away and somebody uses it anew, nothing of theirs goes.
_HOLD = """MATCH (n:Namespace {name: $namespace}) SET n.locked = $uid WITH count(*) AS held
    MATCH (n:Namespace {name: $namespace, uid: $uid}) WHERE n.state <> $active"""


def _delete_some(label: str) -> str:
    return f"""{_HOLD} CALL () {{
        MATCH (x:{label}) WHERE {in_namespace(label, "x")} WITH x LIMIT {_BATCH} DETACH DELETE x RETURN count(*) AS gone }}
    RETURN gone"""


_FORGET = f"{_HOLD} DELETE n"


async def sweep(database: Database) -> None:
    """Clears away all that was being deleted, and imports that nobody goes on with."""
    await _sweep(database, "")


async def sweep_namespace(database: Database, name: str) -> bool:
    """Clears away what is left of the name; whether there was any."""
    return await _sweep(database, name)


async def _sweep(database: Database, name: str) -> bool:
    states = {state.name.lower(): state.value for state in NamespaceState}
    doomed = await database.connection.rows(_DOOMED, {"name": name, "now": await database.now(), **states})
    for found, uid in doomed:
        await clear_away(database, found, uid)
    return bool(doomed)


async def clear_away(database: Database, name: str, uid: str) -> None:
    """Deletes all that a hidden namespace holds, and then its node."""
    values = {"namespace": name, "uid": uid, "active": NamespaceState.ACTIVE.value}
    for label in NAMESPACED_LABELS:
        while True:
            found = await database.connection.execute(_delete_some(label), values)
            if not found or found[0][0] < _BATCH:
                break
    await database.connection.execute(_FORGET, values)
