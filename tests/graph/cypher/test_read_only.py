"""Which queries may run on a snapshot: what reads passes as it stands, and whatever stands where a clause could begin must be known."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from graph.cypher.read_only import read_only_query
from graph.cypher.tokens import MAX_QUERY, TokenKind, tokens_of
from graph.errors import CypherInvalid, CypherRefused

GOOD = [
    "MATCH (n) RETURN n;",
    "MATCH (n:Message {id: 'x', order: 1})-[r:NEXT*1..3]->(m) WHERE n.text CONTAINS 'SET' RETURN n.set AS c ORDER BY c SKIP 1 LIMIT 2",
    "MATCH (a) WHERE EXISTS { MATCH (a)-->(b) WHERE b.id = 'x' } AND NOT a.name IS NULL RETURN CASE WHEN a.x = 1 THEN 1 ELSE 2 END AS x",
    "MATCH (a) RETURN CASE a.y WHEN 1 THEN NULL END AS z ORDER BY z ASC, a.id DESCENDING",
    "MATCH (a) CALL (a) { MATCH (a)-->(b) RETURN b } RETURN *",
    "MATCH (a) CALL { WITH a MATCH (a)-->(b) RETURN b } WITH * MATCH (b) RETURN DISTINCT b{.id, .*, k: 1} AS m",
    "RETURN 1 AS x UNION ALL RETURN 2 AS x UNION RETURN 3 AS x",
    "UNWIND $xs AS x RETURN [y IN range(0, x) WHERE y % 2 = 0 | y * 2][0..size($xs)] AS l",
    "MATCH p = shortestPath((a)-[*..3]-(b)) RETURN nodes(p), [n IN nodes(p) | n.id] AS ids",
    "MATCH (a) WHERE exists((a)-->()) AND a.id STARTS WITH 'x' OPTIONAL MATCH (a)-[:`IN SESSION`]->(s) RETURN a, s",
    "RETURN date.truncate('month', date()) AS d, duration.between(date(), date()).days AS e, reduce(s = 0, x IN [1] | s + x) AS r",
    "MATCH (a:A|B) WHERE a:A RETURN COUNT { (a)-[:X]->() } AS c, all(x IN [1] WHERE x > 0) AS ok, `set`, a.`delete`",
    "MATCH (m) WHERE m.text = \"it's\" XOR m.text =~ '(?i).*\\\\.x' RETURN m.text + '\\n' AS `a``b`",
]


@pytest.mark.parametrize("query", GOOD)
def test_what_reads_passes_as_it_stands(query: str) -> None:
    assert read_only_query(query) == query


def test_comments_become_blanks_and_every_token_keeps_its_place() -> None:
    query = "MATCH /* SET */ (n) // DELETE\nRETURN n /* ' */"
    clean = read_only_query(query)
    assert "SET" not in clean
    assert "DELETE" not in clean
    assert [(t.text, t.start) for t in tokens_of(clean)] == [(t.text, t.start) for t in tokens_of(query)]


@pytest.mark.parametrize(
    ("query", "clause"),
    [
        ("MATCH (n) SET n.x = 1", "SET"),
        ("match (n) detach delete n", "DETACH"),
        ("MATCH (n) RETURN n LOAD CSV FROM 'x' AS l", "LOAD"),
        ("MATCH (n) CALL db.labels() YIELD label RETURN label", "CALL"),
        ("CALL { CREATE (n) } RETURN 1", "CREATE"),
        ("CALL { MATCH (n) RETURN n } IN TRANSACTIONS RETURN n", "TRANSACTIONS"),
        ("RETURN apoc.load.json('x')", "APOC.LOAD.JSON"),
        ("RETURN x.y.size(1)", "X.Y.SIZE"),
        ("RETURN (1).size(1)", "SIZE"),
        ("RETURN [0..evil(1)]", "EVIL"),
        ("RETURN {a: evil(1)}", "EVIL"),
        ("WITH 1 AS set RETURN 1", "SET"),
        ("RETURN 1; RETURN 2", ";"),
        ("OPTIONAL CALL { RETURN 1 AS x } RETURN x", "CALL"),
        ("(n) RETURN n", "("),
    ],
)
def test_a_refusal_names_the_word(query: str, clause: str) -> None:
    with pytest.raises(CypherRefused, match="line 1, column") as raised:
        read_only_query(query)
    assert raised.value.metadata["clause"] == clause


@pytest.mark.parametrize(
    "query", ["", "  // nothing", "RETURN 'open", "RETURN (1", "RETURN 1)", "RETURN `", "RETURN 'a' 'b'", "RETURN 1 2", "RETURN $"]
)
def test_what_is_no_query_is_said_to_be_none(query: str) -> None:
    with pytest.raises(CypherInvalid):
        read_only_query(query)


@pytest.mark.parametrize(
    ("query", "place"),
    [
        ("MATCH (n RETURN n", "line 1, column 7: '(' is not closed"),
        ("RETURN (1", "line 1, column 8: '(' is not closed"),
        ("RETURN (1) +\n [1, (2)", "line 2, column 2: '[' is not closed"),
        ("MATCH (n)\nCALL { MATCH (m) RETURN m", "line 2, column 6: '{' is not closed"),
        ("RETURN 1)", "line 1, column 9: ')' closes nothing"),
        ("RETURN 'a\\x'", "line 1, column 10: only"),
        ("MTCH (n) RETURN n", "line 1, column 1: 'MTCH' is no word of Cypher: did you mean MATCH?"),
        ("MATCH (n)\nRETRN n", "line 2, column 1: 'RETRN' is no word of Cypher: did you mean RETURN?"),
        ("MATCH (n) WHERE n.x ANYTHING RETURN n", "line 1, column 21: 'ANYTHING' is no word of Cypher"),
    ],
)
def test_what_is_no_query_is_told_with_its_place(query: str, place: str) -> None:
    with pytest.raises(CypherInvalid, match=re.escape(place)):
        read_only_query(query)


def test_a_query_has_a_longest_length() -> None:
    with pytest.raises(CypherInvalid, match="longer"):
        read_only_query("RETURN 1" + " " * MAX_QUERY)


def quoted(text: str) -> str:
    return "'" + text.replace("\\", "\\\\").replace("'", "\\'") + "'"


@given(st.text(max_size=60))
def test_whatever_a_string_holds_is_one_token(text: str) -> None:
    query = f"RETURN {quoted(text)} AS x"
    assert [token.kind for token in tokens_of(query)] == [TokenKind.WORD, TokenKind.STRING, TokenKind.WORD, TokenKind.WORD]
    assert read_only_query(query) == query


@given(st.text(alphabet="MATCHSETDELETE(){}[]<>=-+*/'\"`\\$;:,. \n|nx1", max_size=80))
def test_whatever_comes_it_is_refused_or_holds_no_write(text: str) -> None:
    try:
        clean = read_only_query(text)
    except (CypherRefused, CypherInvalid):
        return
    tokens = tokens_of(clean)
    for index, token in enumerate(tokens):
        if token.word in {"SET", "DELETE"}:
            around = {tokens[index - 1].text if index else "", tokens[index + 1].text if index + 1 < len(tokens) else ""}
            assert around & {".", ":"}  # a property or a key of a map
