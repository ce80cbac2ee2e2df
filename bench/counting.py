"""How answers are counted, so that figures of different systems compare.

A question's recall@k is the share of its evidence among the first k distinct message ids of the ranked answer; all@k is 1 when every piece
is there; the reciprocal rank is that of the first piece among the distinct ids. A fact or relation counts, in its place in the
ranking, as the messages that evidence it.
"""

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from statistics import fmean

from graph.text import terms_of

RECALL_AT = (5, 10, 20, 30, 60)
ALL_AT = 10
DEPTH = max(RECALL_AT)


@dataclass(frozen=True, slots=True)
class Judgement:
    """The measures of one answer, each from 0 to 1, by their names in the report."""

    category: str
    measures: Mapping[str, float]


def ranking_of(places: Iterable[Sequence[str]]) -> list[str]:
    """The distinct message ids of an answer: each place holds the ids that a hit counts as."""
    return list(dict.fromkeys(id_ for place in places for id_ in place))


def judge(category: str, ranking: Sequence[str], evidence: Sequence[str]) -> Judgement:
    """The measures of a ranking of distinct message ids against a question's evidence, of which there is at least one piece."""
    rank = {id_: place for place, id_ in enumerate(ranking, start=1)}
    found = sorted(rank[id_] for id_ in evidence if id_ in rank)
    measures = {f"recall@{k}": sum(place <= k for place in found) / len(evidence) for k in RECALL_AT}
    measures[f"all@{ALL_AT}"] = float(sum(place <= ALL_AT for place in found) == len(evidence))
    measures["mrr"] = 1 / found[0] if found else 0.0
    return Judgement(category, measures)


def with_context(judged: Judgement, tokens: int, inside: Collection[str], evidence: Sequence[str]) -> Judgement:
    """The judgement with the share of the evidence that stands in a context of so many tokens."""
    share = sum(id_ in inside for id_ in evidence) / len(evidence)
    return Judgement(judged.category, {**judged.measures, f"context@{tokens}": share})


def with_answer(judged: Judgement, tokens: int, text: str, answer: str) -> Judgement:
    """The judgement with the share of the right answer's words, as searches know them, that stand in a context of so many tokens."""
    wanted = set(terms_of(answer))
    if not wanted:
        return judged
    share = len(wanted.intersection(terms_of(text))) / len(wanted)
    return Judgement(judged.category, {**judged.measures, f"answer_words@{tokens}": share})


def means(judgements: Sequence[Judgement]) -> dict[str, float]:
    """The mean of each measure over the questions that have it: recalls, all@k and shares in percent, mrr from 0 to 1."""
    values: dict[str, list[float]] = defaultdict(list)
    for judgement in judgements:
        for name, value in judgement.measures.items():
            values[name].append(value)
    return {name: round(fmean(each), 4) if name == "mrr" else round(100 * fmean(each), 2) for name, each in values.items()}


def summary(judgements: Sequence[Judgement]) -> dict[str, object]:
    """The means overall and by category."""
    by_category: dict[str, list[Judgement]] = defaultdict(list)
    for judgement in judgements:
        by_category[judgement.category].append(judgement)
    return {"overall": means(judgements), "by_category": {name: means(by_category[name]) for name in sorted(by_category)}}
