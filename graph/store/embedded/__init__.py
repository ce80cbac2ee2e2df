"""The embedded store: one SQLite file a namespace, a catalog, and the search index derived from them. Others use only `EmbeddedStore`."""

from graph.store.embedded.store import EmbeddedStore

__all__ = ["EmbeddedStore"]
