"""Makes every namespace before anything is loaded, on all cores: what generating costs is no part of the load."""

import multiprocessing
import os
import time
from concurrent.futures import ProcessPoolExecutor, as_completed
from dataclasses import dataclass, field
from pathlib import Path

from structmem.v1 import namespace_pb2

from bench.report import Report
from bench.scale.conversations import Conversations, Plan, Probe
from bench.scale.degrees import Degrees


@dataclass
class GeneratedNamespaces:
    """What was made: each namespace's spool by its name, how many records they hold, queries that fit them, the seconds it took."""

    directories: dict[str, Path] = field(default_factory=dict)
    records: int = 0
    probes: list[Probe] = field(default_factory=list)
    seconds: float = 0.0


def namespace_names(count: int) -> list[str]:
    """The names of so many namespaces."""
    return [f"bench/scale-{number + 1}" for number in range(count)]


def generate(
    messages: int, namespaces: int, queries: int, generation: namespace_pb2.Generation, directory: Path, report: Report
) -> GeneratedNamespaces:
    """Makes so many messages in so many namespaces, with at least so many probes where the messages suffice."""
    made = GeneratedNamespaces()
    began = time.perf_counter()
    each, rest = divmod(messages, namespaces)
    probes = -(-2 * queries // namespaces)
    spawn = multiprocessing.get_context("spawn")  # gRPC does not survive a fork
    with (
        report.step("generating", namespaces) as step,
        ProcessPoolExecutor(min(namespaces, os.cpu_count() or 1), mp_context=spawn) as workers,
    ):
        futures = {}
        for number, name in enumerate(namespace_names(namespaces)):
            made.directories[name] = directory / str(number)
            task = (name, each + (number < rest), probes, number, generation.SerializeToString(), made.directories[name])
            futures[workers.submit(_spool, *task)] = name
        for future in as_completed(futures):
            records, found = future.result()
            made.records += records
            made.probes.extend(found)
            step.advance()
    made.seconds = time.perf_counter() - began
    return made


def _spool(name: str, messages: int, probes: int, seed: int, generation: bytes, directory: Path) -> tuple[int, list[Probe]]:
    plan = Plan(name, messages, probes, seed, namespace_pb2.Generation.FromString(generation))
    return Conversations(plan, Degrees()).spool(directory)
