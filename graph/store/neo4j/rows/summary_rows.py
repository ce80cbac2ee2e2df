"""Summaries as nodes, what becomes of them when what they rest on changes, and the events that wait for one."""

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import Any

from graph.model import Event, NodeKind, Summary, SummaryLevel, to_micros
from graph.store.neo4j.driver.transaction import Transaction
from graph.store.neo4j.rows.edge_rows import NodeRef, edge_row
from graph.store.neo4j.rows.node_writer import Writer, create_edges, set_properties
from graph.store.neo4j.rows.summary_properties import WORDS
from graph.store.neo4j.schema import NODE_LABELS
from graph.store.rules.listed_edges import summary_edges

# The two are on an event only while it waits, so that their indexes hold what waits and nothing else.
WAITS = "e.waits_in = e.session_key, e.waits_since = e.recorded_at"
WAITS_NO_MORE = "e.waits_in, e.waits_since"
# The summary and all above it.
_ABOVE = """UNWIND $at.keys AS key MATCH (:Summary {namespace: $namespace, key: key})<-[:SUMMARIZES*0..]-(s:Summary) WITH DISTINCT s"""
_STALE = "s.stale_since = coalesce(s.stale_since, $at.now)"
_MARK = f"{_ABOVE} SET {_STALE} RETURN collect(s.key)"
_TAKE = f"""UNWIND $at.keys AS key MATCH (s:Summary {{namespace: $namespace, key: key}})
    SET {_STALE}, s.sessions = CASE s.level WHEN '{SummaryLevel.WINDOW.name}' THEN s.sessions END
    REMOVE {", ".join(f"s.{name}" for name in WORDS)} RETURN collect(s.key)"""
# There are few summaries beside memories, and a search reads them all: lists are looked through where no index holds their parts.
_WRITTEN_WITH = """UNWIND $at.keys AS key MATCH (t:Summary {namespace: $namespace, key: key}) WHERE t.calls IS NOT NULL
    UNWIND t.calls AS call WITH collect(DISTINCT call) AS calls, collect(DISTINCT t.level) AS levels WHERE size(calls) > 0
    MATCH (s:Summary) WHERE s.namespace = $namespace AND s.level IN levels AND s.key > 0 AND any(call IN s.calls WHERE call IN calls)
    RETURN collect(s.key)"""
_SHARED = """MATCH (s:Summary) WHERE s.namespace = $namespace AND s.level IN $at.levels AND s.key > 0 AND NOT s.key IN $at.keys
    AND s.calls IS NOT NULL UNWIND s.calls AS call WITH DISTINCT call WHERE call IN $at.calls RETURN collect(call)"""
_LATE = """MATCH (s:Summary) WHERE s.namespace = $namespace AND s.session_key = $at.session AND s.said_from <= $at.last
    AND s.said_to >= $at.first AND s.stale_since IS NULL AND any(said IN $at.said WHERE s.said_from <= said AND said <= s.said_to)
    RETURN collect(s.key)"""


async def wait_for_window(tx: Transaction, session: int, events: Iterable[Event]) -> None:
    """The events are new in this session, and wait: a window into which one of them falls is stale."""
    said = sorted({to_micros(event.said_at) for event in events})
    if said:
        [[late]] = await tx.rows(_LATE, {"session": session, "said": said, "first": said[0], "last": said[-1]})
        await mark_stale(tx, late)


# Of a statement the event that states it, of a message those that rest on it.
_TELL_OF = """UNWIND $at.keys AS key MATCH (x:%s {namespace: $namespace, key: key})
    MATCH (x)<-[:STATES|EVIDENCED_BY]-(:Event)<-[:SUMMARIZES]-(s:Summary) RETURN collect(DISTINCT s.key)"""


async def tell_of_replaced(tx: Transaction, refs: Iterable[NodeRef]) -> bool:
    """These memories hold no more: what tells of their events is stale. Whether anything does.

    A consolidation that read before may be about to tell of them, and has to read again.
    """
    tx.something_removed()
    told: set[int] = set()
    by_kind: defaultdict[NodeKind, list[int]] = defaultdict(list)
    for ref in refs:
        by_kind[ref.kind].append(ref.key)
    for kind, keys in by_kind.items():
        [[found]] = await tx.rows(_TELL_OF % NODE_LABELS[kind], {"keys": keys})
        told |= set(found)
    await mark_stale(tx, told)
    return bool(told)


