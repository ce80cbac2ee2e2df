"""Queries of somebody who means harm: each is tried on snapshots and on a real Neo4j, and none may do what it tries.

FILE stands for a file on the server's disk, OTHER for an id of another namespace's node.
"""

from dataclasses import dataclass
from enum import Enum


class Aim(Enum):
    """What a query is after."""

    WRITE = "write"
    CALL = "call a procedure"
    READ_FILE = "read a file or an address"
    ADMINISTER = "look at or change the server"
    HIDE = "hide a word from whoever looks for it"
    EXHAUST = "take time or memory without end"
    FLOOD = "answer without end"
    TRESPASS = "see another namespace"


@dataclass(frozen=True)
class Hostile:
    """A query and what it is after."""

    aim: Aim
    query: str


HOSTILE = [
    Hostile(aim, query)
    for aim, queries in {
        Aim.WRITE: [
            "CREATE (n:Evil)",
            "MATCH (n) SET n.evil = 1 RETURN n",
            "MATCH (n) SET n:Evil",
            "MATCH (n) SET n += {evil: 1}",
            "MATCH (n) REMOVE n.text RETURN n",
            "MATCH (n) DELETE n",
            "MATCH (n) DETACH DELETE n",
            "MATCH (n) NODETACH DELETE n",
            "MERGE (n:Evil {id: 1}) RETURN n",
            "MATCH (a), (b) MERGE (a)-[:EVIL]->(b)",
            "MATCH (n) FOREACH (x IN [1] | SET n.evil = x)",
            "FOREACH (x IN [1] | CREATE (:Evil))",
            "INSERT (n:Evil)",
            "MATCH (n) CALL { WITH n SET n.evil = 1 } RETURN n",
            "MATCH (n) CALL (n) { SET n.evil = 1 } RETURN n",
            "CALL { CREATE (n:Evil) RETURN n } RETURN n",
            "CALL { CREATE (n:Evil) } IN TRANSACTIONS",
            "UNWIND [1, 2] AS x CALL { WITH x CREATE (:Evil {x: x}) } IN 2 CONCURRENT TRANSACTIONS OF 1 ROWS RETURN x",
            "MATCH (n) WHERE EXISTS { CREATE (m:Evil) } RETURN n",
            "MATCH (n) WHERE EXISTS { MATCH (n) SET n.evil = 1 RETURN n } RETURN n",
            "RETURN COUNT { MATCH (n) DELETE n } AS c",
            "RETURN COLLECT { CREATE (n:Evil) RETURN n } AS c",
            "MATCH (n) RETURN n; MATCH (m) DETACH DELETE m",
            "MATCH (n) RETURN n UNION CREATE (n:Evil) RETURN n",
            "WITH 1 AS x CREATE (n:Evil) RETURN n",
            "RETURN 1 AS x NEXT CREATE (n:Evil) RETURN n",
        ],
        Aim.CALL: [
            "CALL db.labels()",
            "CALL db.labels() YIELD label RETURN label",
            "CALL dbms.listConfig() YIELD name, value RETURN name, value",
            "CALL dbms.components()",
            "CALL db.createLabel('Evil')",
            "CALL db.create.setNodeVectorProperty(null, 'embedding', [1.0])",
            "CALL apoc.cypher.doIt('CREATE (n:Evil)', {}) YIELD value RETURN value",
            "CALL apoc.load.json('file:///etc/passwd') YIELD value RETURN value",
            "RETURN apoc.text.join(['a', 'b'], ',')",
            "MATCH (n) WITH n CALL apoc.create.setProperty(n, 'evil', 1) YIELD node RETURN node",
            "OPTIONAL CALL db.labels() YIELD label RETURN label",
            "RETURN `apoc`.`load`('x')",
            "CALL { CALL db.labels() YIELD label RETURN label } RETURN label",
        ],
        Aim.READ_FILE: [
            "LOAD CSV FROM 'file:///FILE' AS line RETURN line",
            "LOAD CSV WITH HEADERS FROM 'file:///FILE' AS line RETURN line",
            "LOAD CSV FROM 'http://127.0.0.1:1/' AS line RETURN line",
            "LOAD CSV FROM $url AS line RETURN line",
            "LOAD CSV FROM 'file:' + '///FILE' AS line RETURN line",
            "MATCH (n) CALL { LOAD CSV FROM 'file:///FILE' AS line RETURN line } RETURN line",
            "CALL { LOAD CSV FROM 'file:///etc/passwd' AS line RETURN line } RETURN line",
            "MATCH (n) WHERE EXISTS { LOAD CSV FROM 'file:///FILE' AS line RETURN line } RETURN n",
            "COPY (MATCH (n) RETURN n) TO 'FILE'",
            "LOAD FROM 'FILE' RETURN *",
        ],
        Aim.ADMINISTER: [
            "USE system SHOW USERS",
            "USE neo4j MATCH (n) RETURN n",
            "SHOW DATABASES",
            "SHOW USERS",
            "SHOW SETTINGS YIELD name, value RETURN name, value",
            "SHOW TRANSACTIONS",
            "SHOW PROCEDURES YIELD name RETURN name",
            "SHOW INDEXES",
            "TERMINATE TRANSACTIONS 'neo4j-transaction-1'",
            "SHOW TRANSACTIONS YIELD transactionId AS t TERMINATE TRANSACTIONS t YIELD message RETURN message",
            "CREATE INDEX evil FOR (n:Message) ON (n.text)",
            "CREATE CONSTRAINT evil FOR (n:Message) REQUIRE n.text IS UNIQUE",
            "DROP CONSTRAINT message_id IF EXISTS",
            "CREATE DATABASE evil",
            "DROP DATABASE neo4j",
            "CREATE USER evil SET PASSWORD 'evil-password'",
            "ALTER CURRENT USER SET PASSWORD FROM 'a' TO 'b'",
            "GRANT ROLE admin TO evil",
            "EXPLAIN MATCH (n) RETURN n",
            "PROFILE CREATE (n:Evil)",
            "PROFILE MATCH (n) RETURN n",
            "MATCH (n) RETURN n FORMAT CSV",
            "FOR VALID_TIME ALL MATCH (n) RETURN n",
        ],
        Aim.HIDE: [
            "/* just looking */ CREATE (n:Evil)",
            "MATCH (n) /**/SET/**/ n.evil = 1",
            "MATCH (n) // RETURN n\nSET n.evil = 1",
            "MATCH (n) RETURN n /* ' */ ; CREATE (m:Evil) // '",
            "MATCH (n)\tsEt\tn.evil = 1",
            "MATCH (n)\nDeLeTe\nn",
            "CR\\u0045ATE (n:Evil)",
            "MATCH (n) \\u0053ET n.evil = 1",
            "MATCH (n) WHERE n.text = 'x\\u0027 CREATE (m:Evil) //' RETURN n",
            "\\u004cOAD CSV FROM 'file:///FILE' AS line RETURN line",
            "MATCH (n) RETURN n.text AS `x` CREATE (m:`Evil`)",
            "MATCH (`n`) SET `n`.`evil` = 1",
            "CALL `db`.`labels`()",
            "MATCH (n) RETURN 'it''s' CREATE (m:Evil) RETURN 'x'",
            'MATCH (n) RETURN "\'" CREATE (m:Evil) RETURN "\'"',
            "MATCH (n)\u00a0SET\u00a0n.evil = 1",
            "MATCH (n)\u2028SET n.evil = 1",
            "CYPHER runtime=interpreted CREATE (n:Evil)",
            "CYPHER 25 PROFILE CREATE (n:Evil)",
            "EXPLAIN PROFILE CREATE (n:Evil)",
            "RETURN SET (n) AS x",
        ],
        Aim.EXHAUST: [
            "UNWIND range(1, 1000) AS a UNWIND range(1, 1000) AS b UNWIND range(1, 1000) AS c UNWIND range(1, 1000) AS d RETURN count(*)",
            "MATCH (a), (b), (c), (d), (e), (f), (g), (h), (i), (j), (k), (l) RETURN count(*)",
            "MATCH (a)-[*]-(b)-[*]-(c)-[*]-(d)-[*]-(e)-[*]-(f) RETURN count(*)",
            "MATCH (a), (b), (c), (d), (e), (f), (g), (h), (i), (j) WITH * ORDER BY a.id + b.id + c.id RETURN collect(a.id + j.id)",
            "UNWIND range(1, 9000000000000000000) AS x RETURN count(x)",
            "RETURN size(range(1, 9000000000000000000))",
            "RETURN reduce(s = 'a', x IN range(1, 60) | s + s)",
            "RETURN reduce(s = [1], x IN range(1, 60) | s + s)",
            "UNWIND range(1, 100000) AS x RETURN collect([y IN range(1, 100000) WHERE x = y])",
            "WITH reduce(s = 'a', x IN range(1, 24) | s + s) AS long UNWIND range(1, 1000000) AS i RETURN count(long =~ '(a+)+b')",
            "RETURN reduce(a = 0, x IN range(1, 30000) | reduce(b = a, y IN range(1, 30000) | b + y % 7))",
            "RETURN [x IN range(1, 1000000) | [y IN range(1, 1000000) | x]]",
            "WITH 'ha' AS s " + "WITH s + s AS s " * 40 + "RETURN size(s)",
            "WITH [1, 2] AS s " + "WITH s + s AS s " * 60 + "RETURN size([x IN s WHERE x = 3])",
            "WITH 'ha' AS s " + "WITH s || s || s AS s " * 25 + "RETURN size(s)",
            "WITH 'hahahahaha' AS s " + "WITH replace(s, 'h', s) AS s " * 6 + "RETURN size(s)",
            "WITH 'h' AS s " + f"WITH replace(s, 'h', '{'h' * 100}') AS s " * 6 + "RETURN size(s)",
            "WITH 'ha' AS s " + "UNWIND [s + s] AS t WITH t AS s " * 40 + "RETURN size(s)",
            "WITH 'ha' AS s " + "WITH s + 1 + s AS s " * 40 + "RETURN size(s)",
            "WITH 'ha' AS s " + "WITH replace(s, '', 'h') AS s " * 40 + "RETURN size(s)",
            "WITH 'hahahahaha' AS s " + "WITH {a: replace(s, 'h', s)} AS m WITH m.a AS s " * 6 + "RETURN size(s)",
            "WITH 'ha' AS s WITH [x IN range(1, 10000) | s + x] AS s RETURN size([x IN s | s + x])",
            "RETURN {a: reduce(a = 0, x IN range(1, 1000000000) | a + x % 7)}",
            "RETURN {a: range(1, 1000000000)}",
            "UNWIND range(1, 300000) AS i WITH collect(i) AS l RETURN size([x IN l WHERE l = l]) AS n",
            "UNWIND range(1, 300000) AS i WITH collect(i) AS l RETURN all(x IN l WHERE tail(l) <= tail(l)) AS n",
            "RETURN [1, 2][0..reduce(a = 0, x IN range(1, 1000000000) | a + x % 7)]",
        ],
        Aim.FLOOD: [
            "UNWIND range(1, 1000000) AS x RETURN x, 'row ' + toString(x) AS text",
            "WITH reduce(s = 'a', x IN range(1, 15) | s + s) AS long UNWIND range(1, 100000) AS x RETURN x, long",
            "RETURN reduce(s = 'a', x IN range(1, 22) | s + s) AS long",
            "RETURN [x IN range(1, 3000000) | x] AS long",
            "WITH 'ha' AS s " + "WITH [s, s] AS s " * 40 + "RETURN s",
            "WITH 'ha' AS s " + "WITH {a: s, b: s} AS s " * 40 + "RETURN s",
        ],
        Aim.TRESPASS: [
            "MATCH (n) RETURN n",
            "MATCH (n) WHERE n.namespace <> 'home' RETURN n",
            "MATCH (n {namespace: 'other'}) RETURN n",
            "MATCH (n {id: 'OTHER'}) RETURN n",
            "MATCH (n) WHERE id(n) = 'OTHER' OR n.id = 'OTHER' RETURN n",
            "MATCH (n)-[*1..4]-(m {namespace: 'other'}) RETURN n, m",
            "MATCH (n:Namespace) RETURN n",
            "MATCH (m:Message) WHERE m.text CONTAINS 'secret' RETURN m.text",
        ],
    }.items()
    for query in queries
]
