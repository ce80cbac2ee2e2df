"""The benchmark itself: one run that is killed once a round, one that never is, and their comparison."""

import argparse
import asyncio
import random
from collections import Counter
from dataclasses import dataclass

from bench.connection import Connection
from bench.faults.driver import Chat, Server
from bench.faults.killing import Killer
from bench.faults.snapshot import Snapshot, compare, take
from bench.faults.workload import NAMESPACES, Chats
from bench.report import BenchError, Report, Step
from bench.server import server
from bench.stores import StoreUnderTest, add_store_arguments, chosen_store

HELP = "kill the server at random moments and compare with a run that was never killed"
# Extraction waits for a flush, never for time to pass, so that both runs have the same segments. The embedder is the default one: segments
# follow from vectors, so these must be the same bit for bit whatever a kill makes it embed again, in whatever company.
SETTINGS: dict[str, object] = {"idle_s": 86400, "segment_most_messages": 6}
# A worker that was killed holds its job for this long where the store outlives it, as Neo4j does; a round should not wait for the default.
LEASE_S = 2


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The flags of this benchmark."""
    parser.add_argument("--rounds", type=int, default=100, metavar="N", help="how often to kill the server (default: 100)")
    parser.add_argument("--seed", type=int, default=1, help="of the chats and of the moments (default: 1)")
    add_store_arguments(parser)
    parser.add_argument("--json", action="store_true", help="print one JSON object and nothing else")


def run(arguments: argparse.Namespace) -> int:
    """Runs the benchmark; the status is 1 when anything was lost, duplicated or different."""
    if arguments.rounds < 1:
        raise BenchError("--rounds: must be at least 1")
    report = Report(arguments.json)
    figures, examples = _measure(arguments, report)
    report.table("kill -9", ("figure", "value"), list(figures.items()))
    for example in examples:
        report.note(f"  {example}")
    report.result(figures)
    return int(any(figures[name] for name in ("lost", "duplicated", "different")))


def _measure(arguments: argparse.Namespace, report: Report) -> tuple[dict[str, object], tuple[str, ...]]:
    rounds, seed = arguments.rounds, arguments.seed
    with chosen_store(arguments) as store, report.step("killing", rounds) as step:
        killed = asyncio.run(_play(rounds, seed, store, step, random.Random(f"{seed} kills")))
    with chosen_store(arguments) as store, report.step("the same without a kill", rounds) as step:
        reference = asyncio.run(_play(rounds, seed, store, step, None))
    found = compare(killed.memory, reference.memory, killed.acknowledged)
    figures: dict[str, object] = {
        "store": arguments.store,
        "rounds": rounds,
        "kills": dict(killed.kills),
        "acknowledged": len(killed.acknowledged),
        "lost": found.lost,
        "duplicated": found.duplicated,
        "different": found.different,
        "changes": found.changes,
    }
    return figures, found.examples


@dataclass(frozen=True, slots=True)
class _RunResult:
    """The memory at the end of the script, the messages that must be in it, and how often each process was killed."""

    memory: Snapshot
    acknowledged: list[tuple[str, str]]
    kills: Counter[str]


async def _play(rounds: int, seed: int, store: StoreUnderTest, step: Step, moments: random.Random | None) -> _RunResult:
    """Plays the script; with `moments` something is killed once a round."""
    async with server({**SETTINGS, "lease_s": LEASE_S, **store.settings}) as process:
        driven = Server(Connection(process.address))
        killer = Killer(process, driven, store.neo4j, moments) if moments is not None else None
        if store.kept:
            await driven.connection.delete_namespaces(NAMESPACES)
        chats = await _play_rounds(rounds, seed, driven, killer, step)
        snapshot = await take(driven.connection, NAMESPACES)
        if store.kept:
            await driven.connection.delete_namespaces(NAMESPACES)
        await driven.connection.channel.close()
    acknowledged = [(chat.namespace, client_id) for chat in chats for client_id in chat.acknowledged]
    return _RunResult(snapshot, acknowledged, Counter() if killer is None else killer.killed)


async def _play_rounds(rounds: int, seed: int, driven: Server, killer: Killer | None, step: Step) -> list[Chat]:
    chats = [Chat(namespace, driven) for namespace in NAMESPACES]
    scripts = [Chats(namespace, seed) for namespace in NAMESPACES]
    for _ in range(rounds):
        playing = asyncio.gather(*(chat.play(list(script.round())) for chat, script in zip(chats, scripts, strict=True)))
        if killer is not None:
            await killer.strike()
        await playing
        step.advance()
    for chat in chats:
        await chat.finish()
    return chats
