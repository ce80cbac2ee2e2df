#!/usr/bin/env bash
# Neo4j's Python driver 6.4.1 on Neo4j 2026.09.0 Community: a datetime with the offset Z that was read cannot be found again by its own value. The driver
# reads it as one of the zone pytz.UTC, whose name it sends back, and for Cypher ...Z and ...Z[UTC] are two values of one instant: `n.at = $at` is false and
# `n.at < $at` true, so that a list by falling time that goes on below the last time it gave begins with that row again. Other offsets and named zones come
# back equal; so does Python's datetime.timezone.utc, which is sent as an offset, while zoneinfo.ZoneInfo("UTC") is sent as a name. Python calls all of them
# equal. pytz.FixedOffset(0), which the driver asks for, is pytz.UTC (others meet it: https://github.com/getzep/graphiti/issues/1864).
# Seen: equal after the way there and back: +02:00 and Europe/Lisbon; not equal, but less: Z. Fails when that changes. Wants a JDK of 21 or later, and Maven.
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
import sys
import time
from datetime import UTC, datetime
from zoneinfo import ZoneInfo

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


with connected(sys.argv[1]) as driver:

    def compared(stored: str, sent) -> tuple[bool, bool, bool]:
        """Of a stored time and one that is sent: are they equal, is the stored one less, are they of one instant."""
        query = "MATCH (n:Event {at: datetime($stored)}) RETURN n.at = $sent, n.at < $sent, n.at.epochMillis = $sent.epochMillis"
        [record] = driver.execute_query(query, {"stored": stored, "sent": sent}).records
        return tuple(record)

    results = {}
    for stored in ("2026-05-01T12:00:00Z", "2026-05-01T12:00:00+02:00", "2026-05-01T12:00:00[Europe/Lisbon]"):
        [[read]] = driver.execute_query("CREATE (n:Event {at: datetime($stored)}) RETURN n.at", {"stored": stored}).records
        results[f"{stored}, as it was read"] = compared(stored, read)
    for zone in (UTC, ZoneInfo("UTC")):
        results[f"2026-05-01T12:00:00Z, {zone!r}"] = compared("2026-05-01T12:00:00Z", datetime(2026, 5, 1, 12, tzinfo=zone))
for name, (equal, less, instant) in results.items():
    print(f"{name}: equal {equal}, less {less}, one instant {instant}")
same, other = (True, False, True), (False, True, True)
assert list(results.values()) == [other, same, same, same, other]
PYTHON
venv/bin/python ask.py "$port"
