"""Tokens of the full-text index. They carry the namespace's token, so that a query touches the postings of its own namespace alone and the
index's document frequency of a token is the namespace's.

A term is its hash, so that nothing in a text can be taken for syntax of a query.
"""

from collections.abc import Iterable, Mapping

import numpy as np

from graph.model import NodeKind
from graph.store.candidates import StatisticsGroup
from graph.store.search import term_hash

_DIGITS = "0123456789abcdefghijklmnopqrstuvwxyz"
_GROUPS = {StatisticsGroup.MESSAGES: "m", StatisticsGroup.STATEMENTS: "s"}


def namespace_token(number: int) -> str:
    """The token of the namespace that was made as the `number`-th of its database: the number in base 36."""
    digits = ""
    while number:
        number, digit = divmod(number, 36)
        digits = _DIGITS[digit] + digits
    return digits or "0"


def group_of(kind: NodeKind) -> StatisticsGroup:
    """The passages among which those of this kind are counted."""
    return StatisticsGroup.MESSAGES if kind is NodeKind.MESSAGE else StatisticsGroup.STATEMENTS


def term_token(token: str, group: StatisticsGroup, hash_: int) -> str:
    """The token of a term (by its hash) in the texts of one group of a namespace."""
    return f"{token}{_GROUPS[group]}_{hash_:x}"


def terms_text(token: str, group: StatisticsGroup, hashes: bytes, counts: bytes) -> str:
    """What `terms` of a passage holds: each of its tokens as often as it occurs."""
    prefix = f"{token}{_GROUPS[group]}_"
    words: list[str] = []
    for hash_, count in zip(np.frombuffer(hashes, "<u8").tolist(), counts, strict=True):
        words += [f"{prefix}{hash_:x}"] * count
    return " ".join(words)


def kind_facet(token: str, kind: NodeKind) -> str:
    """The token of all memories of a kind."""
    return f"{token}_k{int(kind)}"


def session_facet(token: str, session: str) -> str:
    """The token of all memories of a session."""
    return f"{token}_s{term_hash(session):x}"


def speaker_facet(token: str, speaker: str) -> str:
    """The token of all memories of a speaker."""
    return f"{token}_p{term_hash(speaker):x}"


def label_facets(token: str, name: str, value: str) -> tuple[str, str]:
    """The tokens of all messages with a label, and with a label of this value; statements have those of their evidence."""
    return f"{token}_l{term_hash(name):x}", f"{token}_v{term_hash(name):x}{term_hash(value):x}"


def facets_text(token: str, kind: NodeKind, session: str, speaker: str, labels: Iterable[Mapping[str, str]]) -> str:
    """What `facets` of a passage holds. `labels` are those of the message, or of each message that a statement rests on."""
    tokens = [kind_facet(token, kind), session_facet(token, session), speaker_facet(token, speaker)]
    for pairs in labels:
        tokens += [facet for name, value in pairs.items() for facet in label_facets(token, name, value)]
    return " ".join(dict.fromkeys(tokens))
