"""The derived search index of one namespace, in memory: columns in numpy, an inverted index, sign bits. It
knows no SQL; the store feeds it."""

from graph.store.embedded.search.entries import IndexQuery, MemoryEntry, PassageEntry
from graph.store.embedded.search.hashing import term_hash
from graph.store.embedded.search.index import SearchIndex
from graph.store.embedded.search.snapshot_file import IndexSnapshotDamaged

__all__ = ["IndexQuery", "IndexSnapshotDamaged", "MemoryEntry", "PassageEntry", "SearchIndex", "term_hash"]
