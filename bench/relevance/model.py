"""The logistic model: fitted to all questions, or, to judge a conversation's, to those of all others."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import minimize

from bench.relevance.asking import RankedQuestion
from bench.report import Report
from graph.retrieval.ranking.relevance import FEATURES

Numbers = NDArray[np.float64]
# Of the penalty on the numbers of features on one scale; the questions of a data set weigh 4,000 together. Any small number does.
_PENALTY = 1.0
_WEIGHT = 1_000.0


@dataclass(frozen=True, slots=True)
class Judged:
    """A question with the (m,) relevances of its hits, by a model that knows neither its conversation nor the one it is from."""

    asked: RankedQuestion
    relevance: Numbers

    @property
    def best(self) -> float:
        """That of the most relevant hit."""
        return float(self.relevance.max(initial=0.0))


def cross_validated(asked: Sequence[RankedQuestion], report: Report) -> list[Judged]:
    """Every question, judged by a model fitted to the other conversations."""
    judged: list[Judged] = []
    conversations = list(dict.fromkeys((one.dataset, one.conversation) for one in asked))
    with report.step("fitting", len(conversations)) as step:
        for dataset, conversation in conversations:
            left_out = [one for one in asked if (one.dataset, one.conversation) == (dataset, conversation)]
            kept = [one for one in asked if one.dataset != dataset or conversation not in (one.conversation, one.source)]
            model = fitted(kept)
            judged += [Judged(one, 1 / (1 + np.exp(-(one.features @ model[1:] + model[0])))) for one in left_out]
            step.advance()
    return judged


def fitted(asked: Sequence[RankedQuestion], without: str = "") -> Numbers:
    """The constant and one number a feature; 0 for the one left out.

    Tricky questions take no part. Data sets weigh the same, so do a data set's own questions and those of other conversations, with and
    without names.
    """
    asked = [one for one in asked if one.kind != "adversarial" and len(one.evidence)]
    size = Counter((one.dataset, one.kind, one.named) for one in asked)
    weights = np.concatenate(
        [np.full(len(one.evidence), _WEIGHT / size[one.dataset, one.kind, one.named] / len(one.evidence)) for one in asked]
    )
    used = [place for place, name in enumerate(FEATURES) if name != without]
    values = np.concatenate([one.features for one in asked])[:, used]
    outcome = np.concatenate([one.evidence for one in asked]).astype(np.float64)
    model = np.zeros(len(FEATURES) + 1)
    model[[0, *(place + 1 for place in used)]] = _logistic(values, outcome, weights)
    return model


def _logistic(values: Numbers, outcome: Numbers, weights: Numbers) -> Numbers:
    """The constant and the coefficients of a weighted logistic regression."""
    mean = np.average(values, axis=0, weights=weights)
    scale = np.sqrt(np.average((values - mean) ** 2, axis=0, weights=weights)) + 1e-9
    design = np.column_stack([np.ones(len(values)), (values - mean) / scale])

    def loss(model: Numbers) -> tuple[float, Numbers]:
        logit = design @ model
        penalised = np.append(0.0, model[1:])
        cost = weights @ (np.logaddexp(0, logit) - outcome * logit) + _PENALTY / 2 * penalised @ penalised
        return float(cost), design.T @ (weights * (1 / (1 + np.exp(-logit)) - outcome)) + _PENALTY * penalised

    found: Numbers = minimize(loss, np.zeros(design.shape[1]), jac=True, method="L-BFGS-B").x
    slopes = found[1:] / scale
    return np.append(found[0] - slopes @ mean, slopes)
