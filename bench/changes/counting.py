"""How answers about what changes are counted: each is right or wrong, by the distinct message ids of its ranking."""

from collections import defaultdict
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass

from bench.changes.questions import ChangeQuestion

# A state counts as found among so many messages; what still holds has to be found whole among fewer.
WITHIN = 20
STILL_WITHIN = 10


@dataclass(frozen=True, slots=True)
class Verdict:
    """Whether the answer to a question was right, and whether a right message was within reach at all."""

    question: ChangeQuestion
    right: bool
    found: bool


def judge(question: ChangeQuestion, ranking: Sequence[str]) -> Verdict:
    """Judges a ranking of distinct message ids.

    `now`: the best newest message is among the first 20, before every outdated one. `still`: all evidence is among the first 10.
    `as_of`: of the messages that state what held at any time, the first one among the first 20 states what held then.
    """
    if question.kind == "still":
        right = set(question.evidence) <= set(ranking[:STILL_WITHIN])
        return Verdict(question, right, right)
    wanted = set(question.newest if question.kind == "now" else question.evidence)
    others = (set(question.newest) | set(question.outdated)) - wanted
    first = _first(ranking, wanted | others)
    return Verdict(question, first in wanted, _first(ranking, wanted) is not None)


def _first(ranking: Sequence[str], ids: Collection[str]) -> str | None:
    return next((id_ for id_ in ranking[:WITHIN] if id_ in ids), None)


def summary(verdicts: Iterable[Verdict]) -> dict[str, object]:
    """Of the verdicts of one kind of question: how many, the percentage that is right and that is found, and these by category."""
    judged = list(verdicts)
    by_category: dict[str, list[Verdict]] = defaultdict(list)
    for verdict in judged:
        by_category[verdict.question.category].append(verdict)
    return {**_shares(judged), "by_category": {name: _shares(by_category[name]) for name in sorted(by_category)}}


def _shares(verdicts: Sequence[Verdict]) -> dict[str, float | int]:
    def share(count: int) -> float:
        return round(100 * count / len(verdicts), 1) if verdicts else 0.0

    return {
        "questions": len(verdicts),
        "right": share(sum(verdict.right for verdict in verdicts)),
        "found": share(sum(verdict.found for verdict in verdicts)),
    }
