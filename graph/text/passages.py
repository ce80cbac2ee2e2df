"""What a store indexes of a message or statement: its passages with their terms, its features and the times it names."""

import re
from dataclasses import dataclass
from datetime import UTC, tzinfo

from graph.model import Message, Statement, TimeSpan
from graph.store.candidates import Feature
from graph.text.analyser import date_terms, terms_of

# The embedder reads 256 word pieces; English prose has about 1.3 to a word, so 180 words fill it.
MAX_PASSAGE_WORDS = 180
_SENTENCE_END = re.compile(r"(?<=[.!?。！？])\s+|\n+")


@dataclass(frozen=True, slots=True)
class Passage:
    """A stretch of text that carries a vector. `text` is what the embedder reads, `terms` what the lexical channel counts."""

    ordinal: int
    text: str
    terms: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class IndexedText:
    """All that searches need of a memory's text."""

    passages: tuple[Passage, ...]
    features: Feature
    spans: tuple[TimeSpan, ...]


def index_message(message: Message, zone: tzinfo = UTC) -> IndexedText:
    """What to index of a message. `zone` is its session's: it dates the message and resolves the times that the text names."""
    local_day = message.sent_at.astimezone(zone).date()
    extra = terms_of(message.speaker) + date_terms(local_day)
    body = message.text if not message.image_caption else f"{message.text}\n[image: {message.image_caption}]"
    passages = tuple(Passage(i, chunk, extra + terms_of(chunk)) for i, chunk in enumerate(chunks_of(body)))
    return IndexedText(passages, Feature.QUESTION if "?" in message.text[-80:] else Feature(0), ())


def index_statement(statement: Statement, zone: tzinfo = UTC) -> IndexedText:
    """What to index of a fact or relation. Its span, if any, is when it happened."""
    terms = terms_of(statement.text) + date_terms(statement.said_at.astimezone(zone).date())
    return IndexedText((Passage(0, statement.text, terms),), Feature(0), (statement.time,) if statement.time else ())


def chunks_of(text: str) -> list[str]:
    """The text in chunks of at most MAX_PASSAGE_WORDS words, cut between sentences where possible. A short text is one chunk."""
    if len(text.split()) <= MAX_PASSAGE_WORDS:
        return [text]
    chunks: list[str] = []
    current: list[str] = []
    size = 0
    for sentence in filter(None, _SENTENCE_END.split(text)):
        words = sentence.split()
        for start in range(0, len(words), MAX_PASSAGE_WORDS):
            piece = words[start : start + MAX_PASSAGE_WORDS]
            if size + len(piece) > MAX_PASSAGE_WORDS and current:
                chunks.append(" ".join(current))
                current, size = [], 0
            current.extend(piece)
            size += len(piece)
    if current:
        chunks.append(" ".join(current))
    return chunks
