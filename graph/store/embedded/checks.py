"""The integrity check: what no fault and no bug should ever leave behind."""

from collections import defaultdict
from collections.abc import Callable, Iterator

import apsw

from graph.errors import NamespaceCorrupt
from graph.model import EdgeKind, Namespace, NodeKind, SummaryLevel
from graph.store.embedded.files.connection import rows
from graph.store.embedded.files.engine import Engine
from graph.store.embedded.files.faults import CATALOG_DAMAGED, storage_faults
from graph.store.embedded.files.identity import UnfitFile
from graph.store.embedded.files.namespace_file import NamespaceFile
from graph.store.embedded.rows.kind_numbers import DERIVED, OF_SESSION, SUMMARIZES
from graph.store.embedded.rows.node_keys import ids_of
from graph.store.embedded.rows.node_rows import read_memories
from graph.store.embedded.searching.entries import all_entries
from graph.store.memory_rows import PassageRow, memory_rows, source_of
from graph.store.port import Finding
from graph.store.rules.reanalysis import other_analyser

# Of one problem so many are listed; more would say no more.
_LISTED = 100
_DAMAGED = Finding("DAMAGED_FILE", "", "the file's structure is damaged")

_MESSAGE = int(NodeKind.MESSAGE)
_NEXT, _EVIDENCED_BY, _MENTIONS = int(EdgeKind.NEXT), int(EdgeKind.EVIDENCED_BY), int(EdgeKind.MENTIONS)
# (problem, sentence, query). Each query yields keys of nodes; of a node that is gone, the key that is left in its place.
_QUERIES: tuple[tuple[str, str, str], ...] = (
    (
        "DANGLING_EDGE",
        "an edge of this node points to a node that is gone",
        f"SELECT e.src FROM edges e LEFT JOIN nodes n ON n.key = e.dst WHERE n.key IS NULL AND e.kind != {_EVIDENCED_BY}",
    ),
    (
        "DANGLING_EDGE",
        "an edge to this node comes from a node that is gone",
        "SELECT e.dst FROM edges e LEFT JOIN nodes n ON n.key = e.src WHERE n.key IS NULL",
    ),
    (
        "DANGLING_EDGE",
        "the node that states an edge of this node is gone",
        "SELECT e.src FROM edges e LEFT JOIN nodes n ON n.key = e.via WHERE e.via != 0 AND n.key IS NULL",
    ),
    (
        "DANGLING_EVIDENCE",
        "the node rests on a message that is gone",
        f"""SELECT e.src FROM edges e LEFT JOIN nodes n ON n.key = e.dst AND n.kind = {_MESSAGE}
           WHERE e.kind = {_EVIDENCED_BY} AND n.key IS NULL""",
    ),
    (
        "WITHOUT_EVIDENCE",
        "the node rests on no message",
        f"""SELECT n.key FROM nodes n WHERE n.kind IN ({DERIVED})
           AND NOT EXISTS (SELECT 1 FROM edges e WHERE e.src = n.key AND e.kind = {_EVIDENCED_BY})""",
    ),
    (
        "ORPHAN",
        "the node's session is gone",
        f"SELECT n.key FROM nodes n LEFT JOIN sessions s ON s.key = n.session WHERE n.kind IN ({OF_SESSION}) AND s.key IS NULL",
    ),
    (
        "ORPHAN",
        "a passage is left of a node that is gone or retired",
        "SELECT p.owner FROM passages p LEFT JOIN nodes n ON n.key = p.owner AND n.retired_at IS NULL WHERE n.key IS NULL",
    ),
    (
        "ORPHAN",
        "a label is left of a message that is gone",
        "SELECT l.message FROM labels l LEFT JOIN nodes n ON n.key = l.message WHERE n.key IS NULL",
    ),
    (
        "ORPHAN",
        "a name is left of an entity that is gone",
        "SELECT a.entity FROM entity_names a LEFT JOIN nodes n ON n.key = a.entity WHERE n.key IS NULL",
    ),
    (
        "ORPHAN",
        "a vector is left of a passage that is gone",
        "SELECT 0 FROM vectors v LEFT JOIN passages p ON p.key = v.passage WHERE p.key IS NULL",
    ),
    (
        "VECTOR_OF_OTHER_TEXT",
        "a vector was made from another text than the node has",
        "SELECT p.owner FROM vectors v JOIN passages p ON p.key = v.passage WHERE p.digest != v.digest",
    ),
    (
        "VECTOR_OF_OTHER_TEXT",
        "a passage has a vector and waits for one",
        "SELECT p.owner FROM passages p JOIN vectors v ON v.passage = p.key WHERE p.waits = 1",
    ),
    (
        "BROKEN_CHAIN",
        "NEXT does not lead from this message to the one after it in its session",
        f"""SELECT key FROM (SELECT key, lead(key) OVER (PARTITION BY session ORDER BY seq) AS after FROM nodes WHERE kind = {_MESSAGE}) m
           WHERE after IS NOT (SELECT e.dst FROM edges e WHERE e.src = m.key AND e.kind = {_NEXT})""",
    ),
    (
        "BROKEN_CHAIN",
        "the message has more than one NEXT",
        f"SELECT src FROM edges WHERE kind = {_NEXT} GROUP BY src HAVING count(*) > 1",
    ),
    (
        "WATERMARK_BEYOND",
        "the session is marked as extracted beyond its messages",
        "SELECT key FROM sessions WHERE extracted_seq > last_seq",
    ),
    (
        "MISCOUNTED",
        "the session counts other messages than it has",
        f"""SELECT s.key FROM sessions s
           WHERE s.message_count != (SELECT count(*) FROM nodes n WHERE n.kind = {_MESSAGE} AND n.session = s.key)
           OR s.last_seq < (SELECT coalesce(max(seq), 0) FROM nodes n WHERE n.kind = {_MESSAGE} AND n.session = s.key)""",
    ),
    (
        "MISCOUNTED",
        "the entity counts other mentions than it has",
        f"""SELECT x.key FROM entities x WHERE x.mentions != (SELECT count(*) FROM edges e JOIN nodes n ON n.key = e.src
           WHERE e.dst = x.key AND e.kind = {_MENTIONS} AND n.retired_at IS NULL)""",
    ),
    (
        "UNCOVERED",
        "a current event is of no window and does not wait for one, or both",
        f"""SELECT n.key FROM nodes n WHERE n.kind = {NodeKind.EVENT:d} AND n.retired_at IS NULL
           AND (SELECT count(*) FROM edges e WHERE e.dst = n.key AND e.{SUMMARIZES})
             + (SELECT count(*) FROM waiting_events w WHERE w.key = n.key) != 1""",
    ),
    (
        "ORPHAN",
        "an event waits for a window and is gone or retired",
        "SELECT w.key FROM waiting_events w LEFT JOIN nodes n ON n.key = w.key AND n.retired_at IS NULL WHERE n.key IS NULL",
    ),
    (
        "ORPHAN",
        "the summary has no members, or is of two summaries of the level above",
        f"""SELECT s.key FROM summaries s WHERE NOT EXISTS (SELECT 1 FROM edges e WHERE e.src = s.key AND e.{SUMMARIZES})
           OR (SELECT count(*) FROM edges e WHERE e.dst = s.key AND e.{SUMMARIZES}) > 1""",
    ),
    (
        "ORPHAN",
        "the summary has a member that is not of the level below",
        f"""SELECT s.key FROM summaries s JOIN edges e ON e.src = s.key AND e.{SUMMARIZES} LEFT JOIN summaries m ON m.key = e.dst
           WHERE coalesce(m.level, 0) != s.level - 1""",
    ),
    (
        "ORPHAN",
        "the summary is a profile beside another one",
        f"""SELECT key FROM summaries WHERE level = {SummaryLevel.PROFILE:d}
           AND key > (SELECT min(key) FROM summaries WHERE level = {SummaryLevel.PROFILE:d})""",
    ),
    (
        "ORPHAN",
        "a summary's node or its row is left of it alone",
        f"""SELECT key FROM summaries WHERE key NOT IN (SELECT key FROM nodes WHERE kind = {NodeKind.SUMMARY:d})
           UNION ALL SELECT key FROM nodes WHERE kind = {NodeKind.SUMMARY:d} AND key NOT IN (SELECT key FROM summaries)""",
    ),
    (
        "MIXED_GENERATIONS",
        "a summary is not of the current generation",
        f"SELECT key FROM nodes WHERE kind = {NodeKind.SUMMARY:d} AND generation != (SELECT generation FROM state)",
    ),
    (
        "MIXED_GENERATIONS",
        "a current node is not of the current generation",
        f"SELECT key FROM nodes WHERE kind IN ({DERIVED}) AND retired_at IS NULL AND generation != (SELECT generation FROM state)",
    ),
)


