"""Which process is killed, and when: the service, the database that it keeps its memory in, or both."""

import asyncio
import random
from collections import Counter
from dataclasses import dataclass, field
from typing import Literal

from bench.connection import Connection
from bench.faults.driver import Server
from bench.server import ServerProcess
from tests.neo4j_server import Neo4jServer

Victim = Literal["service", "neo4j", "both"]
# A round without a kill takes about this long; a kill falls anywhere into it, and sometimes after it, into what the pipeline still does.
KILL_WITHIN_S = 0.8
# How often a second kill falls into the start after the first one, when the server repairs what it finds.
KILL_AT_START = 0.2
# How long the service goes on without its database before that comes back: long enough for what it does to run into the absence.
ABSENT_WITHIN_S = 1.0


@dataclass
class Killer:
    """Kills at random moments and starts again; `killed` counts the deaths of each process."""

    process: ServerProcess
    driven: Server
    neo4j: Neo4jServer | None
    moments: random.Random
    killed: Counter[str] = field(default_factory=Counter)

    async def strike(self) -> None:
        """Kills once, at a moment within KILL_WITHIN_S, and returns when everything serves again."""
        await asyncio.sleep(self.moments.uniform(0, KILL_WITHIN_S))
        victim = self._victim()
        if victim != "service":
            await self._kill_neo4j(with_service=victim == "both")
        if victim != "neo4j":
            await self._kill_service()

    def _victim(self) -> Victim:
        return "service" if self.neo4j is None else self.moments.choice(("service", "neo4j", "both"))

    async def _kill_neo4j(self, with_service: bool) -> None:
        assert self.neo4j is not None
        self.neo4j.kill()
        self.killed["neo4j"] += 1
        if with_service:
            self.process.kill()
        await asyncio.sleep(self.moments.uniform(0, ABSENT_WITHIN_S))
        await asyncio.to_thread(self.neo4j.start)

    async def _kill_service(self) -> None:
        self.process.kill()
        self.killed["service"] += 1
        if self.moments.random() < KILL_AT_START:
            self.process.launch()
            await asyncio.sleep(self.moments.uniform(0, self.process.ready_s))
            self.process.kill()
            self.killed["service"] += 1
        old = self.driven.connection
        await self.process.start()
        self.driven.connection = Connection(self.process.address)
        await old.channel.close()
