"""What a store keeps of an analysed text: passages with hashed terms, features and spans."""

import struct
from collections import Counter
from collections.abc import Iterable
from datetime import UTC, datetime
from hashlib import blake2b
from typing import NamedTuple
from zoneinfo import ZoneInfo

from graph.model import Message, Statement, TimeSpan, to_micros
from graph.store.search import term_hash
from graph.text import IndexedText, Passage, index_claim, index_turn


# Tuples, as they go from one process to another a hundred thousand at a time.
class MemorySource(NamedTuple):
    """What is analysed of a message or statement: `zone` is its session's, `speaker` None for a statement."""

    text: str
    said_at: datetime
    zone: str
    speaker: str | None = None
    caption: str = ""
    time: TimeSpan | None = None


class PassageRow(NamedTuple):
    """A passage without its keys. `terms` are uint64 hashes, `counts` a uint8 each."""

    ordinal: int
    length: int
    terms: bytes
    counts: bytes
    digest: bytes


class MemoryRow(NamedTuple):
    """The columns of a memory that searches read. `spans` are pairs of int64 microseconds, None for none."""

    features: int
    spans: bytes | None
    passages: tuple[PassageRow, ...]


def text_digest(text: str) -> bytes:
    """Identifies the text of a passage, so that a vector can be held against the text it was made from."""
    return blake2b(text.encode("utf-8", "surrogatepass"), digest_size=8).digest()


def source_of(node: Message | Statement, zone: str) -> MemorySource:
    """What is analysed of a message or statement."""
    if isinstance(node, Statement):
        return MemorySource(node.text, node.said_at, zone, time=node.time)
    return MemorySource(node.text, node.sent_at, zone, node.speaker, node.image_caption)


def memory_rows(sources: Iterable[MemorySource]) -> list[MemoryRow]:
    """The columns of memories whose texts are yet to be analysed."""
    return [_memory_row(_analysed(source)) for source in sources]


def _analysed(source: MemorySource) -> IndexedText:
    zone = ZoneInfo(source.zone) if source.zone else UTC
    if source.speaker is None:
        return index_claim(source.text, source.said_at, source.time, zone)
    return index_turn(source.speaker, source.text, source.caption, source.said_at, zone)


def _memory_row(text: IndexedText) -> MemoryRow:
    """The columns of an analysed text."""
    bounds = [bound for span in text.spans for bound in (to_micros(span.start), to_micros(span.end))]
    spans = struct.pack(f"<{len(bounds)}q", *bounds) if bounds else None
    return MemoryRow(int(text.features), spans, tuple(map(_passage_row, text.passages)))


def _passage_row(passage: Passage) -> PassageRow:
    hashes = [*map(term_hash, passage.terms)]
    counts = dict.fromkeys(hashes, 1)
    if len(counts) < len(hashes):
        counts = Counter(hashes)
    return PassageRow(
        passage.ordinal,
        len(passage.terms),
        struct.pack(f"<{len(counts)}Q", *counts),
        bytes(counts.values()) if len(hashes) < 256 else bytes(min(count, 255) for count in counts.values()),
        text_digest(passage.text),
    )
