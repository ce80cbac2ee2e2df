"""A query's tokens with what stands around each of them: the rules on what a query may say look at it through this."""

from typing import NoReturn

from graph.cypher.tokens import Token, position_of, tokens_of
from graph.errors import CypherRefused

CLOSING = {"(": ")", "[": "]", "{": "}"}
_PREDICATES = frozenset({"ANY", "ALL", "NONE", "SINGLE"})


class QueryReader:
    """A query as tokens. Places beyond its ends have no text."""

    def __init__(self, query: str) -> None:
        """Raises CypherInvalid, CypherRefused: see `tokens_of`."""
        self._query = query
        self.tokens = tokens_of(query)

    def at(self, index: int) -> str:
        """The text of a token."""
        return self.tokens[index].text if 0 <= index < len(self.tokens) else ""

    def end(self, opening: int) -> int:
        """Where the bracket that opens here is closed; the end of the query if nowhere."""
        depth = 0
        for index in range(opening, len(self.tokens)):
            depth += {"(": 1, ")": -1}.get(self.tokens[index].text, 0)
            if depth == 0:
                return index
        return len(self.tokens)

    def is_member(self, index: int) -> bool:
        """Whether a property stands here, or a further part of a function's name; after two dots a range goes on."""
        return self.at(index - 1) == "." and self.at(index - 2) != "."

    def element(self, opening: int) -> str:
        """What each element is called, where the bracket that opens here goes through a list; "" where it does not."""
        bracket = self.at(opening)
        goes_through = bracket == "[" or (bracket == "(" and opening > 0 and self.tokens[opening - 1].word in _PREDICATES)
        return self.at(opening + 1) if goes_through and self.at(opening + 2).upper() == "IN" else ""

    def refuse(self, token: Token, why: str, clause: str = "") -> NoReturn:
        """Raises CypherRefused, with the place; `metadata["clause"]` names what is refused."""
        shown = clause or token.text
        raise CypherRefused(f"{position_of(self._query, token.start)}: {shown!a} is refused: {why}", metadata={"clause": shown.upper()})
