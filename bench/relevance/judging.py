"""How well relevance separates, what a least relevance costs and spares, and whether it is the probability that it claims to be."""

from collections.abc import Sequence
from itertools import pairwise

import numpy as np
from scipy.stats import rankdata

from bench.relevance.model import Judged

Table = dict[str, dict[str, float]]
_KINDS = ("own", "other", "adversarial")
THRESHOLDS = (0.05, 0.1, 0.2, 0.3, 0.5)
_BINS = (0.0, 0.05, 0.1, 0.2, 0.3, 0.5, 0.7, 1.0)


def auc(positive: Sequence[float], negative: Sequence[float]) -> float:
    """How often a positive value is greater than a negative one; ties count half. NaN without any of either."""
    if not positive or not negative:
        return float("nan")
    above = rankdata([*positive, *negative])[: len(positive)].sum() - len(positive) * (len(positive) + 1) / 2
    return float(above / (len(positive) * len(negative)))


def separation(judged: Sequence[Judged]) -> Table:
    """The area under the curve, own questions against others, by the relevance of the best hit; with names of speakers and without."""
    rows: Table = {}
    for label, named in (("as asked", True), ("names left out", False)):
        best = {kind: [one.best for one in judged if one.asked.kind == kind and one.asked.named == named] for kind in _KINDS}
        figures = {"own questions": float(len(best["own"]))}
        for kind in ("other", "adversarial"):
            if best[kind]:
                figures |= {f"{kind} questions": float(len(best[kind])), f"AUC {kind}": round(auc(best["own"], best[kind]), 3)}
        rows[label] = figures
    return rows


def at_thresholds(judged: Sequence[Judged]) -> Table:
    """By least relevance, in percent: own and other questions that still have a hit, and the evidence among the hits that is kept."""
    own = [one for one in judged if one.asked.kind == "own" and one.asked.named]
    other = [one for one in judged if one.asked.kind == "other" and one.asked.named]
    evidence = np.concatenate([one.relevance[one.asked.evidence] for one in own])
    rows: Table = {}
    for least in THRESHOLDS:
        rows[f"{least}"] = {
            "own answered %": _percent([one.best >= least for one in own]),
            "evidence kept %": _percent((evidence >= least).tolist()),
            "others answered %": _percent([one.best >= least for one in other]),
        }
    return rows


def reliability(judged: Sequence[Judged]) -> Table:
    """By relevance: how many hits, their mean relevance and the share that is evidence; own questions and as many others, by weight."""
    plain = [one for one in judged if one.asked.kind != "adversarial" and one.asked.named]
    share = {kind: sum(one.asked.kind == kind for one in plain) for kind in _KINDS}
    relevance = np.concatenate([one.relevance for one in plain])
    evidence = np.concatenate([one.asked.evidence for one in plain])
    weight = np.concatenate([np.full(len(one.relevance), 1 / share[one.asked.kind]) for one in plain])
    rows: Table = {}
    for low, high in pairwise(_BINS):
        inside = (relevance >= low) & (relevance < high)
        if inside.any():
            rows[f"{low} to {high}"] = {
                "hits": float(inside.sum()),
                "mean relevance": round(float(np.average(relevance[inside], weights=weight[inside])), 3),
                "evidence": round(float(np.average(evidence[inside], weights=weight[inside])), 3),
            }
    return rows


def _percent(held: Sequence[bool]) -> float:
    return round(100 * float(np.mean(held)), 1) if held else float("nan")
