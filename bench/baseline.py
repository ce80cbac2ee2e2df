"""The baseline of every recipe: rank_bm25 and MiniLM over the messages, fused by reciprocal ranks, with the query as it stands."""

import re
import time
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray
from rank_bm25 import BM25Okapi

from bench.counting import DEPTH, judge
from bench.dataset import ChatMessage, Dataset
from bench.questions import Answers
from bench.report import Report
from extract.embed import Embedder

NAME = "naive_rrf"
# The constant of Cormack, Clarke and Büttcher, "Reciprocal rank fusion outperforms Condorcet" (SIGIR 2009).
RRF_K = 60
_WORD = re.compile(r"[\w']+")


class NaiveRrf:
    """The messages of one conversation, ready to be searched."""

    def __init__(self, messages: Sequence[ChatMessage], vectors: NDArray[np.float32]) -> None:
        self._ids = [message.id for message in messages]
        self._bm25 = BM25Okapi([_words(text_of(message)) for message in messages])  # type: ignore[no-untyped-call] # ships no types
        self._vectors = vectors

    def rank(self, query: str, vector: NDArray[np.float32]) -> list[str]:
        """All ids, best first."""
        fused = np.zeros(len(self._ids))
        for scores in (self._lexical(query), self._vectors @ vector):
            order = np.argsort(-scores, kind="stable")
            fused[order] += 1 / (RRF_K + 1 + np.arange(len(order)))
        return [self._ids[row] for row in np.argsort(-fused, kind="stable")]

    def _lexical(self, query: str) -> NDArray[np.float64]:
        return np.asarray(self._bm25.get_scores(_words(query)))  # type: ignore[no-untyped-call] # ships no types


def text_of(message: ChatMessage) -> str:
    """What the baseline reads of a message."""
    return f"{message.speaker}: {message.text}"


async def ask_baseline(dataset: Dataset, embedder: Embedder, report: Report) -> Answers:
    """Asks every question that counts; the time of an answer holds the embedding of its query."""
    answers = Answers([], [])
    with report.step(f"asking, {NAME}", sum(q.counted for c in dataset.conversations for q in c.questions)) as step:
        for conversation in dataset.conversations:
            vectors = await embedder.embed([text_of(message) for message in conversation.messages])
            searched = NaiveRrf(conversation.messages, vectors.astype(np.float32))
            for question in filter(lambda question: question.counted, conversation.questions):
                began = time.perf_counter()
                ranking = searched.rank(question.text, await embedder.embed_query(question.text))
                answers.seconds.append(time.perf_counter() - began)
                seen = conversation.seen_by(question)
                ranking = [id_ for id_ in ranking if id_ in seen][:DEPTH]
                answers.judgements.append(judge(question.category, ranking, question.evidence))
                step.advance()
    return answers


def _words(text: str) -> list[str]:
    return _WORD.findall(text.lower())
