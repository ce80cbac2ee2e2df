"""How long a query can make a value.

A text or list that doubles from clause to clause (`WITH s + s AS s`, again and again), or is copied for each element of another list, takes
all of the server's memory in one step, which no limit of a transaction sees coming.
"""

from graph.cypher.tokens import Token, TokenKind
from graph.store.neo4j.admin_cypher.query_reader import CLOSING, QueryReader

# Where what one clause made longer is at hand to be made longer again; the first ones make values of values.
_PROJECTIONS = frozenset({"FOR", "LET", "RETURN", "UNWIND", "WITH"})
_CLAUSES = _PROJECTIONS | {"CALL", "FILTER", "MATCH", "NEXT"}
# What stands before the bracket of a subquery, which is no map.
_SUBQUERIES = frozenset({"CALL", "COLLECT", "COUNT", "EXISTS", ")"})
# Joined to a time they make another time.
_TIMES = frozenset({"DATE", "DATETIME", "DURATION", "LOCALDATETIME", "LOCALTIME", "TIME"})
_VALUES = frozenset({TokenKind.WORD, TokenKind.NAME, TokenKind.PARAMETER})
# By so much may joining, repeating and replacing make a value longer.
_MOST_GROWTH = 1_000


def check_growth(reader: QueryReader) -> None:
    """Raises CypherRefused where a value may become more than a thousand times as long."""
    _Growth(reader).check()


class _Growth:
    def __init__(self, reader: QueryReader) -> None:
        self._reader = reader
        # Open brackets, each with whether it makes a list for each element of another one, and whether it is a list or a map of values.
        self._open: list[tuple[bool, bool]] = []
        self._clause = ""
        # By how much the clauses so far can have made a value longer, how many joins the one at hand has, and what it puts into lists.
        self._growth, self._joins = 1, 0
        self._held: set[str] = set()
        # What the parts of a UNION give, a clause after NEXT makes longer still.
        self._goes_on = any(token.word == "NEXT" for token in reader.tokens)

    def check(self) -> None:
        for index, token in enumerate(self._reader.tokens):
            if token.kind in _VALUES:
                self._hold(index, token)
            if token.word and not self._reader.is_member(index):
                self._word(index, token)
            elif token.text == "+" or (token.text == "|" and self._reader.at(index - 1) == "|"):
                self._join(index, token)
            elif token.text in CLOSING:
                self._open.append(self._bracket(index))
            elif token.text in CLOSING.values() and self._open:
                self._open.pop()

    def _word(self, index: int, token: Token) -> None:
        if token.word == "REPLACE" and self._reader.at(index + 1) == "(":
            self._replace(index, token)
        elif self._reader.at(index - 1) == ":":
            return  # a label, a type, or a value in a map
        elif token.word in _CLAUSES:
            self._next_clause(self._growth * (self._joins + 1))
            self._clause = token.word
        elif token.word == "UNION" and not self._open and not self._goes_on:
            self._next_clause(1)  # none of its parts sees another's values

    def _next_clause(self, growth: int) -> None:
        self._growth, self._joins = growth, 0
        self._held.clear()

    def _bracket(self, index: int) -> tuple[bool, bool]:
        bracket, element = self._reader.at(index), self._reader.element(index)
        holds = bracket in "[{" and not element and self._reader.at(index - 1).upper() not in _SUBQUERIES
        return bool(element) and bracket == "[", holds

    def _join(self, index: int, token: Token) -> None:
        """A join of n values makes the longest at most n times as long. Numbers, times and texts of the query do not count."""
        tokens = self._reader.tokens
        right = tokens[index + 1] if index + 1 < len(tokens) else token
        if right.kind in (TokenKind.NUMBER, TokenKind.STRING) or (right.word in _TIMES and self._reader.at(index + 2) == "("):
            return
        self._grow(token)

    def _hold(self, index: int, token: Token) -> None:
        """A list or map that holds the same value twice is twice as long when it is told."""
        if self._clause not in _PROJECTIONS or not any(holds for _, holds in self._open):
            return
        if self._reader.at(index - 1) == "." or self._reader.at(index + 1) in (":", "(", "."):
            return  # a property, a key, a function, or something of a node, which is as long as it is stored
        if token.text in self._held:
            self._grow(token)
        self._held.add(token.text)

    def _grow(self, token: Token) -> None:
        if any(collects for collects, _ in self._open):
            self._reader.refuse(token, "what is joined for each element of a list may become too long; UNWIND the list")
        self._joins += 1
        self._bounded(token)

    def _replace(self, index: int, token: Token) -> None:
        """What is put in the place of each character found, or between all of them, may be longer than that."""
        commas = self._commas(index + 1)
        with_what = self._reader.tokens[commas[1] + 1] if len(commas) > 1 else token
        if with_what.kind is not TokenKind.STRING or self._reader.at(commas[1] + 2) not in (",", ")"):
            self._reader.refuse(token, "what it puts in must be a text that stands in the query", "replace")
        self._growth *= len(with_what.text) - 1  # its quotes are two
        self._bounded(token)

    def _commas(self, opening: int) -> list[int]:
        """Where the arguments of the call that opens here are parted."""
        depth, commas = 0, []
        for index in range(opening + 1, self._reader.end(opening)):
            text = self._reader.at(index)
            depth += (text in CLOSING) - (text in CLOSING.values())
            if text == "," and depth == 0:
                commas.append(index)
        return commas

    def _bounded(self, token: Token) -> None:
        if self._growth * (self._joins + 1) > _MOST_GROWTH:
            told = f"joined, repeated and replaced so often, a value may become more than {_MOST_GROWTH:,} times as long"
            self._reader.refuse(token, told)
