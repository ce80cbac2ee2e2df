"""What a query may not say on the database itself although its plan would not show it.

- another database (USE), modes and options (EXPLAIN, PROFILE, CYPHER …);
- functions that others installed on the server: they may run queries of their own;
- work without end inside one expression, which the server does not look up from when its time is over: regular expressions (Java's go back
  and forth for ever on the wrong text), `reduce`, one iteration over a list inside another, and `range` over more than a few thousand
  numbers other than by UNWIND, whose rows are interrupted;
- values without end: a text or list that doubles from clause to clause (`WITH s + s AS s`, again and again) takes all of the server's
  memory in one step, which no limit of a transaction sees coming.
"""

from collections.abc import Callable

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
# Where what one clause made longer is at hand to be made longer again.
_CLAUSES = frozenset({"CALL", "FILTER", "FOR", "LET", "MATCH", "NEXT", "RETURN", "UNWIND", "WITH"})
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


class _Text:
    def __init__(self, query: str) -> None:
        self._query = query
        self._tokens = tokens_of(query)
        # Open brackets, each with whether it goes through a list.
        self._open: list[bool] = []
        # By how much the clauses so far can have made a value longer, and how many joins the one at hand has.
        self._growth, self._joins = 1, 0

    def check(self) -> None:
        for index, token in enumerate(self._tokens):
            if token.word and self._at(index - 1) not in (".", ":"):
                self._word(index, token)
            elif token.text == "+" or (token.text == "|" and self._at(index - 1) == "|"):
                self._join(index, token)
            elif token.text == "~":
                self._refuse(token, "regular expressions may take for ever; use CONTAINS, STARTS WITH or ENDS WITH", "=~")
            elif token.text in _CLOSING:
                self._bracket(index, token)
            elif token.text in _CLOSING.values() and self._open:
                self._open.pop()

    def _word(self, index: int, token: Token) -> None:
        if token.word in _MODES and self._at(index + 1) != ":":
            self._refuse(token, "only reading in the namespace's own database is allowed")
        if token.word == "CYPHER" and index == 0 and self._at(1) not in ("5", "25"):
            self._refuse(token, "of its options only the version, 5 or 25, may be given")
        if token.word in _CLAUSES:
            self._growth, self._joins = self._growth * (self._joins + 1), 0
        if self._at(index + 1) != "(":
            return
        if token.word == "REPLACE":
            self._replace(index, token)
        if token.word in _LOOPS:
            self._refuse(token, "it may take for ever; UNWIND the list and aggregate")
        if token.word == "RANGE" and not self._is_unwound(index) and not self._is_short(index):
            self._refuse(token, f"outside of UNWIND a range has at most {_LONGEST_RANGE:,} numbers, or ends at a size or length")

    def _join(self, index: int, token: Token) -> None:
        """A join of n values makes the longest at most n times as long; a number adds nothing that counts."""
        if TokenKind.NUMBER in {self._tokens[place].kind for place in (index - 1, index + 1) if 0 <= place < len(self._tokens)}:
            return
        self._joins += 1
        self._bounded(token, self._joins + 1)

    def _replace(self, index: int, token: Token) -> None:
        """What stands in the place of each character found may be longer than that."""
        end = self._end(index + 1)
        with_what = self._tokens[end - 1]
        if with_what.kind is not TokenKind.STRING or self._at(end - 2) != ",":
            self._refuse(token, "what it puts in must be a text that stands in the query", "replace")
        self._growth *= max(1, len(with_what.text) - 2)
        self._bounded(token, self._joins + 1)

    def _bounded(self, token: Token, growth: int) -> None:
        if self._growth * growth > _MOST_GROWTH:
            self._refuse(token, f"joined and replaced so often, a text or list may become more than {_MOST_GROWTH:,} times as long")

    def _bracket(self, index: int, token: Token) -> None:
        goes_through = self._at(index + 2).upper() == "IN" and (
            token.text == "[" or (token.text == "(" and self._tokens[index - 1].word in _PREDICATES)
        )
        if goes_through and any(self._open):
            self._refuse(self._tokens[index + 1], "one iteration inside another may take for ever; UNWIND one of the lists", "IN")
        self._open.append(goes_through)
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


# By kind of token: whether it may stand in the arguments of a range, so many brackets deep.
_ALLOWED_IN_RANGE: dict[TokenKind, Callable[[Token, int], bool]] = {
    TokenKind.NUMBER: lambda token, depth: token.text.isdigit() and int(token.text) <= _LONGEST_RANGE,
    TokenKind.SIGN: lambda token, depth: token.text in "+-,()." and (token.text not in "+," or depth == 0),
    TokenKind.WORD: lambda token, depth: token.word in _MEASURES or depth > 0,
    TokenKind.NAME: lambda token, depth: depth > 0,
    TokenKind.STRING: _never,
    TokenKind.PARAMETER: _never,
}