def check(file: NamespaceFile, settings: Namespace, require: Callable[[int], None]) -> list[Finding]:
    """See `Memory.check`. A damaged file is a finding too, and then the only kind. `require` lets its revision pass, or raises."""
    try:
        with file.read_apart() as db:
            damage = [str(text) for (text,) in db.execute("PRAGMA integrity_check(20)") if text != "ok"]
            if damage:
                return [_DAMAGED]
            try:
                require(int(db.execute("SELECT revision FROM state").get))
                return [*_queried(db), *_reanalysed(db), *_index_findings(file, db, settings)]
            except (apsw.SQLError, LookupError, ValueError, TypeError, AssertionError) as error:
                return [Finding("DAMAGED_FILE", "", f"the content is not what the store writes ({type(error).__name__})")]
    except UnfitFile as error:
        return [Finding(error.problem, "", error.detail)]
    except NamespaceCorrupt:
        return [_DAMAGED]


def check_directory(engine: Engine) -> list[Finding]:
    """See `Store.check`."""
    found = [Finding("CATALOG_DAMAGED", "", CATALOG_DAMAGED)] if engine.catalog.damage() else []
    with storage_faults():
        names = sorted(path.name for path in (engine.directory / "namespaces").iterdir())
    strays = [name for name in names if not engine.catalog.knows(name.partition(".")[0])]
    return found + [Finding("STRAY_FILE", "", f"namespaces/{name} belongs to no namespace; move it away") for name in strays]


