"""The questions of a data set, asked of a peer that holds its messages and recorded facts, and of ours with the same facts."""

import time
from collections.abc import Mapping

from bench.connection import Connection
from bench.counting import DEPTH, judge, ranking_of, summary
from bench.dataset import Dataset
from bench.ingest import ingest, namespace_of
from bench.peers.chats import group_of
from bench.peers.graphiti import Graphiti
from bench.percentiles import percentiles
from bench.questions import Answers, ask
from bench.recording import recorded_facts
from bench.report import Report
from bench.server import server
from bench.stores import StoreUnderTest, own_namespaces
from extract.embed import Embedder

# What both are asked for when the answer is timed; recall is counted on a second, longer one.
K = 10


async def peer_quality(peer: Graphiti, dataset: Dataset, embedder: Embedder, report: Report) -> dict[str, object]:
    """Loads every conversation into a group of its own, then asks every question that counts."""
    groups = [await group_of(conversation, embedder) for conversation in dataset.conversations]
    began = time.perf_counter()
    with report.step("loading, the peer", sum(len(group.messages) + len(group.facts) for group in groups)) as step:
        for group in groups:
            await peer.load(group, step)
    load_s = time.perf_counter() - began
    answers = Answers([], [])
    asked = [(conversation, question) for conversation in dataset.conversations for question in conversation.questions if question.counted]
    with report.step("asking, the peer", len(asked)) as step:
        for conversation, question in asked:
            began = time.perf_counter()
            await peer.search(conversation.id, question.text, K)
            answers.seconds.append(time.perf_counter() - began)
            ranking = ranking_of(await peer.search(conversation.id, question.text, DEPTH))
            answers.judgements.append(judge(question.category, ranking, question.evidence))
            step.advance()
    return {**_figures(answers), "facts": sum(len(group.facts) for group in groups), "load_s": round(load_s, 2)}


async def our_quality(store: StoreUnderTest, dataset: Dataset, report: Report) -> dict[str, object]:
    """The same through the service, with the recipe `hybrid`; what it takes to load is the whole pipeline, embedding included."""
    with recorded_facts(dataset) as file:
        settings: Mapping[str, object] = {"extractor": "recorded", "recorded_file": file, **store.settings}
        async with (
            server(settings) as running,
            Connection(running.address) as connection,
            own_namespaces(connection, store, list(map(namespace_of, dataset.conversations))),
        ):
            ingested = await ingest(connection, dataset, report)
            answers = await ask(connection, dataset, ingested, "hybrid", report)
    return {**_figures(answers), "load_s": round(ingested.seconds, 2)}


def _figures(answers: Answers) -> dict[str, object]:
    return {**summary(answers.judgements), "latency_ms": percentiles(answers.seconds)}
