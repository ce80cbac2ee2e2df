"""Asks the questions of a file and counts what was found of the memories that they expect."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime, tzinfo
from typing import TYPE_CHECKING, Any

from service.cli.filters import memory_filter, time_range
from service.cli.golden.expecting import Directory, Expected, rank_of
from service.cli.golden.questions import Question

if TYPE_CHECKING:
    from structmem import Client, Miss


@dataclass(frozen=True, slots=True)
class Found:
    """One expected memory: its rank in the answer, or None and, if that was asked for, why it is not there."""

    expected: Expected
    rank: int | None
    miss: "Miss | None" = None


@dataclass(frozen=True, slots=True)
class Judged:
    """A question's answer: what was found among its first `k` hits."""

    question: Question
    k: int
    found: tuple[Found, ...]

    @property
    def recall(self) -> float:
        """The share of the expected memories that is there."""
        return sum(one.rank is not None for one in self.found) / len(self.found)

    @property
    def all(self) -> bool:
        """Whether every one is there."""
        return all(one.rank is not None for one in self.found)

    @property
    def reciprocal_rank(self) -> float:
        """1 / the rank of the first that is there; 0 where none is."""
        return max((1 / one.rank for one in self.found if one.rank), default=0.0)


@dataclass(frozen=True, slots=True)
class Way:
    """How all the questions are asked. `k` is that of questions that name none; `explain`: say why what is missed is missed."""

    namespace: str
    k: int
    recipe: str
    min_relevance: float
    time_zone: str
    zone: tzinfo
    explain: bool


def asked(client: "Client", directory: Directory, questions: Iterable[Question], way: Way) -> Iterator[Judged]:
    """The questions with what was found, one after the other."""
    for question in questions:
        given = _arguments(question, way)
        hits = list(client.retrieve(question.question, way.namespace, **given))
        found = []
        for expected in directory.expected(question):
            rank = rank_of(expected, hits)
            # Of several memories that would do, the first stands for all: the reason seldom differs.
            missed = sorted(expected.ids)[:1] if rank is None and way.explain else []
            miss = client.explain_miss(way.namespace, missed[0], question.question, **given) if missed else None
            found.append(Found(expected, rank, miss))
        yield Judged(question, given["k"], tuple(found))


def _arguments(question: Question, way: Way) -> dict[str, Any]:
    limits = question.filter
    happened = time_range(limits.since, limits.until, way.zone)
    return {
        "k": question.k or way.k,
        "recipe": way.recipe,
        "min_relevance": way.min_relevance,
        "time_zone": way.time_zone,
        "asked_at": datetime.fromisoformat(question.asked_at) if question.asked_at else None,
        "as_asked": question.asked_at is not None,
        "session": question.session,
        "turns": question.turns,
        "filter": memory_filter(limits.kinds, limits.sessions, limits.speakers, happened, limits.labels),
    }
