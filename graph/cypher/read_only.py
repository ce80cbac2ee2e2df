"""Whether a query does nothing but read: it is walked through token by token, and every word must be one that may stand where it stands.

A word can only begin a clause at the beginning of a statement or behind a value. There, only words of `graph.cypher.keywords` pass; where a
value is awaited, words that could begin something else do not. So nothing depends on a list of what is dangerous, and what is unknown to
this walk never reaches the engine.
"""

from difflib import get_close_matches
from enum import Enum

from graph.cypher import keywords
from graph.cypher.tokens import Token, TokenKind, position_of, tokens_of, without_comments
from graph.errors import CypherInvalid, CypherRefused

_CLOSING = {")": "(", "]": "[", "}": "{"}
_READ_ONLY = "only reading is allowed: MATCH, OPTIONAL MATCH, WHERE, UNWIND, WITH, RETURN, ORDER BY, SKIP, LIMIT, UNION, CALL { … }"


class _Awaited(Enum):
    STATEMENT = 0
    OPERAND = 1
    OPERATOR = 2


def read_only_query(query: str) -> str:
    """The query without its comments, when it only reads.

    Raises:
        CypherRefused: a word may not stand where it stands; `metadata["clause"]` names it.
        CypherInvalid: it is no query at all, or has a word that Cypher does not have.
    """
    tokens = tokens_of(query)
    if not tokens:
        raise CypherInvalid("the query is empty")
    _Walk(query, tokens).run()
    return without_comments(query, tokens)


