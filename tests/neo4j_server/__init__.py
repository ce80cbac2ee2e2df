"""A real Neo4j Community server without a container: what tests, benchmarks and `make neo4j` start.

The jars come from Maven Central (`pom.xml` pins the version) and are kept in the user's cache; a JDK of 21 or later runs them.
Why here: docs/decisions.md#neo4j-launcher.
"""

from tests.neo4j_server.missing import Missing
from tests.neo4j_server.options import ServerOptions
from tests.neo4j_server.requirements import find_jdk, find_maven, missing
from tests.neo4j_server.server import Neo4jServer

__all__ = ["Missing", "Neo4jServer", "ServerOptions", "find_jdk", "find_maven", "missing"]
