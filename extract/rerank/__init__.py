"""Rerankers: how well each of some texts answers a query. `remote` asks an API; `cross_encoder` runs a model and needs an extra.

Both are what `graph.retrieval.Reranker` asks for, and are imported where they are chosen.
"""
