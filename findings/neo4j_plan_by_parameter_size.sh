#!/usr/bin/env bash
# Neo4j 2026.09.0 Community, driver 6.4.1: one query with one parameter is planned several times, once for each order of magnitude of the parameter's length.
# Parameters are there so that a query is planned once, and batches of one, a dozen and a few hundred ids are what they are used for; each new size of list
# or string waits for the planner again, and takes a place in the cache of plans. Of numbers of any size there is one plan, and of a list inside a map as well:
# UNWIND $parameters.ids in place of UNWIND $ids is planned once. `CALL db.clearQueryCaches()` counts what was cached.
# Seen: queries cached after four runs with sizes of 1, 10, 100 and 1,000: list 4, string 4, number 1, list in a map 1. Fails when that changes.
# Wants a JDK of 21 or later, and Maven.
set -euo pipefail
made=$(mktemp -d)
server=
clean() {
  if [ -n "$server" ]; then kill "$server" && wait "$server" || true; fi
  rm -rf "$made"
}
trap clean EXIT
cd "$made"

# Neo4j runs on Java 21 and 25: the newest JDK of JAVA_HOME, the PATH and the usual folders.
java=$(for java in "${JAVA_HOME:-/usr}/bin/java" "$(command -v java || true)" /usr/lib/jvm/*/bin/java /opt/*/bin/java; do
  if [ -x "$java" ]; then echo "$("$java" -version 2>&1 | sed -n 's/.* version "\([0-9]*\).*/\1/p') $java"; fi
done | sort -n | tail -n 1)
if [ "${java%% *}" -lt 21 ]; then echo "Neo4j wants a JDK of 21 or later" >&2; exit 2; fi
cat >pom.xml <<'XML'
<project xmlns="http://maven.apache.org/POM/4.0.0">
  <modelVersion>4.0.0</modelVersion>
  <groupId>example</groupId>
  <artifactId>server</artifactId>
  <version>1</version>
  <packaging>pom</packaging>
  <dependencies>
    <dependency><groupId>org.neo4j</groupId><artifactId>neo4j</artifactId><version>2026.09.0</version></dependency>
  </dependencies>
</project>
XML
mvn -q -B -Dstyle.color=never dependency:copy-dependencies -DoutputDirectory=lib
python3 -m venv venv
venv/bin/python -m pip install --quiet --disable-pip-version-check neo4j==6.4.1
port=$(python3 -c 'import socket; s = socket.socket(); s.bind(("127.0.0.1", 0)); print(s.getsockname()[1])')
mkdir conf
cat >conf/neo4j.conf <<CONF
server.bolt.listen_address=127.0.0.1:$port
server.http.enabled=false
server.memory.heap.max_size=512m
server.memory.pagecache.size=64m
dbms.security.auth_enabled=false
dbms.usage_report.enabled=false
CONF
"${java#* }" -cp 'lib/*' --add-opens java.base/java.nio=ALL-UNNAMED --add-opens java.base/sun.nio.ch=ALL-UNNAMED --add-modules jdk.incubator.vector \
  org.neo4j.server.Neo4jCommunity --home-dir="$made" --config-dir="$made/conf" --console-mode >server.log 2>&1 &
server=$!
cat >ask.py <<'PYTHON'
import re
import sys
import time

from neo4j import GraphDatabase
from neo4j.exceptions import ServiceUnavailable


def connected(port: str):
    """A driver, once the server answers, which it does after some ten seconds."""
    driver = GraphDatabase.driver(f"bolt://127.0.0.1:{port}", notifications_min_severity="OFF")
    for _ in range(120):
        try:
            driver.verify_connectivity()
        except ServiceUnavailable:
            time.sleep(1)
        else:
            return driver
    raise SystemExit("the server did not start")


QUERIES = {
    "list": ("UNWIND $ids AS id MATCH (n:Event {id: id}) RETURN count(n)", lambda size: {"ids": list(range(size))}),
    "string": ("MATCH (n:Event {text: $text}) RETURN count(n)", lambda size: {"text": "a" * size}),
    "number": ("MATCH (n:Event {id: $id}) RETURN count(n)", lambda size: {"id": size}),
    "list in a map": ("UNWIND $parameters.ids AS id MATCH (n:Event {id: id}) RETURN count(n)", lambda size: {"parameters": {"ids": list(range(size))}}),
}
with connected(sys.argv[1]) as driver:

    def cleared() -> int:
        """How many queries were in the caches, which are empty now."""
        [[told]] = driver.execute_query("CALL db.clearQueryCaches()").records
        count = re.search(r"\d+", told)
        return int(count[0]) if count else 0

    driver.execute_query("CREATE (:Event {id: 1, text: 'a'})")
    cached = {}
    for name, (query, parameters) in QUERIES.items():
        cleared()
        for size in (1, 10, 100, 1_000):
            driver.execute_query(query, parameters(size))
        cached[name] = cleared()
print("Queries cached after four runs of one text:", cached)
assert cached == {"list": 4, "string": 4, "number": 1, "list in a map": 1}
PYTHON
venv/bin/python ask.py "$port"
