#!/usr/bin/env bash
# Neo4j 2026.09.0 Community, driver 6.4.1: a transaction that the server's own setting db.transaction.timeout ends is told as ended by the client's time-out,
# although no client set one: code Neo.ClientError.Transaction.TransactionTimedOutClientConfiguration, GQL status 25N14, "the timeout specified at its
# start by the client". The list of codes has another one, ...TransactionTimedOut (https://neo4j.com/docs/status-codes/current/errors/all-errors/), so that who
# tells the limits apart by their codes looks for this one in the wrong program; and where a client did set a time-out, nothing tells which of the two it was.
# Seen: that code, status and message, the same with a client's time-out and without. Fails when that changes. Wants a JDK of 21 or later, and Maven.
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
db.transaction.timeout=20s
CONF
"${java#* }" -cp 'lib/*' --add-opens java.base/java.nio=ALL-UNNAMED --add-opens java.base/sun.nio.ch=ALL-UNNAMED --add-modules jdk.incubator.vector \
  org.neo4j.server.Neo4jCommunity --home-dir="$made" --config-dir="$made/conf" --console-mode >server.log 2>&1 &
server=$!
cat >ask.py <<'PYTHON'
import sys
import time

from neo4j import GraphDatabase, Query
from neo4j.exceptions import ClientError, ServiceUnavailable


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


LONG = "UNWIND range(1, 100000) AS one UNWIND range(1, 100000) AS other RETURN max(one * other)"


def told(session, query) -> tuple[str, str, bool]:
    """The code and the status of the error that ends the query, and whether the message blames the client."""
    try:
        session.run(query).consume()
    except ClientError as error:
        return error.code, error.gql_status, "by the client" in error.message
    raise SystemExit("the query was not ended")


with connected(sys.argv[1]) as driver, driver.session() as session:
    [[setting]] = session.run("SHOW SETTINGS 'db.transaction.timeout' YIELD value RETURN value")
    by_server = told(session, LONG)
    by_client = told(session, Query(LONG, timeout=1))
print(f"db.transaction.timeout {setting}; no time-out of the client: {by_server}; one of the client: {by_client}")
assert setting == "20s"
assert by_server == by_client == ("Neo.ClientError.Transaction.TransactionTimedOutClientConfiguration", "25N14", True)
PYTHON
venv/bin/python ask.py "$port"
