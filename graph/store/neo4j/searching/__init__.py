"""Finding and measuring candidates: of small namespaces in this process, of large ones by Neo4j's indexes. Others use only `Searcher`."""

from graph.store.neo4j.searching.searcher import Searcher

__all__ = ["Searcher"]
