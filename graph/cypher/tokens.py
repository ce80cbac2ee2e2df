"""A query of Cypher as tokens: words, quoted names, strings, numbers, parameters and signs. What surprises is refused, not guessed at.

Rules follow the openCypher grammar (https://opencypher.org/resources): `//` and `/* */` are comments, strings stand in ' or " with
backslash escapes, names in backticks with doubled ones inside.
"""

import re
from collections.abc import Collection, Iterator
from dataclasses import dataclass
from enum import Enum

from graph.errors import CypherInvalid, CypherRefused

MAX_QUERY = 20_000
_PATTERN = re.compile(
    r"""
      (?P<space>[ \t\r\n]+)
    | (?P<comment>//[^\r\n]*|/\*.*?\*/)
    | (?P<string>'(?:[^'\\]|\\.)*'|"(?:[^"\\]|\\.)*")
    | (?P<name>`(?:[^`]|``)+`)
    | (?P<parameter>\$(?:[A-Za-z_][A-Za-z0-9_]*|[0-9]+))
    | (?P<number>[0-9][0-9A-Za-z_]*(?:\.[0-9][0-9A-Za-z_]*)?|\.[0-9][0-9A-Za-z_]*)
    | (?P<word>[^\W\d]\w*)
    | (?P<sign>[-+*/%^=<>!|&(){}\[\],.:;~])
    """,
    re.VERBOSE | re.DOTALL,
)
_ESCAPE = re.compile(r"\\(u[0-9A-Fa-f]{4}|[\\'\"ntrbf])")
# A string that ends sooner for the engine than for us would let what follows it pass as part of the string.
_QUOTES = frozenset("'\"`\\")


class TokenKind(Enum):
    """What a token is."""

    WORD = "word"
    NAME = "name"
    STRING = "string"
    NUMBER = "number"
    PARAMETER = "parameter"
    SIGN = "sign"


@dataclass(frozen=True, slots=True)
class Token:
    """One token: its text as it stands in the query, and where."""

    kind: TokenKind
    text: str
    start: int

    @property
    def word(self) -> str:
        """A word in upper case; "" for any other token."""
        return self.text.upper() if self.kind is TokenKind.WORD else ""

    @property
    def end(self) -> int:
        """Where it ends."""
        return self.start + len(self.text)


def tokens_of(query: str) -> list[Token]:
    """The tokens of a query, without blanks and comments.

    Raises:
        CypherInvalid: it is too long, or something in it is no Cypher.
        CypherRefused: it hides characters behind escapes, where a reader would not look for them.
    """
    if len(query) > MAX_QUERY:
        raise CypherInvalid(f"the query is longer than {MAX_QUERY} characters")
    return list(_tokens(query))


def check_parameters(query: str, given: Collection[str]) -> None:
    """Makes sure that all parameters that a query names are there.

    Raises:
        CypherInvalid: one is not; it is named. Also what `tokens_of` raises.
    """
    for token in tokens_of(query):
        if token.kind is TokenKind.PARAMETER and token.text[1:] not in given:
            raise CypherInvalid(f"{position_of(query, token.start)}: the query names {token.text}, which was not given")


def _tokens(query: str) -> Iterator[Token]:
    position = 0
    while position < len(query):
        found = _PATTERN.match(query, position)
        if found is None:
            raise _unknown(query, position)
        group, text = found.lastgroup or "", found.group()
        if group == "string":
            _check_escapes(query, text, position)
        if group not in ("space", "comment"):
            yield Token(TokenKind(group), text, position)
        position = found.end()


def _unknown(query: str, position: int) -> CypherInvalid | CypherRefused:
    where = position_of(query, position)
    match query[position]:
        case "\\":
            return CypherRefused(f"{where}: escapes are allowed in strings only", metadata={"clause": "\\"})
        case "'" | '"':
            return CypherInvalid(f"{where}: a string is not closed")
        case "`":
            return CypherInvalid(f"{where}: a name in backticks is empty or not closed")
        case "$":
            return CypherInvalid(f'{where}: a parameter is named by letters, digits and "_"')
        case sign:
            return CypherInvalid(f"{where}: {sign!a} is no sign of Cypher")


def _check_escapes(query: str, text: str, position: int) -> None:
    inner = text[1:-1]
    for backslash in re.finditer(r"\\.", inner, re.DOTALL):
        escape = _ESCAPE.match(inner, backslash.start())
        where = position_of(query, position + 1 + backslash.start())
        if escape is None:
            raise CypherInvalid(f"{where}: only \\\\ \\' \\\" \\n \\t \\r \\b \\f and \\uXXXX are escapes")
        if escape[1][0] == "u" and (code := int(escape[1][1:], 16)) < 128 and (code < 32 or chr(code) in _QUOTES):
            raise CypherRefused(f"{where}: this escape hides a quote", metadata={"clause": escape[0]})


def position_of(query: str, position: int) -> str:
    """A place in a query for people: "line 2, column 7"."""
    line = query.count("\n", 0, position) + 1
    return f"line {line}, column {position - query.rfind(chr(10), 0, position)}"


def without_comments(query: str, tokens: list[Token]) -> str:
    """The query with blanks in place of comments, so that every token stays in its line and column."""
    kept, position = [], 0
    for token in tokens:
        kept.append(re.sub(r"[^\r\n]", " ", query[position : token.start]))
        kept.append(token.text)
        position = token.end
    return "".join(kept)
