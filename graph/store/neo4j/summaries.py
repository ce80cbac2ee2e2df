"""Reading summaries: in pages, their vectors, and all that a search looks through."""

from collections.abc import Mapping, Sequence

from graph.model import MEMORY_KINDS, NodeKind, Summary, SummaryLevel, to_micros
from graph.store.neo4j.as_of import add_all_said
from graph.store.neo4j.driver.handle import Handle
from graph.store.neo4j.listings import START, Bounds, after, in_namespace, page_of, page_rows
from graph.store.neo4j.rows.node_reading import ids_by_kind
from graph.store.neo4j.rows.summary_properties import SUMMARY_PROJECTION, summary_of, vector_of
from graph.store.neo4j.schema import NODE_LABELS
from graph.store.port import PAGE_BYTES, Cursor, Float16Vector, Page, SearchedSummaries, SummaryQuery

_BATCH = 1_000
# The windows of sessions, and all above them.
_OF_SESSIONS = f"""UNWIND {{names}} AS name MATCH (s:Session {{{{namespace: n.name, name: name}}}})
    MATCH (w:Summary) WHERE w.namespace = n.name AND w.session_key = s.key AND w.said_from > {START}
    MATCH (w)<-[:SUMMARIZES*0..]-(m:Summary) WITH DISTINCT n, m"""


async def list_summaries(
    handle: Handle, query: SummaryQuery, cursor: Cursor | None, limit: int, max_bytes: int = PAGE_BYTES
) -> Page[Summary]:
    """See `Memory.list_summaries`."""
    bounds = Bounds(limit, max_bytes)
    where = in_namespace()
    after(where, "m.said_from", cursor)
    if query.levels:
        where.one_of("m.level", sorted(level.name for level in query.levels))
    if query.happened is not None:
        start, end = where.value(to_micros(query.happened.start)), where.value(to_micros(query.happened.end))
        where.add(f"m.starts_at < {end} AND (m.ends_at > {start} OR m.starts_at >= {start})")
    if query.stale is not None:
        where.add(f"m.stale_since IS {'NOT ' if query.stale else ''}NULL")
    if query.as_of is not None:
        add_all_said(where, "m", query.as_of)
    source = _OF_SESSIONS.format(names=where.value(list(dict.fromkeys(query.sessions)))) if query.sessions else ""
    listed = await page_rows(handle, NodeKind.SUMMARY, where, ("m.said_from", "m.key"), bounds, source)
    return page_of(Summary, listed, bounds, "said_from")


async def first_vectors(handle: Handle, ids: Sequence[str]) -> Mapping[str, Float16Vector]:
    """See `Memory.first_vectors`."""
    wanted = ids_by_kind(ids)
    kinds = sorted({*MEMORY_KINDS, NodeKind.SUMMARY})
    body = " ".join(
        f"""CALL (n) {{ UNWIND $ids.{kind.name} AS id MATCH (m:{NODE_LABELS[kind]} {{namespace: n.name, id: id}}) WHERE m.v16 IS NOT NULL
            RETURN collect([m.id, m.v16]) AS {kind.name} }}"""
        for kind in kinds
    )
    asked = {"ids": {kind.name: wanted.get(kind, []) for kind in kinds}}
    found = await handle.row(f"{body} RETURN {', '.join(kind.name for kind in kinds)}", asked)
    blobs = {id_: blob for pairs in found for id_, blob in pairs}
    return {id_: vector_of(blobs[id_]) for id_ in dict.fromkeys(ids) if id_ in blobs}


_REVISION = "RETURN coalesce(n.summaries_revision, 0)"
_SAID = f"""CALL (n) {{ MATCH (m:Summary) WHERE m.namespace = n.name AND m.level = $level AND m.key > $after
    WITH m ORDER BY m.namespace, m.level, m.key LIMIT {_BATCH}
    RETURN collect([m.key, m.sentences IS NOT NULL, m{SUMMARY_PROJECTION}, m.v16]) AS found }} RETURN found"""


async def searched_summaries(handle: Handle, seen: int) -> SearchedSummaries | None:
    """See `Memory.searched_summaries`. What is written while they are read may be among them; it is then read again the next time."""
    (revision,) = await handle.row(_REVISION)
    if revision <= seen:
        return None
    summaries: list[Summary] = []
    vectors: dict[str, Float16Vector] = {}
    for level in SummaryLevel:
        last, more = 0, True
        while more:
            (found,) = await handle.row(_SAID, {"level": level.name, "after": last})
            more = len(found) == _BATCH
            last = found[-1][0] if found else last
            for _, speaks, row, blob in found:
                if speaks:
                    summaries.append(summary_of(row))
                    if blob is not None:
                        vectors[row["id"]] = vector_of(blob)
    return SearchedSummaries(revision, tuple(summaries), vectors)
