"""The same synthetic memory in a peer and in ours: how long each loads it, and how long an answer takes, the query's vector given."""

import asyncio
import random
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path

from bench.connection import Connection
from bench.peers.graphiti import Graphiti
from bench.peers.quality import K
from bench.peers.synthetic import group_of_spool
from bench.percentiles import percentiles
from bench.report import Report
from bench.scale.conversations import Probe
from bench.scale.generating import generate, namespace_names
from bench.scale.loading import load, server_generation
from bench.scale.measuring import Latencies, ask
from bench.server import server
from bench.stores import StoreUnderTest, own_namespaces
from extract.embed import Embedder

WARM_UP = 20


async def speed(
    messages: int, groups: int, queries: int, settle: float, store: StoreUnderTest, embedder: Embedder, report: Report
) -> dict[str, object]:
    """Makes so many messages in so many groups, and measures ours and the peer on them, one after the other, each alone in the database.

    Each is asked some questions first, and then has `settle` seconds for what they set off.
    """
    with tempfile.TemporaryDirectory(prefix="structmem-bench-") as spool:
        async with (
            server(store.settings) as running,
            Connection(running.address) as connection,
            own_namespaces(connection, store, namespace_names(groups)),
        ):
            made = generate(messages, groups, queries, await server_generation(connection), Path(spool), report)
            probes = random.Random(groups).sample(made.probes, min(queries, len(made.probes)))
            with report.step("loading, ours", made.records) as step:
                loaded = await load(connection, running.address, made.directories, step)
            with report.step("asking, ours", len(probes) + WARM_UP) as step:
                await ask(running.address, probes[:WARM_UP], "hybrid", 1, step)
                await asyncio.sleep(settle)
                ours = await ask(running.address, probes, "hybrid", 1, step)
            await connection.delete_namespaces(namespace_names(groups))
        peer_edges, peer_load_s, theirs = await _peer(made.directories, probes, settle, store, embedder, report)
    return {
        "messages": messages,
        "groups": groups,
        "queries": len(probes),
        "settle_s": settle,
        "structmem": {
            "nodes": loaded.nodes,
            "edges": loaded.edges,
            "load_s": round(loaded.seconds, 2),
            "retrieve_ms": percentiles(ours.seconds),
        },
        "graphiti": {"edges": peer_edges, "load_s": round(peer_load_s, 2), "retrieve_ms": percentiles(theirs.seconds)},
        "times_faster_p50": round(_median(theirs) / _median(ours), 1),
    }


async def _peer(
    directories: dict[str, Path], probes: Sequence[Probe], settle: float, store: StoreUnderTest, embedder: Embedder, report: Report
) -> tuple[int, float, Latencies]:
    """How many edges the peer was given, how many seconds it took to save everything, and its answers."""
    edges, load_s, asked = 0, 0.0, Latencies()
    async with Graphiti.connected(store.settings, embedder) as peer:
        with report.step("loading, the peer", None) as step:
            for name, directory in directories.items():
                group = group_of_spool(name, directory)
                began = time.perf_counter()
                await peer.load(group, step)
                load_s += time.perf_counter() - began
                edges += len(group.facts)
        with report.step("asking, the peer", len(probes)) as step:
            for probe in probes[:WARM_UP]:
                await peer.search(probe.namespace, probe.query, K, probe.vector)
            await asyncio.sleep(settle)
            for probe in probes:
                began = time.perf_counter()
                await peer.search(probe.namespace, probe.query, K, probe.vector)
                asked.seconds.append(time.perf_counter() - began)
                step.advance()
    return edges, load_s, asked


def _median(asked: Latencies) -> float:
    return sorted(asked.seconds)[len(asked.seconds) // 2]
