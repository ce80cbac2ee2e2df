"""Fusion: the score of a memory is a plain sum of what each signal adds, kept as columns so that any hit can be explained."""

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np

from graph.model import Role
from graph.retrieval.answer import QueryPlan
from graph.retrieval.measures import Bools, Ceilings, Ints, Measures
from graph.retrieval.recipes import Recipe
from graph.retrieval.scoring import Float64
from graph.store.candidates import Candidates, Feature

# Plain numbers: numpy takes five times as long to make sense of a member of an enumeration.
_QUESTION, _TIME_EXPRESSION, _INSTRUCTION = int(Feature.QUESTION), int(Feature.TIME_EXPRESSION), int(Feature.INSTRUCTION)
_USER = int(Role.USER)


@dataclass(frozen=True, slots=True)
class Signal:
    """One signal over n candidates: its measure, that on the common scale, its weight, and the row that lent it (-1: none)."""

    name: str
    raw: Float64
    value: Float64
    weight: float
    source: Ints | None = None


@dataclass(slots=True)
class Ledger:
    """What every signal adds to every one of n candidates."""

    rows: int
    signals: list[Signal] = field(default_factory=list)

    def add(self, name: str, raw: Float64, value: Float64, weight: float, source: Ints | None = None) -> None:
        """Adds a signal; `value` is never below 0."""
        if weight:
            self.signals.append(Signal(name, raw, value, weight, source))

    def total(self) -> Float64:
        """(n,) the scores: what the signals add, in their order."""
        return self._sum(self.signals)

    def found(self) -> Bools:
        """(n,) whether any signal speaks for the candidate."""
        return self._sum([signal for signal in self.signals if signal.weight > 0]) > 0

    def _sum(self, signals: Sequence[Signal]) -> Float64:
        if not signals:
            return np.zeros(self.rows)
        points = np.array([signal.value for signal in signals])
        points *= np.array([signal.weight for signal in signals])[:, None]
        return np.asarray(points.sum(axis=0), dtype=np.float64)


def fuse(candidates: Candidates, measures: Measures, limits: Ceilings, plan: QueryPlan, recipe: Recipe) -> Ledger:
    """The ledger of all signals but the graph's."""
    ledger = Ledger(len(candidates))
    # Statements have statistics, and so a lexical ceiling, of their own.
    lexical = np.where(measures.is_statement, _scaled(measures.lexical, limits.statement), _scaled(measures.lexical, limits.message))
    # Up to the floor the cosine tells nothing: texts without any relation reach that, too.
    dense = _scaled(np.maximum(measures.dense - recipe.dense_floor, 0.0), limits.dense - recipe.dense_floor)
    _add_channels(ledger, measures, lexical, dense, limits, recipe)
    own = ledger.total()
    _add_neighbours(ledger, candidates, measures, own, recipe)
    _add_session(ledger, candidates, measures, own, recipe)
    _add_statements(ledger, candidates, np.maximum(lexical, dense), own, recipe)
    _add_question(ledger, candidates, measures, plan, recipe)
    return ledger


def _scaled(values: Float64, ceiling: float) -> Float64:
    """Values on the common scale. A ceiling of 0 is that of nothing but zeros."""
    return values / (ceiling if ceiling > 0 else 1.0)


def _add_channels(ledger: Ledger, measures: Measures, lexical: Float64, dense: Float64, limits: Ceilings, recipe: Recipe) -> None:
    ledger.add("lexical", measures.lexical, lexical, recipe.lexical)
    # A statement has no neighbours: its own match counts for the window as well.
    window = np.where(measures.is_statement, lexical, _scaled(measures.window, limits.window))
    ledger.add("lexical_window", np.where(measures.is_statement, measures.lexical, measures.window), window, recipe.lexical_window)
    ledger.add("dense", measures.dense, dense, recipe.dense)
    if recipe.lexical and measures.is_unembedded.any():
        # What has no vector yet must not fall behind everything that has one.
        stand_in = np.where(measures.is_unembedded, lexical, 0.0)
        ledger.add("unembedded", np.where(measures.is_unembedded, measures.lexical, 0.0), stand_in, recipe.dense)


