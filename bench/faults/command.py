"""The benchmark itself: one run that is killed once a round, one that never is, and their comparison."""

import argparse
import asyncio
import random

from bench.calls import Connection
from bench.faults.driver import Chat, Server
from bench.faults.snapshot import Snapshot, compare, take
from bench.faults.workload import NAMESPACES, Chats
from bench.report import BenchError, Report, Step
from bench.server import ServerProcess, server

HELP = "kill the server at random moments and compare with a run that was never killed"
# Extraction waits for a flush, never for time to pass, so that both runs have the same segments. The model is left out: it has no part in
# what a kill can break, and would take most of the time.
SETTINGS: dict[str, object] = {"embedder": "hashing", "idle_s": 86400, "segment_most_messages": 6}
# A round without a kill takes about this long; a kill falls anywhere into it, and sometimes after it, into what the pipeline still does.
KILL_WITHIN_S = 0.8
# How often a second kill falls into the start after the first one, when the server repairs what it finds.
KILL_AT_START = 0.2


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The flags of this benchmark."""
    parser.add_argument("--rounds", type=int, default=100, metavar="N", help="how often to kill the server (default: 100)")
    parser.add_argument("--seed", type=int, default=1, help="of the chats and of the moments (default: 1)")
    parser.add_argument("--json", action="store_true", help="print one JSON object and nothing else")


def run(arguments: argparse.Namespace) -> int:
    """Runs the benchmark; the status is 1 when anything was lost, duplicated or different."""
    if arguments.rounds < 1:
        raise BenchError("--rounds: must be at least 1")
    report = Report(arguments.json)
    figures, examples = asyncio.run(_measure(arguments.rounds, arguments.seed, report))
    report.table("kill -9", ("figure", "value"), list(figures.items()))
    for example in examples:
        report.note(f"  {example}")
    report.result(figures)
    return int(any(figures[name] for name in ("lost", "duplicated", "different")))


async def _measure(rounds: int, seed: int, report: Report) -> tuple[dict[str, int], tuple[str, ...]]:
    moments = random.Random(f"{seed} kills")
    with report.step("killing", rounds) as step:
        killed, acknowledged = await _play(rounds, seed, step, moments)
    with report.step("the same without a kill", rounds) as step:
        reference, _ = await _play(rounds, seed, step, None)
    found = compare(killed, reference, acknowledged)
    figures = {
        "rounds": rounds,
        "acknowledged": len(acknowledged),
        "lost": found.lost,
        "duplicated": found.duplicated,
        "different": found.different,
    }
    return figures, found.examples


async def _play(rounds: int, seed: int, step: Step, moments: random.Random | None) -> tuple[Snapshot, list[tuple[str, str]]]:
    """Plays the script; with `moments` the server is killed once a round. Returns the memory, and the messages that must be in it."""
    async with server(SETTINGS) as process:
        driven = Server(Connection(process.address))
        chats = [Chat(namespace, driven) for namespace in NAMESPACES]
        scripts = [Chats(namespace, seed) for namespace in NAMESPACES]
        for _ in range(rounds):
            playing = asyncio.gather(*(chat.play(list(script.round())) for chat, script in zip(chats, scripts, strict=True)))
            if moments is not None:
                await _kill(process, driven, moments)
            await playing
            step.advance()
        for chat in chats:
            await chat.finish()
        snapshot = await take(driven.connection, NAMESPACES)
        await driven.connection.channel.close()
    return snapshot, [(chat.namespace, client_id) for chat in chats for client_id in chat.acknowledged]


async def _kill(process: ServerProcess, driven: Server, moments: random.Random) -> None:
    await asyncio.sleep(moments.uniform(0, KILL_WITHIN_S))
    process.kill()
    if moments.random() < KILL_AT_START:
        process.launch()
        await asyncio.sleep(moments.uniform(0, process.ready_s))
        process.kill()
    old = driven.connection
    await process.start()
    driven.connection = Connection(process.address)
    await old.channel.close()
