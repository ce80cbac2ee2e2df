"""What the file keeps of an analysed text: passages with hashed terms, features and spans."""

import struct
from collections import Counter
from dataclasses import dataclass
from hashlib import blake2b

from graph.model import to_micros
from graph.store.embedded.search import term_hash
from graph.text import IndexedText, Passage


@dataclass(frozen=True, slots=True)
class PassageRow:
    """A passage without its keys. `terms` are uint64 hashes, `counts` a uint8 each."""

    ordinal: int
    length: int
    terms: bytes
    counts: bytes
    digest: bytes


@dataclass(frozen=True, slots=True)
class MemoryRow:
    """The columns of a memory that searches read. `spans` are pairs of int64 microseconds, None for none."""

    features: int
    spans: bytes | None
    passages: tuple[PassageRow, ...]


def text_digest(text: str) -> bytes:
    """Identifies the text of a passage, so that a vector can be held against the text it was made from."""
    return blake2b(text.encode("utf-8", "surrogatepass"), digest_size=8).digest()


def memory_row(text: IndexedText) -> MemoryRow:
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
