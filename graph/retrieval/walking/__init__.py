"""Walks over the graph: expansion of a query's candidates, and the events on the way from given nodes."""
