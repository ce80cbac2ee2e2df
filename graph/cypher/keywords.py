"""The words that a query on a snapshot may use. What is not here is refused, whatever the engine would make of it."""


def _words(text: str) -> frozenset[str]:
    return frozenset(text.split())


OPENING = frozenset({"MATCH", "OPTIONAL", "UNWIND", "WITH", "RETURN", "CALL"})
"""Begin a statement."""

CLAUSES = OPENING | {"WHERE", "ORDER", "SKIP", "OFFSET", "LIMIT", "UNION"}
"""Begin a clause."""

_JOINING = _words("AS AND OR XOR IN IS CONTAINS STARTS ENDS WHEN THEN ELSE END ASC ASCENDING DESC DESCENDING")

AFTER_OPERAND = CLAUSES | _JOINING
"""May follow a value: begin the next clause, or go on with the expression."""

COMPLETING = frozenset({"END", "ASC", "ASCENDING", "DESC", "DESCENDING"})
"""Follow a value and leave one behind, so that no value need come next."""

BEFORE_OPERAND = frozenset({"NOT", "DISTINCT", "CASE", "WHEN"})
"""May come where a value is awaited, which then comes next."""

FOLLOWERS = {"MATCH": {"OPTIONAL"}, "WITH": {"STARTS", "ENDS"}, "BY": {"ORDER"}}
"""Second words, each with its first ones."""

SUBQUERIES = frozenset({"EXISTS", "COUNT"})
"""Followed by a brace they hold a statement of their own."""

_ELSEWHERE = _words(
    """CREATE MERGE SET DELETE DETACH NODETACH REMOVE INSERT FOREACH LOAD CSV USE SHOW TERMINATE DROP ALTER GRANT DENY REVOKE YIELD
    EXPLAIN PROFILE FORMAT FINISH TRANSACTIONS COPY ATTACH INSTALL EXPORT IMPORT HAVING FILTER"""
)

RESERVED = CLAUSES | (_JOINING - {"END"}) | _ELSEWHERE
"""May not name anything unless they stand in backticks: to an engine they may be the beginning of something else."""

FUNCTIONS = _words(
    """id elementid labels type keys properties nodes relationships length degree
    shortestpath exists all any none single reduce coalesce head last tail size range reverse
    count collect sum avg min max stdev
    tostring toupper tolower trim ltrim rtrim left right substring replace split
    tointeger tofloat toboolean valuetype abs ceil floor round sign sqrt exp log log10 pi rand
    sin cos tan cot asin acos atan atan2 degrees radians
    date datetime localdatetime time localtime duration date.truncate datetime.truncate localdatetime.truncate
    duration.between duration.inmonths duration.indays duration.inseconds"""
)
"""Functions, in lower case."""
