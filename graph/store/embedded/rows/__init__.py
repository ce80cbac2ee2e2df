"""Nodes, edges and bookkeeping of the graph as rows of a file, and back."""
