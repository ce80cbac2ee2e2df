"""What an import writes when all records have passed: counts of sessions, speakers and entities, statistics of terms, what waits."""

from collections import defaultdict
from collections.abc import Iterator, Sequence
from typing import TypeVar

from graph.model import Namespace, NodeKind
from graph.store.neo4j.importing.tally import ImportTally
from graph.store.neo4j.rows.entity_rows import count_mentions
from graph.store.neo4j.rows.node_writer import Writer
from graph.store.neo4j.rows.span_rows import insert_spans
from graph.store.neo4j.rows.summary_rows import WAITS
from graph.store.neo4j.schema import NODE_LABELS
from graph.store.rules.spec_rules import waits_for_vectors

_BATCH = 5_000
_TELL_SESSIONS = "UNWIND $at.rows AS row MATCH (s:Session {namespace: $namespace, key: row.key}) SET s += row.properties"
_MARK = "UNWIND $at.rows AS row CREATE (:FlushMark {namespace: $namespace, session: row[0], seq: row[1]})"
_MARK_AGAIN = """UNWIND $at.rows AS row MATCH (m:Message {namespace: $namespace, session: row[0], seq: row[1]})
    CREATE (:AgainMark {namespace: $namespace, session: row[0], seq: row[1]})"""
_COUNT_SPEAKERS = "UNWIND $at.rows AS row CREATE (:Speaker {namespace: $namespace, name: row[0], messages: row[1]})"
_STATISTICS = "UNWIND $at.rows AS row CREATE (s:TermStatistics {namespace: $namespace}) SET s += row"
_LET_WAIT = f"UNWIND $at.rows AS row MATCH (e:Event {{namespace: $namespace, key: row}}) SET {WAITS}"
_FURTHER = "UNWIND $at.rows AS row MATCH (m:Passage {namespace: $namespace, owner_key: row[0], ordinal: row[1]}) SET m.waits = true"
T = TypeVar("T")


def batches(rows: Sequence[T], size: int = _BATCH) -> Iterator[Sequence[T]]:
    """The rows, so many at a time."""
    for start in range(0, len(rows), size):
        yield rows[start : start + size]


async def write_sums(writer: Writer, namespace: Namespace, tally: ImportTally) -> None:
    """Writes all that the tally holds."""
    sessions = list(tally.sessions.values())
    told = (
        (_TELL_SESSIONS, [{"key": session.key, "properties": session.properties()} for session in sessions]),
        (_MARK, [[session.name, seq] for session in sessions for seq in session.flush_marks]),
        (_MARK_AGAIN, [[session.name, seq] for session in sessions for seq in session.again]),
        (_COUNT_SPEAKERS, [list(pair) for pair in tally.speakers.items()]),
        (_LET_WAIT, sorted(tally.unsummarized)),
        (_STATISTICS, [{**row, "revision": max(namespace.revision, 1)} for row in tally.statistics()]),
    )
    for query, rows in told:
        for some in batches(rows):
            await writer.execute(query, {"rows": some})
    for some_spans in batches([(session.name, span) for session in sessions for span in session.spans]):
        await insert_spans(writer, some_spans)
    for some_mentions in batches(list(tally.mentions.items())):
        await count_mentions(writer, some_mentions)
    if waits_for_vectors(namespace.embedding):
        await _let_wait(writer, tally)


async def _let_wait(writer: Writer, tally: ImportTally) -> None:
    """Marks the passages without a vector as waiting for one. Marked from the start, every passage would have been indexed twice."""
    first: defaultdict[NodeKind, list[int]] = defaultdict(list)
    further: list[list[int]] = []
    for (key, ordinal), (kind, _) in tally.bare.items():
        if ordinal:
            further.append([key, ordinal])
        else:
            first[kind].append(key)
    for kind, keys in first.items():
        query = f"UNWIND $at.rows AS row MATCH (m:{NODE_LABELS[kind]} {{namespace: $namespace, key: row}}) SET m.waits = true"
        for some in batches(keys):
            await writer.execute(query, {"rows": some})
    for some_further in batches(further):
        await writer.execute(_FURTHER, {"rows": some_further})
