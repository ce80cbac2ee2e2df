"""What a query may not say on the database itself although its plan would not show it.

- another database (USE), modes and options (EXPLAIN, PROFILE, CYPHER …);
- functions that others installed on the server: they may run queries of their own;
- work without end inside one expression, which the server does not look up from when its time is over: regular expressions (Java's go back
  and forth for ever on the wrong text), `reduce`, one iteration over a list inside another, a comparison within one that may go through
  another list (`l = l`), and `range` over more than a few thousand numbers other than by UNWIND, whose rows are interrupted;
- values without end: a text or list that doubles from clause to clause (`WITH s + s AS s`, again and again), or is copied for each element
  of another list, takes all of the server's memory in one step, which no limit of a transaction sees coming.
"""

from collections.abc import Callable, Collection
from typing import NamedTuple

from graph.cypher.tokens import Token, TokenKind, place_of, tokens_of
from graph.errors import CypherRefused

# Neo4j's own functions with a namespace; those of plugins always have one.
_FUNCTION_SPACES = frozenset({"date", "datetime", "localdatetime", "time", "localtime", "duration", "point", "vector"})
_MODES = frozenset({"USE", "EXPLAIN", "PROFILE"})
_LOOPS = frozenset({"REDUCE", "ALLREDUCE"})
_PREDICATES = frozenset({"ANY", "ALL", "NONE", "SINGLE"})
# Of names, in [0..size(nodes(path)) - 1] and the like: lists that the graph itself bounds.
_MEASURES = frozenset({"SIZE", "LENGTH", "NODES", "RELATIONSHIPS", "LABELS", "KEYS"})
_LONGEST_RANGE = 10_000
_COMPARING = frozenset("=<>")
# Beside `<` and `>` these make a pattern's arrow.
_ARROWS = frozenset("-")
_CONSTANTS = frozenset({"TRUE", "FALSE", "NULL"})
# Where what one clause made longer is at hand to be made longer again; the first ones make values of values.
_PROJECTIONS = frozenset({"FOR", "LET", "RETURN", "UNWIND", "WITH"})
_CLAUSES = _PROJECTIONS | {"CALL", "FILTER", "MATCH", "NEXT"}
# What stands before the bracket of a subquery, which is no map.
_SUBQUERIES = frozenset({"CALL", "COLLECT", "COUNT", "EXISTS", ")"})
# Joined to a time they make another time.
_TIMES = frozenset({"DATE", "DATETIME", "DURATION", "LOCALDATETIME", "LOCALTIME", "TIME"})
# By so much may joining and replacing make a text or a list longer.
_MOST_GROWTH = 1_000
_CLOSING = {"(": ")", "[": "]", "{": "}"}


def check_text(query: str) -> None:
    """Refuses what a plan would not show.

    Raises:
        CypherRefused: it is one of the above; `metadata["clause"]` names it.
        CypherInvalid: it is no Cypher.
    """
    _Text(query).check()


class _Bracket(NamedTuple):
    """An open bracket.

    Attributes:
        element: the name of each element, if it goes through a list.
        collects: whether it makes another list of it.
        holds: whether it is a list or a map of values.
    """

    element: str
    collects: bool
    holds: bool


