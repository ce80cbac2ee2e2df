"""One listing of namespaces from several stores."""

import asyncio
from collections.abc import Callable
from heapq import merge
from itertools import islice
from operator import attrgetter

from graph.model import Namespace
from graph.store.partitioned.routes import Partition, Routes
from graph.store.port import Shows


async def list_namespaces(routes: Routes, prefix: str, after: str, limit: int, shows: Shows) -> list[Namespace]:
    """The first `limit` namespaces at or below `prefix` after a name, by name, each from the partition that it belongs to."""

    def own(partition: Partition) -> Callable[[str], bool]:
        # What the map sends elsewhere is left out, so that no name is there twice.
        return lambda name: routes.owner(name) is partition and shows(name)

    partitions = routes.below(prefix)
    listed = await asyncio.gather(*(each.store.list_namespaces(prefix, after, limit, own(each)) for each in partitions))
    return list(islice(merge(*listed, key=attrgetter("name")), limit))


async def strays(routes: Routes, partition: Partition) -> list[str]:
    """Names of namespaces that are in a partition which the map does not send them to, in order."""
    names: list[str] = []
    while batch := await partition.store.list_namespaces(
        "", names[-1] if names else "", 500, lambda name: routes.owner(name) is not partition
    ):
        names += [namespace.name for namespace in batch]
    return names
