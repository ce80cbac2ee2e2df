"""How much of what is truly nearest a search by Neo4j's vector index finds: in its namespace, under a filter, among others' vectors."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import numpy as np
import pytest

from graph.model import EmbeddingSpec, ExtractionMode, MemoryFilter, Message, Namespace, Role, Session, TimeRange, UuidSource
from graph.store.candidates import CandidateQuery
from graph.store.neo4j import Neo4jStore
from graph.store.port import PassageVector

SIZE, DIMENSION, WANTED = 2_500, 64, 60
START = datetime(2024, 3, 4, tzinfo=UTC)
SPEC = EmbeddingSpec("test", "f", DIMENSION)


def clustered(rng, count):
    """Unit vectors around 40 centres, as those of chats are: nearly all that is near is about one topic."""
    centres = rng.normal(size=(40, DIMENSION))
    vectors = centres[rng.integers(40, size=count)] + 0.6 * rng.normal(size=(count, DIMENSION))
    return (vectors / np.linalg.norm(vectors, axis=1, keepdims=True)).astype(np.float16)


def conversation(vectors):
    """A session of messages by three speakers, with these vectors."""
    mint = UuidSource().mint
    session = Session(mint("ses"), "s", START)
    messages = [
        Message(mint("msg"), "s", seq, ("Ana", "Ben", "Cy")[seq % 3], Role.USER, f"turn {seq}", START + timedelta(minutes=seq), START)
        for seq in range(1, len(vectors) + 1)
    ]
    return session, messages, [PassageVector(message.id, 0, vector) for message, vector in zip(messages, vectors, strict=True)]


async def batches(session, messages, vectors):
    yield [session]
    yield messages
    yield vectors


@pytest.mark.timeout(600)
async def test_filtered_search_finds_what_is_nearest(neo4j):
    rng = np.random.default_rng(7)
    store = Neo4jStore(neo4j.address, search_in_process_passages=0)
    await store.open()
    try:
        namespace = Namespace("own", "", SPEC, ExtractionMode.OFF, START)
        matrix = clustered(rng, SIZE)
        session, messages, vectors = conversation(matrix)
        await store.import_namespace(namespace, batches(session, messages, vectors))
        # Another namespace, as near to the queries, in the same index.
        await store.import_namespace(replace(namespace, name="other"), batches(*conversation(clustered(rng, SIZE))))
        # The speaker is in the vector index, when something happened is not: more is asked for until enough of it passes.
        evening = TimeRange(START + timedelta(hours=18), START + timedelta(hours=23))
        filters = {
            "every": (MemoryFilter(), lambda message: True),
            "of Ben": (MemoryFilter(speakers=("Ben",)), lambda message: message.speaker == "Ben"),
            "in the evening": (MemoryFilter(happened=evening), lambda message: evening.start <= message.sent_at < evening.end),
        }
        found = {name: [] for name in filters}
        for query in clustered(rng, 20).astype(np.float32):
            for name, (chosen, passes) in filters.items():
                found[name].append(await recall(store, messages, matrix, query, chosen, passes))
        assert {name: np.mean(shares) >= 0.98 for name, shares in found.items()} == dict.fromkeys(filters, True)
    finally:
        await store.close()


async def recall(store, messages, matrix, query, chosen, passes):
    """The share of the exact nearest that a search finds."""
    passing = [place for place, message in enumerate(messages) if passes(message)]
    nearest = np.array(passing)[np.argsort(-(matrix[passing].astype(np.float32) @ query))[:WANTED]]
    asked = CandidateQuery((), query, chosen, lexical_limit=0, dense_limit=WANTED, neighbours=0)
    found = await store.namespace("own").candidates(asked)
    assert len(found) == WANTED
    return len({messages[place].id for place in nearest} & set(found.ids)) / WANTED