class _Walk:
    def __init__(self, query: str, tokens: list[Token]) -> None:
        self._query = query
        self._tokens = tokens
        self._awaited = _Awaited.STATEMENT
        # Open brackets, each with whether it holds a statement ("{" of a subquery) or the scope of one ("(" of CALL).
        self._open: list[tuple[str, bool]] = []
        self._opened_at: list[int] = []
        self._closed_scope = False

    def run(self) -> None:
        for index, token in enumerate(self._tokens):
            scope, self._closed_scope = self._closed_scope, False
            match token.kind:
                case TokenKind.WORD:
                    self._word(index, token)
                case TokenKind.SIGN:
                    self._sign(index, token, scope)
                case _:
                    self._value(index, token)
        if self._open:
            raise CypherInvalid(f"{position_of(self._query, self._opened_at[-1])}: {self._open[-1][0]!r} is not closed")

    def _word(self, index: int, token: Token) -> None:
        if self._is_property(index):
            self._check_function(index, token)
            self._awaited = _Awaited.OPERATOR
        elif self._is_key(index):
            self._awaited = _Awaited.OPERATOR
        elif self._awaited is _Awaited.STATEMENT:
            self._statement_word(index, token)
        elif self._awaited is _Awaited.OPERATOR:
            self._word_after_operand(index, token)
        else:
            self._word_as_operand(index, token)

    def _statement_word(self, index: int, token: Token) -> None:
        if token.word in ("ALL", "DISTINCT") and self._word_before(index) == "UNION":
            return
        if token.word not in keywords.OPENING:
            raise self._no_clause(token)
        self._clause(index, token)

    def _word_after_operand(self, index: int, token: Token) -> None:
        if token.word not in keywords.AFTER_OPERAND:
            raise self._no_clause(token)
        if token.word not in keywords.COMPLETING:
            self._clause(index, token)

    def _clause(self, index: int, token: Token) -> None:
        if token.word == "CALL" and self._text(index + 1) not in ("{", "("):
            raise self._refusal(token, "procedures may not be called")
        self._awaited = _Awaited.STATEMENT if token.word == "UNION" else _Awaited.OPERAND

    def _word_as_operand(self, index: int, token: Token) -> None:
        follows = self._word_before(index)
        if follows == "OPTIONAL" and token.word != "MATCH":
            raise self._refusal(token, "OPTIONAL goes with MATCH")
        if token.word in keywords.BEFORE_OPERAND or follows in keywords.FOLLOWERS.get(token.word, ()):
            return
        if token.word == "END" and follows == "NULL":
            return
        if token.word in keywords.RESERVED:
            raise self._refusal(token, "as a name it needs backticks; as a clause it may not stand here, and " + _READ_ONLY)
        if not (token.word in keywords.SUBQUERIES and self._text(index + 1) == "{"):
            self._check_function(index, token)
        self._awaited = _Awaited.OPERATOR

    def _check_function(self, index: int, token: Token) -> None:
        if self._text(index + 1) != "(":
            return
        name = token.text
        first = index
        while first >= 2 and self._text(first - 1) == "." and self._tokens[first - 2].kind in (TokenKind.WORD, TokenKind.NAME):
            first -= 2
            name = f"{self._text(first)}.{name}"
        # Behind ")." or "]." there is no function; behind the two dots of a range there may be one.
        if (self._text(first - 1) == "." and self._text(first - 2) != ".") or name.lower() not in keywords.FUNCTIONS:
            raise self._refusal(token, f"the function {name} is not one that may be used", name)

    def _sign(self, index: int, token: Token, after_scope: bool) -> None:
        sign = token.text
        if sign in "([{":
            self._bracket(index, sign, after_scope)
        elif sign in _CLOSING:
            opened, special = self._open.pop() if self._open else ("", False)
            del self._opened_at[-1:]
            if opened != _CLOSING[sign]:
                raise CypherInvalid(f"{position_of(self._query, token.start)}: {sign!r} closes nothing")
            self._closed_scope = special and sign == ")"
            self._awaited = _Awaited.OPERATOR
        elif sign == ";":
            if self._open or index + 1 < len(self._tokens):
                raise self._refusal(token, "one statement at a time")
        elif self._awaited is _Awaited.STATEMENT:
            raise self._refusal(token, _READ_ONLY)
        else:
            # "*" for everything, and of .*, is a value; as an operator and in [*1..3] one may follow.
            everything = sign == "*" and (
                self._text(index - 1) in ("(", ",", ".") or self._word_before(index) in ("RETURN", "WITH", "DISTINCT")
            )
            self._awaited = _Awaited.OPERATOR if everything else _Awaited.OPERAND

    def _bracket(self, index: int, sign: str, after_scope: bool) -> None:
        self._opened_at.append(self._tokens[index].start)
        before = self._word_before(index)
        if sign == "{" and (before == "CALL" or after_scope or (before in keywords.SUBQUERIES and not self._is_property(index - 1))):
            self._open.append((sign, True))
            self._awaited = _Awaited.STATEMENT
            return
        if self._awaited is _Awaited.STATEMENT and not (sign == "(" and self._open):
            # EXISTS { (a)-->(b) } is the only statement without a first word.
            raise self._refusal(self._tokens[index], _READ_ONLY)
        self._open.append((sign, sign == "(" and before == "CALL"))
        self._awaited = _Awaited.OPERAND

    def _value(self, index: int, token: Token) -> None:
        if token.kind is TokenKind.NAME and self._text(index + 1) == "(":
            raise self._refusal(token, "a function is named without backticks")
        if self._is_property(index) or self._is_key(index):
            self._awaited = _Awaited.OPERATOR
            return
        if self._awaited is not _Awaited.OPERAND:
            raise CypherInvalid(f"{position_of(self._query, token.start)}: {token.text[:40]!a} may not stand here")
        self._awaited = _Awaited.OPERATOR

    def _is_property(self, index: int) -> bool:
        """Whether the token names a property: behind one dot, not the two of a range."""
        return self._text(index - 1) == "." and self._text(index - 2) != "."

    def _is_key(self, index: int) -> bool:
        """Whether the token is a key of a map."""
        inside_map = bool(self._open) and self._open[-1] == ("{", False)
        return inside_map and self._text(index + 1) == ":" and self._text(index - 1) in ("{", ",")

    def _text(self, index: int) -> str:
        return self._tokens[index].text if 0 <= index < len(self._tokens) else ""

    def _word_before(self, index: int) -> str:
        return self._tokens[index - 1].word if index > 0 else ""

    def _no_clause(self, token: Token) -> CypherRefused | CypherInvalid:
        """The error for a word that may not begin a clause: refused, if Cypher has it; else a slip of the pen, with what may be meant."""
        if token.word in keywords.RESERVED:
            return self._refusal(token, _READ_ONLY)
        near = get_close_matches(token.word, keywords.AFTER_OPERAND, n=1)
        meant = f"did you mean {near[0]}?" if near else f"here begins a clause, and {_READ_ONLY}"
        return CypherInvalid(f"{position_of(self._query, token.start)}: {token.text[:60]!a} is no word of Cypher: {meant}")

    def _refusal(self, token: Token, why: str, clause: str = "") -> CypherRefused:
        shown = clause or token.text
        return CypherRefused(
            f"{position_of(self._query, token.start)}: {shown[:60]!a} is refused: {why}", metadata={"clause": shown[:60].upper()}
        )
