"""The integrity check of what belongs to no one namespace: the indexes, and what is left over of none."""

from graph.store.neo4j.driver.connection import Connection
from graph.store.neo4j.migrations import wanted_indexes
from graph.store.neo4j.schema import NAMESPACED_LABELS
from graph.store.port import Finding

_INDEXES = "SHOW INDEXES YIELD name, state RETURN collect([name, state])"
_STRAYS = (
    "MATCH (m:{label}) WITH DISTINCT m.namespace AS name WHERE NOT EXISTS {{ MATCH (:Namespace {{name: name}}) }} RETURN collect(name)"
)


async def check_store(connection: Connection) -> list[Finding]:
    """See `Store.check`."""
    [[pairs]] = await connection.rows(_INDEXES)
    states = dict(pairs)
    findings = [
        Finding("MISSING_INDEX", "", f"the index {index.name} is not there; opening the store makes it")
        for index in await wanted_indexes(connection)
        if index.name not in states
    ]
    findings += [
        Finding("FAILED_INDEX", "", f"the index {name} has failed; drop it, and opening the store makes it anew")
        for name, state in sorted(states.items())
        if state == "FAILED"
    ]
    strays: dict[str, list[str]] = {}
    for label in NAMESPACED_LABELS:
        [[names]] = await connection.rows(_STRAYS.format(label=label))
        for name in names:
            strays.setdefault(name, []).append(label)
    return findings + [
        Finding("STRAY_NODES", "", f"{', '.join(labels)} nodes carry the namespace {name!r}, which is not there")
        for name, labels in sorted(strays.items())
    ]
