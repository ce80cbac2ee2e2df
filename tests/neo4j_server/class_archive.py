"""Java's archive of the server's classes: a server that is given it need not read and check 20,000 classes from 230 jars.

Made once for a version of Neo4j and of Java, by a server that does a bit of everything and is then ended in order, and kept beside the jars
(100 MB). https://docs.oracle.com/en/java/javase/25/vm/class-data-sharing.html
"""

import fcntl
from collections.abc import Callable
from pathlib import Path

import neo4j
from neo4j.exceptions import DriverError, Neo4jError

from tests.neo4j_server.jars import jars_folder
from tests.neo4j_server.requirements import java_runtime

# What most tests make the server load beyond what starting does: Bolt, the planner, the indexes and the vectors.
_EXERCISES = (
    "CREATE CONSTRAINT a IF NOT EXISTS FOR (n:A) REQUIRE (n.name, n.id) IS UNIQUE",
    "CREATE INDEX b IF NOT EXISTS FOR (n:A) ON (n.at, n.key)",
    "CREATE FULLTEXT INDEX c IF NOT EXISTS FOR (n:A|B) ON EACH [n.text] OPTIONS {indexConfig: {`fulltext.analyzer`: 'whitespace'}}",
    """CYPHER 25 CREATE VECTOR INDEX d IF NOT EXISTS FOR (n:A|B) ON n.vector WITH [n.name]
        OPTIONS {indexConfig: {`vector.dimensions`: 3, `vector.similarity_function`: 'cosine', `vector.quantization.type`: 'scalar'}}""",
    "CALL db.awaitIndexes(60)",
    "SHOW INDEXES YIELD name, state RETURN collect([name, state])",
    """UNWIND $rows AS row MERGE (n:A {name: 'x', id: row.id}) SET n += row, n.on = datetime({epochSeconds: row.at})
        WITH n, row CALL db.create.setNodeVectorProperty(n, 'vector', row.vector)""",
    """MATCH (a:A {name: 'x', id: 1}) MATCH (b:A {name: 'x', id: 2}) CREATE (a)-[r:NEXT {order: 1}]->(b) SET r.by = 'y'
        FOREACH (i IN range(1, 3) | MERGE (:B {i: i}))""",
    """MATCH (a:A) WHERE a.at >= 0 AND a.key > 0 CALL (a) { OPTIONAL MATCH (a)-[r:NEXT]->(x) WHERE EXISTS { (x)<-[:NEXT]-() }
        RETURN collect([r.order, x.id]) AS found UNION ALL MATCH (b:B) WHERE b.i = a.id RETURN collect(b.i) AS found }
        WITH a, reduce(s = 0, f IN found | s + 1) AS size ORDER BY a.at, a.key LIMIT 5
        RETURN properties(a), [(a)--(x) | x{.id}], size""",
    "CALL db.index.fulltext.queryNodes('c', 'word~ OR text') YIELD node, score RETURN node.id, score",
    "CYPHER 25 MATCH (m) SEARCH m IN (VECTOR INDEX d FOR $q WHERE m.name = 'x' LIMIT 5) SCORE AS s RETURN m.id, s",
    "MATCH (n) CALL (n) { DETACH DELETE n } IN TRANSACTIONS OF 100 ROWS",
)


def archive_path(java_home: Path) -> Path:
    """Where the archive for this Java is, once it is made."""
    return jars_folder().with_name(f"{jars_folder().name}-java-{java_runtime(java_home)}.jsa")


def class_archive(java_home: Path, train: Callable[[Path], None]) -> Path | None:
    """The archive, or None: another process is making it, or it could not be made here.

    Args:
        java_home: the Java that reads it.
        train: runs a server that writes it to the path.
    """
    path = archive_path(java_home)
    if not path.exists():
        with path.with_suffix(".lock").open("w") as lock:
            try:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                return None
            if not path.exists():
                _make(path, train)
    return path if path.stat().st_size else None


def _make(path: Path, train: Callable[[Path], None]) -> None:
    part = path.with_suffix(".part")
    part.unlink(missing_ok=True)
    try:
        train(part)
        part.rename(path)  # whole or not at all
    except (OSError, RuntimeError, DriverError, Neo4jError):
        path.touch()  # empty: it is not tried at every start


def exercise(uri: str) -> None:
    """Makes a server, without authentication, load what most tests need of it."""
    rows = [{"id": i, "key": i, "at": i, "text": f"some text {i}", "vector": [1.0, i, 0.5]} for i in range(1, 20)]
    with neo4j.GraphDatabase.driver(uri, notifications_min_severity="OFF") as driver, driver.session() as session:
        for query in _EXERCISES:
            session.run(query, {"rows": rows, "q": [1.0, 2.0, 0.5]}).consume()