def _add_neighbours(ledger: Ledger, candidates: Candidates, measures: Measures, own: Float64, recipe: Recipe) -> None:
    # The last place is that of no neighbour, -1: it asks nothing and lends nothing.
    asks = np.append(candidates.features & _QUESTION, 0) != 0
    lent_by = np.append(own, 0.0)
    follows_question = asks[measures.before]
    for name, lender, weight in (
        ("answer", np.where(follows_question, measures.before, np.int32(-1)), recipe.answer),
        ("previous", np.where(follows_question, np.int32(-1), measures.before), recipe.previous),
        ("next", measures.after, recipe.next),
    ):
        lent = lent_by[lender]
        ledger.add(name, lent, lent, weight, lender)


def _add_session(ledger: Ledger, candidates: Candidates, measures: Measures, own: Float64, recipe: Recipe) -> None:
    """Each memory gets the mean of its session's best few messages."""
    if not len(candidates) or not recipe.session:
        return
    # Each session's messages from the best to the worst, then its statements.
    ranked = np.where(measures.is_statement, -1.0, own)
    order = np.lexsort((-ranked, candidates.session))
    ranked, session = ranked[order], candidates.session[order]
    begins = np.empty(len(order), dtype=bool)
    begins[0], begins[1:] = True, session[1:] != session[:-1]
    start = np.flatnonzero(begins)
    end = np.append(start[1:], len(order))
    total, count = np.zeros(len(start)), np.zeros(len(start))
    for place in range(recipe.session_best):
        counts = (start + place < end) & (ranked[np.minimum(start + place, len(order) - 1)] >= 0)
        total[counts] += ranked[start[counts] + place]
        count += counts
    value = np.empty(len(order))
    value[order] = (total / np.maximum(count, 1))[np.cumsum(begins) - 1]
    ledger.add("session", value, value, recipe.session)


def _add_statements(ledger: Ledger, candidates: Candidates, match: Float64, own: Float64, recipe: Recipe) -> None:
    """Statements lend the better of their lexical and dense match to the messages they rest on; messages lend theirs to statements."""
    if not len(candidates.statement_row):
        return
    value, source = _best_lender(match, candidates.statement_row, candidates.message_row)
    ledger.add("facts", value, value, recipe.facts, source)
    value, source = _best_lender(own, candidates.message_row, candidates.statement_row)
    ledger.add("evidence", value, value, recipe.evidence, source)


def _best_lender(values: Float64, lender: Ints, borrower: Ints) -> tuple[Float64, Ints]:
    """For every row the greatest value among those that lend to it, and which row that is (-1: nobody lends)."""
    best = np.zeros(len(values))
    source = np.full(len(values), -1, dtype=np.int32)
    order = np.argsort(values[lender], kind="stable")
    lender, borrower = lender[order], borrower[order]
    best[borrower] = values[lender]
    source[borrower] = lender
    return best, source


def _add_question(ledger: Ledger, candidates: Candidates, measures: Measures, plan: QueryPlan, recipe: Recipe) -> None:
    """What the question asks for: somebody's words, a time, what the assistant said, advice."""

    def add(name: str, applies: Bools, weight: float) -> None:
        value = applies.astype(np.float64)
        ledger.add(name, value, value, weight)

    if len(plan.speakers) == 1 and plan.speakers[0] in candidates.speakers:
        add("speaker", candidates.speaker == candidates.speakers.index(plan.speakers[0]), recipe.speaker)
    if plan.times:
        ledger.add("dates", measures.dates, measures.dates, recipe.dates)
    if plan.asks_when:
        add("when", (candidates.features & _TIME_EXPRESSION) != 0, recipe.when)
    if not measures.is_assistant.any():
        return
    add("assistant", measures.is_assistant, recipe.assistant)
    if plan.asks_assistant:
        add("asked_assistant", measures.is_assistant, recipe.asked_assistant)
    # A standing wish is one towards an assistant.
    if plan.asks_advice:
        add("instruction", ((candidates.features & _INSTRUCTION) != 0) & (candidates.role == _USER), recipe.instruction)
