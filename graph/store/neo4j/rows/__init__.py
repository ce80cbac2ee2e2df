"""Nodes, edges and bookkeeping of the graph as Neo4j holds them, and back."""
