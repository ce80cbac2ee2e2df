"""What no longer holds stands behind what replaced it, however well it fits the words of the query."""

from collections.abc import Sequence

import numpy as np

from graph.model import NodeKind
from graph.retrieval.changes.standing import Standing
from graph.retrieval.ranking.channel_scores import Ints
from graph.retrieval.ranking.ledger import Ledger
from graph.retrieval.ranking.scoring import Float64
from graph.store.candidates import Candidates

# By so much of a point what was replaced stands behind what replaced it.
_BEHIND = 0.001
# A message says what was replaced as what it mainly says to the query if that fits the query so well, against its best statement.
_AS_GOOD = 0.7
# What may have replaced another one comes before it where that is so likely and it is among so many of the best messages. For a question of
# what holds now less is enough, and what is hardly likely counts among fewer.
_LIKELY, _LIKELY_NOW, _AMONG = 0.5, 0.3, 20
_AMONG_NOW = 15


def add_likely_changes(ledger: Ledger, candidates: Candidates, standing: Standing, asks_now: bool) -> None:
    """Lends a message the score of what it may have replaced, and of the statements of that; it takes nothing from these."""
    rows = len(standing.likelihood)
    enough = _LIKELY_NOW if asks_now else _LIKELY
    if not rows or not (asks_now or standing.likelihood.max() >= enough):
        return
    total = ledger.total()
    of_messages = np.sort(total[candidates.eligible & (candidates.kind == int(NodeKind.MESSAGE))])[::-1]
    least, least_now = (of_messages[most - 1] if len(of_messages) >= most else -np.inf for most in (_AMONG, _AMONG_NOW))
    reached = total.copy()
    # What an older message is found by may be a statement of it.
    np.maximum.at(reached, candidates.message_row, total[candidates.statement_row])
    lent = np.zeros(len(total))
    lender = np.full(len(total), -1, dtype=np.int32)
    for newer, older, likelihood in zip(
        standing.likely_newer.tolist(), standing.likely_older.tolist(), standing.likelihood.tolist(), strict=True
    ):
        if likelihood < enough and not asks_now:
            continue
        if total[newer] < (least if likelihood >= enough else least_now):
            continue
        ahead = reached[older] + _BEHIND
        if ahead > total[newer] + lent[newer]:
            lent[newer] = ahead - total[newer]
            lender[newer] = older
            reached[newer] = max(reached[newer], ahead)
    ledger.add("may_replace", lent, lent, 1.0, lender)


def add_changes(ledger: Ledger, candidates: Candidates, match: Float64, standing: Standing) -> None:
    """Lends what stands the score of what it replaced, and takes from that what it needs to stand behind.

    A message is judged by the statement of it that fits the query best: what else it says may still hold.

    Args:
        match: (n,) how well each candidate fits the query by itself.
    """
    if not len(standing.newer):
        return
    total = ledger.total()
    lent, taken = np.zeros(len(total)), np.zeros(len(total))
    lender = np.full(len(total), -1, dtype=np.int32)
    evidence = _evidence(candidates, [*standing.newer.tolist(), *standing.older.tolist()])
    best = np.zeros(len(total))
    np.maximum.at(best, candidates.message_row, match[candidates.statement_row])
    for newer, older in zip(standing.newer.tolist(), standing.older.tolist(), strict=True):
        pairs = [(newer, older)]
        if _is_meant(older, candidates, match, best, evidence):
            now = [row for row in evidence[newer] if row not in evidence[older]]
            pairs += [(row, other) for row in now for other in evidence[older]]
        for row, other in pairs:
            before = total[other] + lent[other]
            if before > total[row] + lent[row]:
                lent[row] = before - total[row]
                lender[row] = other
    # From the last change back, so that each stands behind where the one after it has come to stand.
    for newer, older in zip(standing.newer[::-1].tolist(), standing.older[::-1].tolist(), strict=True):
        if not _is_meant(older, candidates, match, best, evidence):
            continue
        for other in evidence[older]:
            ahead = [total[row] + lent[row] - taken[row] for row in evidence[newer] if row != other]
            if ahead:
                taken[other] = max(taken[other], total[other] + lent[other] - min(ahead) + _BEHIND, 0.0)
    ledger.add("replaces", lent, lent, 1.0, lender)
    ledger.add("replaced", taken, taken, -1.0)


def _is_meant(row: int, candidates: Candidates, match: Float64, best: Float64, evidence: dict[int, Ints]) -> bool:
    """Whether what was replaced is what its messages mainly say to the query."""
    return bool(candidates.kind[row] == NodeKind.MESSAGE or match[row] >= _AS_GOOD * best[evidence[row]].max(initial=0.0))


def _evidence(candidates: Candidates, rows: Sequence[int]) -> dict[int, Ints]:
    """By row the rows of the messages that it rests on; a message's own."""
    order = np.argsort(candidates.statement_row, kind="stable")
    statement, message = candidates.statement_row[order], candidates.message_row[order]
    found: dict[int, Ints] = {}
    for row in rows:
        first, last = np.searchsorted(statement, (row, row + 1))
        own = np.array([row], dtype=np.int32)
        found[row] = own if candidates.kind[row] == NodeKind.MESSAGE else message[first:last]
    return found
