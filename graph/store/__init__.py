"""The store port, the data that crosses it, and the stores behind it."""

from graph.store.port import Clock, Store

__all__ = ["Clock", "Store"]
