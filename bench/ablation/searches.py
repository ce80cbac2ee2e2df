"""Asks every question once and keeps what the channels found, so that many recipes can be judged on it."""

import tempfile
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import UTC

from bench.connection import Connection
from bench.counting import Judgement, judge, ranking_of
from bench.dataset import Conversation, Dataset, Question
from bench.ingest import ingest, namespace_of
from bench.questions import HITS
from bench.report import Report
from graph.clock import SystemClock
from graph.model import MemoryFilter, NodeKind
from graph.retrieval import DEFAULT_RECIPE, RECIPES, RetrievalRequest
from graph.retrieval.changes.index import ChangeIndexes
from graph.retrieval.finding.search import Search, expanded, search_of
from graph.retrieval.planning.query_vector import QueryVectors
from graph.retrieval.ranking.channel_scores import channel_maxima
from graph.retrieval.ranking.ranking import rank
from graph.retrieval.recipes import Recipe
from service.composition import make_embedder, make_store
from service.in_process import in_process
from service.logs import configure_logs
from service.settings import Settings

Judgements = list[Judgement]


@dataclass(frozen=True, slots=True)
class SearchedQuestion:
    """A question with what was found for it: by the channels alone, and with what a walk over the graph added.

    Attributes:
        message_ids: the data set's id of each message by the service's.
    """

    dataset: str
    conversation: str
    question: Question
    search: Search
    walked: Search
    message_ids: dict[str, str]


async def searched(datasets: Sequence[Dataset], report: Report) -> list[SearchedQuestion]:
    """Every question that counts, asked when it says, or of its conversation at the end of it."""
    asked: list[SearchedQuestion] = []
    with tempfile.TemporaryDirectory(prefix="structmem-bench-") as directory:
        settings = Settings.model_validate({"data_dir": directory, "log_level": "error"})
        configure_logs(settings)
        async with in_process(settings) as address, Connection(address) as connection:
            ingested = [await ingest(connection, dataset, report) for dataset in datasets]
        # What the channels found is no part of any answer: it is taken where it is computed.
        store, vectors, changes = make_store(settings, SystemClock()), QueryVectors(make_embedder(settings)), ChangeIndexes()
        await store.open()
        try:
            for dataset, stored in zip(datasets, ingested, strict=True):
                with report.step(f"asking {dataset.name}", len(dataset.conversations)) as step:
                    for conversation in dataset.conversations:
                        for question in conversation.questions:
                            if question.counted:
                                request = _request(conversation, question)
                                search = await search_of(store, request, _read_as(RECIPES[DEFAULT_RECIPE], question), vectors, changes)
                                walked = await expanded(search, channel_maxima([search.channel_scores]), RECIPES["graph"])
                                ids = stored.message_ids[conversation.id]
                                asked.append(SearchedQuestion(dataset.name, conversation.id, question, search, walked, ids))
                        step.advance()
        finally:
            await store.close()
    return asked


def judged_by(asked: Sequence[SearchedQuestion], recipe: Recipe) -> Judgements:
    """Every question, judged by the ranking that a recipe gives."""
    return [_judgement(one, recipe) for one in asked]


def _request(conversation: Conversation, question: Question) -> RetrievalRequest:
    now = question.asked_at or max(message.sent_at for message in conversation.messages)
    plain = RetrievalRequest(namespace_of(conversation), question.text, HITS, DEFAULT_RECIPE, MemoryFilter(), now, UTC)
    return replace(plain, session=question.session, as_asked=question.asked_at is not None)


def _read_as(recipe: Recipe, question: Question) -> Recipe:
    return recipe.of_turn if question.session else recipe


def _judgement(one: SearchedQuestion, recipe: Recipe) -> Judgement:
    search = one.walked if recipe.graph else replace(one.search, expansion=None)
    candidates = search.candidates
    places: list[list[str]] = []
    for chosen in rank([search], _read_as(recipe, one.question)).selected:
        rows = [chosen.row]
        if candidates.kind[chosen.row] != NodeKind.MESSAGE:
            rows = candidates.message_row[candidates.statement_row == chosen.row].tolist()
        places.append([one.message_ids[id_] for row in rows if (id_ := candidates.ids[row]) in one.message_ids])
    return judge(one.question.category, ranking_of(places), one.question.evidence)