def _queried(db: apsw.Connection) -> Iterator[Finding]:
    for problem, sentence, query in _QUERIES:
        keys = [key for (key,) in rows(db, f"SELECT * FROM ({query}) LIMIT {_LISTED}")]
        ids = ids_of(db, keys)
        for key in keys:
            yield Finding(problem, ids.get(key, ""), sentence)


def _reanalysed(db: apsw.Connection) -> Iterator[Finding]:
    """Memories whose stored passages are not what the analyser makes of their text."""
    analyser = db.execute("SELECT analyser FROM state").get
    if other := other_analyser(analyser):
        yield other
        return
    zones = {str(name): str(zone) for name, zone in db.execute("SELECT name, time_zone FROM sessions")}
    for nodes in read_memories(db):
        stored = _stored_passages(db, min(nodes), max(nodes))
        for key, node in nodes.items():
            [row] = memory_rows([source_of(node, zones[node.session])])
            if list(row.passages) != stored.get(key, []):
                yield Finding("PASSAGES_OUT_OF_STEP", node.id, "the stored passages are not those of the node's text")


def _stored_passages(db: apsw.Connection, first: int, last: int) -> dict[int, list[PassageRow]]:
    stored: defaultdict[int, list[PassageRow]] = defaultdict(list)
    found = rows(
        db,
        "SELECT owner, ordinal, length, terms, counts, digest FROM passages WHERE owner >= ? AND owner <= ? ORDER BY owner, ordinal",
        (first, last),
    )
    for owner, *passage in found:
        stored[int(owner)].append(PassageRow(*passage))
    return stored


def _index_findings(file: NamespaceFile, db: apsw.Connection, settings: Namespace) -> Iterator[Finding]:
    """What the search index holds, against what the file says it should hold."""
    index = file.index.refreshed(db, settings.embedding.dimension)
    memories = passages = 0
    for chunk in all_entries(db):
        memories += len(chunk)
        passages += sum(len(entry.passages) for entry in chunk)
    if index.revision == int(db.execute("SELECT revision FROM state").get) and (memories, passages) != (
        index.memory_count,
        index.passage_count,
    ):
        detail = f"{index.memory_count} memories and {index.passage_count} passages instead of {memories} and {passages}"
        yield Finding("INDEX_OUT_OF_STEP", "", f"the search index holds {detail}")
