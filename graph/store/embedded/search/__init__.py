"""The derived search index of one namespace, in memory: columns in numpy, an inverted index, sign bits. It knows no SQL; the store feeds it."""

from graph.store.embedded.search.entries import IndexQuery, MemoryEntry, PassageEntry
from graph.store.embedded.search.hashing import term_hash

__all__ = ["IndexQuery", "MemoryEntry", "PassageEntry", "term_hash"]
