"""Two service processes on one Neo4j: work is shared, a dead one's work is done by the other, and what one wrote the other reads.

And one service on two Neo4j servers.
"""

import asyncio
import random
from collections import Counter
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
from structmem.v1 import memory_service_pb2, namespace_service_pb2, retrieval_pb2

from bench.connection import Connection
from bench.faults.driver import Chat, Server
from bench.faults.snapshot import compare, take
from bench.faults.workload import Chats
from bench.server import ServerProcess
from tests.extract.llm.openai_server import OpenAiServer, Reply, honest
from tests.neo4j_databases import Database

# A lease this short is taken over while the test waits; a longer pause of a busy machine costs a worker its job, which is then done again.
QUICK: Mapping[str, object] = {"embedder": "hashing", "idle_s": 0.2, "lease_s": 3, "log_level": "error"}
pytestmark = pytest.mark.timeout(300)


@asynccontextmanager
async def running(directory: Path, database: Database, **settings: object) -> AsyncIterator[tuple[ServerProcess, Connection]]:
    """A service process on the database, and a connection to it."""
    directory.mkdir()  # noqa: ASYNC240 - a test has the loop to itself
    process = ServerProcess(directory, {**QUICK, **database.settings, **settings})
    try:
        await process.start()
        async with Connection(process.address) as connection:
            yield process, connection
        await process.stop()
    finally:
        process.kill()


async def say(to: Connection, namespace: str, session: str, *texts: str, **more: Any) -> memory_service_pb2.AppendMessagesResponse:
    messages = [memory_service_pb2.MessageInput(speaker="Ana", text=text, client_id=f"{session}-{text}") for text in texts]
    request = memory_service_pb2.AppendMessagesRequest(
        namespace=namespace, session=session, messages=messages, create_namespace=True, **more
    )
    return await to.memory.AppendMessages(request, timeout=60)


async def test_the_other_service_finishes_the_job_of_one_that_was_killed(neo4j: Database, tmp_path: Path) -> None:
    model = OpenAiServer()
    # Whoever asks first waits for an answer that it will not live to see.
    model.script = [lambda body: Reply(honest(body).content, delay=8)]
    await model.start()
    reading = {"extractor": "llm", "llm_provider": "custom", "llm_model": "m", "llm_base_url": model.url, "workers": 1}
    texts = [f"I bought {number} lemons." for number in range(1, 9)]
    try:
        async with running(tmp_path / "a", neo4j, **reading) as (dying, one):
            job_id = (await say(one, "ana", "s", *texts)).job_id
            await one.memory.FlushSession(memory_service_pb2.FlushSessionRequest(namespace="ana", session="s"), timeout=60)
            async with asyncio.timeout(60):
                while not model.requests:  # noqa: ASYNC110 - the model is asked by another process
                    await asyncio.sleep(0.02)
            async with running(tmp_path / "b", neo4j, **reading) as (_, other):
                pid = dying.pid
                dying.kill()
                held = neo4j.run("MATCH (j:Job {id: $id}) RETURN j.worker AS worker, j.state AS state, j.attempts AS attempts", id=job_id)
                assert held[0]["state"] == "RUNNING"
                assert f"-{pid}/" in held[0]["worker"]
                await other.wait_for_job("ana", job_id)

                job = await other.memory.GetJob(memory_service_pb2.GetJobRequest(namespace="ana", job_id=job_id), timeout=60)
                listed = memory_service_pb2.ListStatementsRequest(namespace="ana", page_size=500)
                facts = [fact.text for fact in (await other.memory.ListStatements(listed, timeout=60)).statements]
    finally:
        await model.stop()

    # One more at least: on a slow machine its turn may end before it does.
    assert job.job.attempts > held[0]["attempts"]
    assert sorted(facts) == sorted(f"Ana said: {text}" for text in texts)
    assert neo4j.run("MATCH (f:Fact) RETURN count(f) AS facts") == [{"facts": len(texts)}]
    assert neo4j.run("MATCH (s:Session) RETURN s.extracted_seq AS seq") == [{"seq": len(texts)}]


async def test_jobs_are_shared_and_each_is_done_once(neo4j: Database, tmp_path: Path) -> None:
    sessions = [f"s{number}" for number in range(12)]
    async with running(tmp_path / "a", neo4j) as (a, one), running(tmp_path / "b", neo4j) as (b, other):
        await one.namespaces.CreateNamespace(namespace_service_pb2.CreateNamespaceRequest(namespace="ana"), timeout=60)
        workers: set[str] = set()

        async def watch() -> None:
            while True:
                held = await asyncio.to_thread(neo4j.run, "MATCH (j:Job) WHERE j.worker IS NOT NULL RETURN DISTINCT j.worker AS worker")
                workers.update(row["worker"].rpartition("/")[0].rpartition("-")[2] for row in held)
                await asyncio.sleep(0.02)

        watching = asyncio.create_task(watch())
        answers = await asyncio.gather(
            *(say(random.choice((one, other)), "ana", session, "I moved to Porto.", "I bought a cello.") for session in sessions)
        )
        await one.memory.FlushSession(memory_service_pb2.FlushSessionRequest(namespace="ana"), timeout=60)
        await other.wait_for_jobs("ana", [answer.job_id for answer in answers])
        watching.cancel()
        assert workers == {str(a.pid), str(b.pid)}

    per_session = neo4j.run("MATCH (f:Fact) RETURN f.session AS session, f.text AS text")
    counted = Counter((row["session"], row["text"]) for row in per_session)
    assert {session for session, _ in counted} == set(sessions)
    assert set(counted.values()) == {1}