_WRITE = f"""UNWIND $at.nodes AS node MERGE (s:Summary {{namespace: $namespace, id: node.id}})
    {set_properties("s", NodeKind.SUMMARY)}
    WITH s CALL (s) {{ MATCH (s)-[r:SUMMARIZES|SEEDED_BY]->() DELETE r }}"""


async def write_summaries(
    writer: Writer, summaries: Sequence[Summary], nodes: Sequence[Mapping[str, Any]], refs: Mapping[str, NodeRef]
) -> None:
    """Stores summaries, whose properties are `nodes`, each in place of the one of its id; `refs`: them, their members and seeds."""
    if summaries:
        await writer.execute(_WRITE, {"nodes": list(nodes)})
        edges = [edge_row(edge) for summary in summaries for edge in summary_edges(refs[summary.id], summary, refs)]
        await create_edges(writer, sorted(edges, key=lambda edge: edge.target))


async def mark_stale(tx: Transaction, keys: Collection[int]) -> list[int]:
    """Marks these summaries and all above them; their keys."""
    return await _change(tx, _MARK, keys)


async def take_words(tx: Transaction, keys: Collection[int]) -> list[int]:
    """Something that these windows rest on is about to be deleted: all that may repeat it loses its words, and is stale. Keys.

    That is what one call wrote together with them, the threads of all these, what was written together with those, and the profile.
    """
    concerned, some = set[int](), set(keys)
    while some:
        [[others]] = await tx.rows(_WRITTEN_WITH, {"keys": sorted(some)})
        some |= set(others)
        concerned |= some
        [[owners]] = await tx.rows(_OWNERS, {"keys": sorted(some)})
        some = set(owners) - concerned
    return await _change(tx, _TAKE, concerned)


async def shared_calls(tx: Transaction, calls: Collection[str], keys: Collection[int]) -> set[str]:
    """Those of the marks of these summaries' calls that others have, too."""
    if not calls:
        return set()
    levels = [level.name for level in SummaryLevel]
    [[shared]] = await tx.rows(_SHARED, {"calls": sorted(calls), "keys": sorted(keys), "levels": levels})
    return set(shared)


async def _change(tx: Transaction, query: str, keys: Collection[int]) -> list[int]:
    if not keys:
        return []
    [[changed]] = await tx.execute(query, {"keys": sorted(keys), "now": tx.now})
    if changed:
        tx.summaries_changed()
    return list(changed)


_OWNERS = """UNWIND $at.keys AS key MATCH (:Summary {namespace: $namespace, key: key})<-[:SUMMARIZES]-(s:Summary)
    RETURN collect(DISTINCT s.key)"""
_LET_WAIT = f"""UNWIND $at.keys AS key MATCH (:Summary {{namespace: $namespace, key: key}})-[:SUMMARIZES]->(e:Event)
    WHERE e.retired_at IS NULL SET {WAITS}"""
_DROP = "UNWIND $at.keys AS key MATCH (s:Summary {namespace: $namespace, key: key}) DETACH DELETE s"


async def drop_summaries(tx: Transaction, keys: Collection[int]) -> None:
    """Deletes summaries; what they told of is told of by none, and those above that are left are stale."""
    if not keys:
        return
    wanted = {"keys": sorted(keys)}
    [[owners]] = await tx.rows(_OWNERS, wanted)
    await mark_stale(tx, set(owners) - set(keys))
    await tx.execute(_LET_WAIT, wanted)
    await tx.execute(_DROP, wanted)
    tx.summaries_changed()


_MEMBERLESS = """UNWIND $at.keys AS key MATCH (s:Summary {namespace: $namespace, key: key, level: $at.level})
    WHERE NOT EXISTS { (s)-[:SUMMARIZES]->() } WITH s ORDER BY s.key RETURN collect([s.key, s.id])"""


async def drop_memberless(tx: Transaction, keys: Collection[int]) -> list[str]:
    """Deletes those of these summaries that have no members, and then those above that have none left; their ids."""
    dropped: list[str] = []
    for level in SummaryLevel if keys else ():
        [[memberless]] = await tx.rows(_MEMBERLESS, {"keys": sorted(keys), "level": level.name})
        dropped += [id_ for _, id_ in memberless]
        await drop_summaries(tx, [key for key, _ in memberless])
    return dropped
