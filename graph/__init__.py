"""The memory graph: its model, the store port and the stores, text analysis, retrieval and the analysts' view.

Knows neither `extract` nor `service`; what it needs from outside (an embedder, a clock, a source of ids) it names as a small protocol.
"""
