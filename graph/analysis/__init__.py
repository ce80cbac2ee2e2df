"""A namespace as a networkx graph, for analysts: load it, or write it as GraphML. Reads through the store's export."""

from graph.analysis.networkx_view import to_networkx, write_graphml

__all__ = ["to_networkx", "write_graphml"]
