"""Several stores as one: each namespace lives in one of them, by the prefix of its name.

What a namespace is asked goes to its store; listings are merged; jobs are leased from all in turn.
"""

from graph.store.partitioned.routes import Partition
from graph.store.partitioned.store import PartitionedStore

__all__ = ["Partition", "PartitionedStore"]
