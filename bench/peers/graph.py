"""What a peer is given to remember: messages, facts between entities, and the vectors of what it embeds."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

import numpy as np
from numpy.typing import NDArray

from graph.text.analyser import STOP_WORDS

_WORD = re.compile(r"\w[\w'-]*")


@dataclass(frozen=True, slots=True)
class PeerMessage:
    """A message; `text` begins with who says it."""

    id: str
    text: str
    sent_at: datetime


@dataclass(frozen=True, slots=True)
class PeerFact:
    """A fact, with the names of the two entities that it lies between and the ids of the messages that evidence it."""

    text: str
    vector: NDArray[np.float32]
    between: tuple[str, str]
    evidence: tuple[str, ...]
    said_at: datetime


@dataclass(frozen=True, slots=True)
class PeerGroup:
    """A part of the graph that is searched by itself, as our namespaces are; `entities` are the vectors of their names."""

    name: str
    messages: tuple[PeerMessage, ...]
    facts: tuple[PeerFact, ...]
    entities: Mapping[str, NDArray[np.float32]]


def subject_of(text: str, speaker: str) -> str:
    """The last word of a fact that says something: where a fact names nobody but its speaker, and an edge needs a second end."""
    said = [word for word in _WORD.findall(text) if word.lower() not in STOP_WORDS and word != speaker]
    return said[-1] if said else speaker
