"""The derived search index of one namespace, in memory: columns in numpy, an inverted index, sign bits. It
knows no database; a store feeds it."""

from graph.store.search.entries import IndexQuery, MemoryEntry, PassageEntry
from graph.store.search.hashing import term_hash
from graph.store.search.index import SearchIndex
from graph.store.search.snapshot_file import IndexSnapshotDamaged

__all__ = ["IndexQuery", "IndexSnapshotDamaged", "MemoryEntry", "PassageEntry", "SearchIndex", "term_hash"]
