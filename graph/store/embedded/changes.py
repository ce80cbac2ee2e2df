"""What replaced, or repeats, what: edges between memories."""

from collections import defaultdict

import apsw
import orjson

from graph.model import EdgeKind, Supersessions
from graph.store.embedded.files.connection import rows
from graph.store.embedded.rows.kind_numbers import CHANGES
from graph.store.embedded.rows.node_keys import ids_of
from graph.store.rules.changes import supersession

_EDGES = f"""SELECT e.kind, e.src, e.dst, e.properties FROM edges e JOIN nodes a ON a.key = e.src JOIN nodes b ON b.key = e.dst
    WHERE e.kind IN ({CHANGES}) AND a.retired_at IS NULL AND b.retired_at IS NULL ORDER BY e.kind, e.src, e.dst"""
_EVIDENCE = f"""SELECT e.src, e.dst FROM edges e WHERE e.kind = {EdgeKind.EVIDENCED_BY:d}
    AND e.src IN (SELECT src FROM edges WHERE kind IN ({CHANGES})) ORDER BY e.src, e.ordinal"""


def supersessions(db: apsw.Connection, seen: int) -> Supersessions | None:
    """See `Memory.supersessions`."""
    version = int(db.execute("SELECT version FROM change_edges").get)
    if version <= seen:
        return None
    found = list(rows(db, _EDGES))
    rests_on: defaultdict[int, list[int]] = defaultdict(list)
    for source, target in rows(db, _EVIDENCE):
        rests_on[source].append(target)
    keys = {key for _, newer, older, _ in found for key in (newer, older)} | {key for evidence in rests_on.values() for key in evidence}
    ids = ids_of(db, list(keys))
    edges = (
        supersession(
            EdgeKind(kind), ids[newer], ids[older], orjson.loads(properties or "{}"), [ids[key] for key in rests_on.get(newer, ())]
        )
        for kind, newer, older, properties in found
    )
    return Supersessions(version, tuple(edges))