async def test_what_one_service_wrote_the_other_reads_under_load(neo4j: Database, tmp_path: Path) -> None:
    async with running(tmp_path / "a", neo4j) as (_, one), running(tmp_path / "b", neo4j) as (_, other):
        for namespace in ("ana", "ben"):
            await one.namespaces.CreateNamespace(namespace_service_pb2.CreateNamespaceRequest(namespace=namespace), timeout=60)

        async def reads_its_writes(client: int) -> None:
            for number in range(10):
                writer, reader = (one, other) if (client + number) % 2 else (other, one)
                word = f"token{client}x{number}"
                namespace = ("ana", "ben")[client % 2]
                written = await say(writer, namespace, f"client {client}", f"my word is {word}")
                request = memory_service_pb2.RetrieveRequest(
                    query=retrieval_pb2.RetrievalQuery(
                        namespaces=[namespace], text=word, recipe="lexical", k=3, at_least=[written.consistency_token]
                    )
                )
                found = await reader.memory.Retrieve(request, timeout=60)
                assert any(word in hit.memory.message.text for hit in found.hits), word

        await asyncio.gather(*(reads_its_writes(client) for client in range(8)))


async def test_killed_in_turn_two_services_leave_what_one_that_lived_leaves(
    neo4j: Database, second_neo4j: Database, tmp_path: Path
) -> None:
    moments = random.Random(5)
    names, rounds = ("chat/one", "chat/two"), 4
    script = {"idle_s": 86400, "segment_most_messages": 6}

    async def played(driven: Server, kill: Any = None) -> tuple[Any, list[tuple[str, str]]]:
        chats = [Chat(name, driven) for name in names]
        scripts = [Chats(name, 3) for name in names]
        for _ in range(rounds):
            playing = asyncio.gather(*(chat.play(list(one.round())) for chat, one in zip(chats, scripts, strict=True)))
            if kill is not None:
                await kill()
            await playing
        for chat in chats:
            await chat.finish()
        return await take(driven.connection, names), [(chat.namespace, client) for chat in chats for client in chat.acknowledged]

    async with running(tmp_path / "a", neo4j, **script) as (a, one), running(tmp_path / "b", neo4j, **script) as (b, other):
        driven = Server(one)
        sides = [(a, one), (b, other)]

        async def kill() -> None:
            """Kills the service that is asked; the driver goes on with the other one while it comes back."""
            await asyncio.sleep(moments.uniform(0, 0.8))
            sides.reverse()
            (alive, connection), (dead, gone) = sides
            dead.kill()
            assert alive.pid
            driven.connection = connection
            await gone.channel.close()
            await dead.start()
            sides[1] = (dead, Connection(dead.address))

        killed, acknowledged = await played(driven, kill)
        await sides[1][1].channel.close()
        await sides[0][1].channel.close()
    async with running(tmp_path / "c", second_neo4j, **script) as (_, alone):
        reference, _ = await played(Server(alone))

    found = compare(killed, reference, acknowledged)
    assert (found.lost, found.duplicated, found.different) == (0, 0, 0), found.examples


async def test_a_map_spreads_namespaces_over_two_servers(neo4j: Database, second_neo4j: Database, tmp_path: Path) -> None:
    databases = tmp_path / "databases.toml"
    databases.write_text(f'[[database]]\nuri = "{second_neo4j.uri}"\nnamespaces = ["acme"]\n')
    names = ("acme", "acme/support", "beta")
    async with running(tmp_path / "a", neo4j, namespace_map=databases) as (_, service):
        jobs = [(await say(service, name, "s", f"I moved to Porto, says {name}.")).job_id for name in names]
        for name, job_id in zip(names, jobs, strict=True):
            await service.memory.FlushSession(memory_service_pb2.FlushSessionRequest(namespace=name, session="s"), timeout=60)
            await service.wait_for_job(name, job_id)
        listed = await service.namespaces.ListNamespaces(namespace_service_pb2.ListNamespacesRequest(), timeout=60)
        assert sorted(namespace.name for namespace in listed.namespaces) == sorted(names)

        request = memory_service_pb2.RetrieveRequest(
            query=retrieval_pb2.RetrievalQuery(namespaces=["acme/support", "beta"], text="Who moved to Porto?", k=10)
        )
        hits = (await service.memory.Retrieve(request, timeout=60)).hits
        assert {hit.namespace for hit in hits} == {"acme/support", "beta"}

        # Both keep what is theirs, and nothing of the other's.
        kept = "MATCH (m:Message) RETURN DISTINCT m.namespace AS namespace ORDER BY namespace"
        assert [row["namespace"] for row in neo4j.run(kept)] == ["beta"]
        assert [row["namespace"] for row in second_neo4j.run(kept)] == ["acme", "acme/support"]
