"""What a store indexes of a message or statement: its passages with their terms, its features and the times it names."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, tzinfo

from graph.giving_up import stop_if_given_up
from graph.model import Message, Statement, TimeSpan
from graph.text.analyser import date_terms, terms_of, terms_of_words, words_of
from graph.text.features import MOST_READ, Feature, features_of
from graph.text.named_times import named_times
from graph.text.slices import slices_of

# The embedder reads 256 word pieces; English prose has about 1.3 to a word, so 180 words fill it.
MAX_PASSAGE_WORDS = 180
# Encoded data, links, emoji: an embedder makes far more of such a "word" than one piece, and reads no more of it than of others.
MAX_PASSAGE_CHARACTERS = 4_000
# A long text is cut into sentences slice by slice; a slice ends where a sentence does.
_SLICE = 16_384
_ENDS = ("\n", ". ", "! ", "? ", "。", "！", "？", " ")
_SENTENCE_END = re.compile(r"(?<=[.!?。！？])\s+|(?<=[。！？])|\n+")
# A script without spaces has no words to count; an embedder reads about one piece a character.
_UNSPACED_CHARACTER = re.compile(
    r"[\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff\u3040-\u30ff\u3400-\u4dbf\u4e00-\u9fff\uac00-\ud7af\uf900-\ufaff]"
)
# One "word" longer than this (encoded data, a script without spaces) is cut.
_MAX_WORD = 180


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
    return index_turn(message.speaker, message.text, message.image_caption, message.sent_at, zone)


def index_turn(speaker: str, text: str, caption: str, sent_at: datetime, zone: tzinfo) -> IndexedText:
    """The same of a message's parts. Raises GivenUp between passages where nobody waits for them any more."""
    stop_if_given_up()
    frame = terms_of(speaker) + date_terms(sent_at.astimezone(zone))
    body = _body(text, caption)
    chunks = chunks_of(body)
    if len(chunks) == 1:
        words = words_of(chunks[0])
        passages: tuple[Passage, ...] = (Passage(0, chunks[0], frame + terms_of_words(words)),)
    else:
        words = words_of(body[:MOST_READ])
        passages = tuple(_passages(chunks, frame))
    features = features_of(text, words)
    if caption:
        features |= Feature.IMAGE
    spans = named_times(text, sent_at, zone) if Feature.TIME_EXPRESSION in features else ()
    return IndexedText(passages, features, spans)


def _passages(chunks: list[str], frame: tuple[str, ...]) -> Iterator[Passage]:
    for ordinal, chunk in enumerate(chunks):
        stop_if_given_up()
        yield Passage(ordinal, chunk, frame + terms_of(chunk))


def passage_texts(memory: Message | Statement) -> list[str]:
    """The texts of a memory's passages, by their ordinals."""
    return chunks_of(_body(memory.text, memory.image_caption)) if isinstance(memory, Message) else [memory.text]


def _body(text: str, caption: str) -> str:
    return f"{text}\n[image: {caption}]" if caption else text


def index_statement(statement: Statement, zone: tzinfo = UTC) -> IndexedText:
    """What to index of a fact or relation. Its span, if any, is when it happened."""
    return index_claim(statement.text, statement.said_at, statement.time, zone)


def index_claim(text: str, said_at: datetime, time: TimeSpan | None, zone: tzinfo) -> IndexedText:
    """The same of a statement's parts."""
    words = words_of(text)
    terms = terms_of_words(words) + date_terms(said_at.astimezone(zone))
    features = features_of(text, words)
    if time:
        features |= Feature.TIME_EXPRESSION
    return IndexedText((Passage(0, text, terms),), features, (time,) if time else ())


def chunks_of(text: str) -> list[str]:
    """The text in chunks of at most MAX_PASSAGE_WORDS words and MAX_PASSAGE_CHARACTERS characters, cut between sentences where possible.

    A short text is one chunk.
    """
    if len(text) <= MAX_PASSAGE_CHARACTERS and _size(text) <= MAX_PASSAGE_WORDS:
        return [text]
    chunks: list[str] = []
    current: list[str] = []
    size = length = 0
    for piece in (piece for sentence in sentences_of(text) for piece in _pieces(sentence)):
        piece_size = _size(piece)
        if (size + piece_size > MAX_PASSAGE_WORDS or length + len(piece) > MAX_PASSAGE_CHARACTERS) and current:
            chunks.append(" ".join(current))
            current, size, length = [], 0, 0
        current.append(piece)
        size += piece_size
        length += len(piece) + 1
    if current:
        chunks.append(" ".join(current))
    return chunks or [text[:MAX_PASSAGE_CHARACTERS]]


def sentences_of(text: str) -> Iterator[str]:
    """The sentences of a text, in its order; a line break ends one, too."""
    for part in slices_of(text, _SLICE, _ENDS):
        stop_if_given_up()
        yield from filter(None, _SENTENCE_END.split(part))


def _size(text: str) -> int:
    """How many words a text has for an embedder; a character of a script without spaces counts as one."""
    words = text.count(" ") + 1 if len(text) < MAX_PASSAGE_WORDS else len(text.split())
    return words if text.isascii() else words + len(_UNSPACED_CHARACTER.findall(text))


def _pieces(sentence: str) -> list[str]:
    """A sentence in pieces that each fit a chunk."""
    if len(sentence) <= _MAX_WORD:
        return [sentence.strip()] if sentence.strip() else []
    pieces: list[str] = []
    current: list[str] = []
    size = length = 0
    for word in sentence.split():
        for start in range(0, len(word), _MAX_WORD):
            part = word[start : start + _MAX_WORD]
            part_size = _size(part)
            if (size + part_size > MAX_PASSAGE_WORDS or length + len(part) > MAX_PASSAGE_CHARACTERS) and current:
                pieces.append(" ".join(current))
                current, size, length = [], 0, 0
            current.append(part)
            size += part_size
            length += len(part) + 1
    return [*pieces, " ".join(current)] if current else pieces
