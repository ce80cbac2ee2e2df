"""What a query may not say on the database itself although its plan would not show it.

- another database (USE), modes and options (EXPLAIN, PROFILE, CYPHER …);
- functions that others installed on the server: they may run queries of their own;
- work without end inside one expression, which the server does not look up from when its time is over: regular expressions (Java's go back
  and forth for ever on the wrong text), `reduce`, one iteration over a list inside another, a comparison within one that may go through
  another list (`l = l`), and `range` over more than a few thousand numbers other than by UNWIND, whose rows are interrupted;
- values without end (`growth_rules`).
"""

from collections.abc import Callable, Collection

from graph.cypher.tokens import Token, TokenKind
from graph.store.neo4j.admin_cypher.growth_rules import check_growth
from graph.store.neo4j.admin_cypher.query_reader import CLOSING, QueryReader

# Neo4j's own functions with a namespace; those of plugins always have one.
_FUNCTION_SPACES = frozenset({"date", "datetime", "localdatetime", "time", "localtime", "duration", "point", "vector"})
_MODES = frozenset({"USE", "EXPLAIN", "PROFILE"})
_LOOPS = frozenset({"REDUCE", "ALLREDUCE"})
# Of names, in [0..size(nodes(path)) - 1] and the like: lists that the graph itself bounds.
_MEASURES = frozenset({"SIZE", "LENGTH", "NODES", "RELATIONSHIPS", "LABELS", "KEYS"})
_LONGEST_RANGE = 10_000
_COMPARING = frozenset("=<>")
_CONSTANTS = frozenset({"TRUE", "FALSE", "NULL"})


def check_text(query: str) -> None:
    """Refuses what a plan would not show.

    Raises:
        CypherRefused: it is one of the above; `metadata["clause"]` names it.
        CypherInvalid: it is no Cypher.
    """
    reader = QueryReader(query)
    _Text(reader).check()
    check_growth(reader)


class _Text:
    def __init__(self, reader: QueryReader) -> None:
        self._reader = reader
        # Open brackets, each with the name of its elements where it goes through a list.
        self._open: list[str] = []

    def check(self) -> None:
        for index, token in enumerate(self._reader.tokens):
            if token.word and not self._reader.is_member(index):
                self._word(index, token)
            elif token.text in _COMPARING:
                self._compare(index, token)
            elif token.text == "~":
                self._reader.refuse(token, "regular expressions may take for ever; use CONTAINS, STARTS WITH or ENDS WITH", "=~")
            elif token.text in CLOSING:
                self._bracket(index, token)
            elif token.text in CLOSING.values() and self._open:
                self._open.pop()

    def _word(self, index: int, token: Token) -> None:
        if self._reader.at(index + 1) == "(":
            self._call(index, token)
        if self._reader.at(index - 1) == ":":
            return  # a label, a type, or a value in a map
        if token.word in _MODES and self._reader.at(index + 1) != ":":
            self._reader.refuse(token, "only reading in the namespace's own database is allowed")
        if token.word == "CYPHER" and index == 0 and self._reader.at(1) not in ("5", "25"):
            self._reader.refuse(token, "of its options only the version, 5 or 25, may be given")

    def _call(self, index: int, token: Token) -> None:
        if token.word in _LOOPS:
            self._reader.refuse(token, "it may take for ever; UNWIND the list and aggregate")
        if token.word == "RANGE" and not self._is_unwound(index) and not self._is_short(index):
            self._reader.refuse(token, f"outside of UNWIND a range has at most {_LONGEST_RANGE:,} numbers, or ends at a size or length")

    def _compare(self, index: int, token: Token) -> None:
        """Within an iteration one side has to be short: the element, a property, or a value that stands in the query."""
        elements = {element for element in self._open if element}
        before, after = index - 1, index + 1
        while self._reader.at(after) in _COMPARING:
            after += 1
        # The second sign of two was looked at with the first; beside a dash it is a pattern's arrow.
        if not elements or self._reader.at(before) in _COMPARING or "-" in (self._reader.at(before), self._reader.at(after)):
            return
        if not any(self._is_short_side(side, elements) for side in (before, after)):
            self._reader.refuse(token, "compared for each element of a list, two lists may take for ever; UNWIND one of them")

    def _is_short_side(self, index: int, elements: Collection[str]) -> bool:
        side = self._reader.tokens[index] if 0 <= index < len(self._reader.tokens) else None
        if side is None or side.kind in (TokenKind.NUMBER, TokenKind.STRING) or side.word in _CONSTANTS:
            return True
        return side.text in elements or "." in (self._reader.at(index - 1), self._reader.at(index + 1))

    def _bracket(self, index: int, token: Token) -> None:
        element = self._reader.element(index)
        if element and any(self._open):
            told = "one iteration inside another may take for ever; UNWIND one of the lists"
            self._reader.refuse(self._reader.tokens[index + 1], told, "IN")
        self._open.append(element)
        if token.text == "(" and index > 0:
            self._function(index)

    def _function(self, bracket: int) -> None:
        named = self._reader.tokens[bracket - 1]
        if named.kind is TokenKind.NAME:
            self._reader.refuse(named, "a function is named without backticks")
        if self._reader.at(bracket - 2) != "." or self._reader.at(bracket - 3) == ".":
            return
        first = bracket - 1
        while first >= 2 and self._reader.at(first - 1) == "." and self._reader.tokens[first - 2].kind in (TokenKind.WORD, TokenKind.NAME):
            first -= 2
        name = "".join(token.text for token in self._reader.tokens[first:bracket])
        space, *rest = name.split(".")
        if space.lower() not in _FUNCTION_SPACES or not rest:
            self._reader.refuse(self._reader.tokens[first], "only Neo4j's own functions may be used", name[:60])

    def _is_unwound(self, index: int) -> bool:
        """Whether the range is all that an UNWIND goes through."""
        end = self._reader.end(index + 1)
        return index > 0 and self._reader.tokens[index - 1].word == "UNWIND" and self._reader.at(end + 1).upper() == "AS"

    def _is_short(self, index: int) -> bool:
        """Whether nothing in the range's arguments can be large: small numbers, and how many there are of what a name stands for."""
        inside = self._reader.tokens[index + 2 : self._reader.end(index + 1)]
        depth = 0
        for token in inside:
            depth += {"(": 1, ")": -1}.get(token.text, 0)
            if not _ALLOWED_IN_RANGE[token.kind](token, depth):
                return False
        return True


def _never(token: Token, depth: int) -> bool:
    return False


# By kind of token: whether it may stand in the arguments of a range, so many brackets deep.
_ALLOWED_IN_RANGE: dict[TokenKind, Callable[[Token, int], bool]] = {
    TokenKind.NUMBER: lambda token, depth: token.text.isdigit() and int(token.text) <= _LONGEST_RANGE,
    TokenKind.SIGN: lambda token, depth: token.text in "+-,()." and (token.text not in "+," or depth == 0),
    TokenKind.WORD: lambda token, depth: token.word in _MEASURES or depth > 0,
    TokenKind.NAME: lambda token, depth: depth > 0,
    TokenKind.STRING: _never,
    TokenKind.PARAMETER: _never,
}
