"""One listing of namespaces from several stores."""

import asyncio
from heapq import merge
from itertools import islice
from operator import attrgetter

from graph.model import Namespace
from graph.store.partitioned.routes import Partition, Routes

_LEAST = 20


async def list_namespaces(routes: Routes, prefix: str, after: str, limit: int) -> list[Namespace]:
    """The first `limit` namespaces at or below `prefix` after a name, by name, each from the partition that it belongs to."""
    listed = await asyncio.gather(*(_own(routes, partition, prefix, after, limit) for partition in routes.below(prefix)))
    return list(islice(merge(*listed, key=attrgetter("name")), limit))


async def strays(routes: Routes, partition: Partition) -> list[str]:
    """Names of namespaces that are in a partition which the map does not send them to, in order."""
    names: list[str] = []
    after = ""
    while batch := await partition.store.list_namespaces("", after, 500):
        names += [namespace.name for namespace in batch if routes.owner(namespace.name) is not partition]
        after = batch[-1].name
    return names


async def _own(routes: Routes, partition: Partition, prefix: str, after: str, limit: int) -> list[Namespace]:
    """Of one partition; what the map sends elsewhere is left out, so that no name is there twice."""
    own: list[Namespace] = []
    while len(own) < limit and (batch := await partition.store.list_namespaces(prefix, after, max(limit - len(own), _LEAST))):
        own += [namespace for namespace in batch if routes.owner(namespace.name) is partition]
        after = batch[-1].name
    return own[:limit]