class _Text:
    def __init__(self, query: str) -> None:
        self._query = query
        self._tokens = tokens_of(query)
        self._open: list[_Bracket] = []
        self._clause = ""
        # By how much the clauses so far can have made a value longer, how many joins the one at hand has, and what it puts into lists.
        self._growth, self._joins = 1, 0
        self._held: set[str] = set()

    def check(self) -> None:
        for index, token in enumerate(self._tokens):
            if token.kind in _HOLDERS:
                self._hold(index, token)
            if token.word:
                self._word(index, token)
            elif token.text == "+" or (token.text == "|" and self._at(index - 1) == "|"):
                self._join(index, token)
            elif token.text in _COMPARING:
                self._compare(index, token)
            elif token.text == "~":
                self._refuse(token, "regular expressions may take for ever; use CONTAINS, STARTS WITH or ENDS WITH", "=~")
            elif token.text in _CLOSING:
                self._bracket(index, token)
            elif token.text in _CLOSING.values() and self._open:
                self._open.pop()

    def _word(self, index: int, token: Token) -> None:
        before, called = self._at(index - 1), self._at(index + 1) == "("
        if before == "." and self._at(index - 2) != ".":
            return  # a property, or the last part of a function's name, which `_function` looks at
        if called:
            self._call(index, token)
        if before == ":":
            return  # a label, a type, or a value in a map
        if token.word in _MODES and self._at(index + 1) != ":":
            self._refuse(token, "only reading in the namespace's own database is allowed")
        if token.word == "CYPHER" and index == 0 and self._at(1) not in ("5", "25"):
            self._refuse(token, "of its options only the version, 5 or 25, may be given")
        if token.word in _CLAUSES:
            self._next_clause(self._growth * (self._joins + 1))
            self._clause = token.word
        elif token.word == "UNION" and not self._open:
            self._next_clause(1)  # none of its parts sees another's values

    def _next_clause(self, growth: int) -> None:
        self._growth, self._joins = growth, 0
        self._held.clear()

    def _call(self, index: int, token: Token) -> None:
        if token.word == "REPLACE":
            self._replace(index, token)
        if token.word in _LOOPS:
            self._refuse(token, "it may take for ever; UNWIND the list and aggregate")
        if token.word == "RANGE" and not self._is_unwound(index) and not self._is_short(index):
            self._refuse(token, f"outside of UNWIND a range has at most {_LONGEST_RANGE:,} numbers, or ends at a size or length")

    def _compare(self, index: int, token: Token) -> None:
        """Within an iteration one side has to be short: the element, a property, or a value that stands in the query."""
        elements = {bracket.element for bracket in self._open if bracket.element}
        after = index + 1
        while self._at(after) in _COMPARING:
            after += 1
        if not elements or self._at(index - 1) in _COMPARING or self._at(after) in _ARROWS or self._at(index - 1) in _ARROWS:
            return
        if not any(self._is_short_side(side, elements) for side in (index - 1, after)):
            self._refuse(token, "compared for each element of a list, two lists may take for ever; UNWIND one of them")

    def _is_short_side(self, index: int, elements: Collection[str]) -> bool:
        side = self._tokens[index] if 0 <= index < len(self._tokens) else None
        if side is None or side.kind in (TokenKind.NUMBER, TokenKind.STRING) or side.word in _CONSTANTS:
            return True
        return side.text in elements or "." in (self._at(index - 1), self._at(index + 1))

    def _join(self, index: int, token: Token) -> None:
        """A join of n values makes the longest at most n times as long. Numbers, times and texts of the query do not count."""
        right = self._tokens[index + 1] if index + 1 < len(self._tokens) else token
        if right.kind in (TokenKind.NUMBER, TokenKind.STRING) or (right.word in _TIMES and self._at(index + 2) == "("):
            return
        self._grow(token)

    def _hold(self, index: int, token: Token) -> None:
        """A list or map that holds the same value twice is twice as long when it is told."""
        if self._clause not in _PROJECTIONS or not any(bracket.holds for bracket in self._open):
            return
        if self._at(index - 1) == "." or self._at(index + 1) in (":", "(", "."):
            return  # a property, a key, a function, or something of a node, which is as long as it is stored
        if token.text in self._held:
            self._grow(token)
        self._held.add(token.text)

    def _grow(self, token: Token) -> None:
        if any(bracket.collects for bracket in self._open):
            self._refuse(token, "what is joined for each element of a list may become too long; UNWIND the list")
        self._joins += 1
        self._bounded(token)

    def _replace(self, index: int, token: Token) -> None:
        """What is put in the place of each character found, or between all of them, may be longer than that."""
        commas = self._commas(index + 1)
        with_what = self._tokens[commas[1] + 1] if len(commas) > 1 else token
        if with_what.kind is not TokenKind.STRING or self._at(commas[1] + 2) not in (",", ")"):
            self._refuse(token, "what it puts in must be a text that stands in the query", "replace")
        self._growth *= len(with_what.text) - 1  # its quotes are two
        self._bounded(token)

    def _commas(self, opening: int) -> list[int]:
        """Where the arguments of the call that opens here are parted."""
        end, depth, commas = self._end(opening), 0, []
        for index in range(opening + 1, end):
            depth += (self._at(index) in _CLOSING) - (self._at(index) in _CLOSING.values())
            if self._at(index) == "," and depth == 0:
                commas.append(index)
        return commas

    def _bounded(self, token: Token) -> None:
        if self._growth * (self._joins + 1) > _MOST_GROWTH:
            self._refuse(token, f"joined, repeated and replaced so often, a value may become more than {_MOST_GROWTH:,} times as long")

    def _bracket(self, index: int, token: Token) -> None:
        goes_through = self._at(index + 2).upper() == "IN" and (
            token.text == "[" or (token.text == "(" and self._tokens[index - 1].word in _PREDICATES)
        )
        if goes_through and any(bracket.element for bracket in self._open):
            self._refuse(self._tokens[index + 1], "one iteration inside another may take for ever; UNWIND one of the lists", "IN")
        holds = token.text in "[{" and not goes_through and self._at(index - 1).upper() not in _SUBQUERIES
        self._open.append(_Bracket(self._at(index + 1) if goes_through else "", goes_through and token.text == "[", holds))
        if token.text == "(" and index > 0:
            self._function(index)

    def _function(self, bracket: int) -> None:
        named = self._tokens[bracket - 1]
        if named.kind is TokenKind.NAME:
            self._refuse(named, "a function is named without backticks")
        if self._at(bracket - 2) != "." or self._at(bracket - 3) == ".":
            return
        first = bracket - 1
        while first >= 2 and self._at(first - 1) == "." and self._tokens[first - 2].kind in (TokenKind.WORD, TokenKind.NAME):
            first -= 2
        name = "".join(token.text for token in self._tokens[first:bracket])
        space, *rest = name.split(".")
        if space.lower() not in _FUNCTION_SPACES or not rest:
            self._refuse(self._tokens[first], "only Neo4j's own functions may be used", name[:60])

    def _is_unwound(self, index: int) -> bool:
        """Whether the range is all that an UNWIND goes through."""
        end = self._end(index + 1)
        return index > 0 and self._tokens[index - 1].word == "UNWIND" and self._at(end + 1).upper() == "AS"

    def _is_short(self, index: int) -> bool:
        """Whether nothing in the range's arguments can be large: small numbers, and how many there are of what a name stands for."""
        inside = self._tokens[index + 2 : self._end(index + 1)]
        depth = 0
        for token in inside:
            depth += {"(": 1, ")": -1}.get(token.text, 0)
            if not _ALLOWED_IN_RANGE[token.kind](token, depth):
                return False
        return True

    def _end(self, opening: int) -> int:
        """Where the bracket that opens here is closed; the end of the query if nowhere."""
        depth = 0
        for index in range(opening, len(self._tokens)):
            depth += {"(": 1, ")": -1}.get(self._tokens[index].text, 0)
            if depth == 0:
                return index
        return len(self._tokens)

    def _at(self, index: int) -> str:
        return self._tokens[index].text if 0 <= index < len(self._tokens) else ""

    def _refuse(self, token: Token, why: str, clause: str = "") -> None:
        shown = clause or token.text
        raise CypherRefused(f"{place_of(self._query, token.start)}: {shown!a} is refused: {why}", metadata={"clause": shown.upper()})


def _never(token: Token, depth: int) -> bool:
    return False


_HOLDERS = frozenset({TokenKind.WORD, TokenKind.NAME, TokenKind.PARAMETER})
# By kind of token: whether it may stand in the arguments of a range, so many brackets deep.
_ALLOWED_IN_RANGE: dict[TokenKind, Callable[[Token, int], bool]] = {
    TokenKind.NUMBER: lambda token, depth: token.text.isdigit() and int(token.text) <= _LONGEST_RANGE,
    TokenKind.SIGN: lambda token, depth: token.text in "+-,()." and (token.text not in "+," or depth == 0),
    TokenKind.WORD: lambda token, depth: token.word in _MEASURES or depth > 0,
    TokenKind.NAME: lambda token, depth: depth > 0,
    TokenKind.STRING: _never,
    TokenKind.PARAMETER: _never,
}
