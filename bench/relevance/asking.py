"""Asks a conversation its own questions, tricky ones and those of other conversations, and notes what relevance looks at.

Each question is asked as it is and with the names of all speakers taken out: where two people chat, the name in a question alone tells
most of the time whether it is about them.
"""

import random
import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from bench.dataset import Conversation, Dataset, Question
from bench.ingest import Ingested, namespace_of
from bench.report import Report
from extract.embed import Embedder
from graph.model import MemoryFilter, NodeKind
from graph.retrieval import DEFAULT_RECIPE, RECIPES, RetrievalRequest
from graph.retrieval.changes.index import ChangeIndexes
from graph.retrieval.finding.search import search_of
from graph.retrieval.planning.query_vector import QueryVectors
from graph.retrieval.ranking.ranking import rank
from graph.retrieval.ranking.relevance import features
from graph.store.candidates import Candidates
from graph.store.port import Store
from graph.text.names import is_role_name

Kind = Literal["own", "other", "adversarial"]
HITS = 10


@dataclass(frozen=True, slots=True)
class RankedQuestion:
    """One question, asked of one conversation.

    Attributes:
        conversation, source: ids of the conversation asked and of the one that the question is from.
        kind: its own and answerable, of another conversation, or its own but tricky.    named: with the names of speakers.
        features: (m, f) of the m best hits.     evidence: (m,) whether each is a piece of the answer to a question of its own.
    """

    dataset: str
    conversation: str
    source: str
    kind: Kind
    named: bool
    features: NDArray[np.float64]
    evidence: NDArray[np.bool_]


async def ask(
    store: Store, embedder: Embedder | None, dataset: Dataset, ingested: Ingested, others: int, report: Report
) -> list[RankedQuestion]:
    """The questions of a data set, asked of its conversations; of other conversations so many, drawn at random but always the same."""
    names = _names(dataset)
    drawn = random.Random(1)
    found: list[RankedQuestion] = []
    with report.step(f"asking {dataset.name}", len(dataset.conversations)) as step:
        for conversation in dataset.conversations:
            ids = ingested.message_ids[conversation.id]
            for source, question, kind in _questions(dataset, conversation, others, drawn):
                for named in (True, False):
                    text = question.text if named else names.sub(" ", question.text)
                    values, stands_for = await _best(store, embedder, conversation, text)
                    wanted = set(question.evidence) if kind == "own" else set()
                    evidence = np.array([any(ids.get(id_) in wanted for id_ in ids_) for ids_ in stands_for], dtype=bool)
                    found.append(RankedQuestion(dataset.name, conversation.id, source, kind, named, values, evidence))
            step.advance()
    return found


def _questions(dataset: Dataset, conversation: Conversation, others: int, drawn: random.Random) -> Iterator[tuple[str, Question, Kind]]:
    for question in conversation.questions:
        if question.counted:
            yield conversation.id, question, "own"
        elif question.category == "adversarial" and not question.suspect:
            yield conversation.id, question, "adversarial"
    elsewhere = [(other.id, q) for other in dataset.conversations if other is not conversation for q in other.questions if q.counted]
    for source, question in drawn.sample(elsewhere, min(others, len(elsewhere))):
        yield source, question, "other"


def _names(dataset: Dataset) -> re.Pattern[str]:
    speakers = {message.speaker.split()[0] for conversation in dataset.conversations for message in conversation.messages}
    told = sorted((re.escape(name) for name in speakers if not is_role_name(name)), key=len, reverse=True)
    return re.compile(rf"\b(?:{'|'.join(told) or '(?!)'})(?:['’]s)?\b", re.IGNORECASE)


async def _best(
    store: Store, embedder: Embedder | None, conversation: Conversation, text: str
) -> tuple[NDArray[np.float64], list[list[str]]]:
    """The features of the best hits, and the messages that each stands for."""
    recipe = RECIPES[DEFAULT_RECIPE]
    now = max(message.sent_at for message in conversation.messages)
    request = RetrievalRequest(namespace_of(conversation), text, HITS, recipe.name, MemoryFilter(), now, UTC)
    search = await search_of(store, request, recipe, QueryVectors(embedder), ChangeIndexes())
    rows = [chosen.row for chosen in rank([search], recipe).selected]
    return features(search.candidates, search.channel_scores, search.plan)[rows], [_stands_for(search.candidates, row) for row in rows]


def _stands_for(candidates: Candidates, row: int) -> list[str]:
    if candidates.kind[row] == NodeKind.MESSAGE:
        return [candidates.ids[row]]
    return [candidates.ids[message] for message in candidates.message_row[candidates.statement_row == row]]
