"""The embedded store: one SQLite file a namespace, a catalog, and the search index derived from them. Others use only `EmbeddedStore`, and
`holds_store` to know whether there is one."""

from graph.store.embedded.files.catalog import holds_store
from graph.store.embedded.store import EmbeddedStore

__all__ = ["EmbeddedStore", "holds_store"]
