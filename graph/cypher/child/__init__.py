"""The process that holds the engine: it loads a snapshot, locks itself in, and answers queries, each in a fork.

Started by `graph.cypher.process` and spoken to over its standard input and output (`graph.cypher.wire`). Only here the engine is imported.
"""
