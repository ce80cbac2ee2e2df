"""What each step of a session's extraction read, as nodes."""

from collections.abc import Collection, Sequence

from graph.store.neo4j.driver.transaction import Transaction
from graph.store.neo4j.rows.node_writer import Writer
from graph.store.port import ExtractedSpan
from graph.store.rules.deleting import MOST_SPANS

# A call that read one session alone is no property: its index holds the others.
_INSERT = """UNWIND $at.rows AS row
    MERGE (x:ExtractionSpan {namespace: $namespace, session: row.session, last: row.last, first: row.first})
    SET x.read_from = row.read_from, x.call = row.call"""
_READING = f"""UNWIND $at.keys AS key MATCH (m:Message {{namespace: $namespace, key: key}})
    CALL (m) {{ MATCH (x:ExtractionSpan) WHERE x.namespace = $namespace AND x.session = m.session AND x.last >= m.seq
        WITH x ORDER BY x.namespace, x.session, x.last LIMIT {MOST_SPANS}
        WITH m, x WHERE x.read_from <= m.seq RETURN x }}
    WITH DISTINCT x
    CALL (x) {{ RETURN x AS span
        UNION MATCH (span:ExtractionSpan) WHERE span.namespace = $namespace AND span.call = x.call RETURN span }}
    WITH DISTINCT span
    MATCH (s:Session {{namespace: $namespace, name: span.session}})
    MATCH (n:Message) WHERE n.namespace = $namespace AND n.session = s.name AND n.seq >= span.first AND n.seq <= span.last
        AND n.seq <= s.extracted_seq
    RETURN collect(DISTINCT n.key)"""


async def insert_spans(writer: Writer, spans: Sequence[tuple[str, ExtractedSpan]]) -> None:
    """Stores spans, each with the name of its session; one that is there already is replaced."""
    rows = [{"session": name, "last": it.last, "first": it.first, "read_from": it.read_from, "call": it.call or None} for name, it in spans]
    if rows:
        await writer.execute(_INSERT, {"rows": rows})


async def extracted_in_view_of(tx: Transaction, messages: Collection[int]) -> set[int]:
    """The messages that were extracted with one of these in view."""
    if not messages:
        return set()
    [[found]] = await tx.rows(_READING, {"keys": sorted(messages)})
    return set(found)
