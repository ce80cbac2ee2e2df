"""Explaining a hit: what each signal added, where it stood in each channel, how the graph reached it, what it rests on."""

import numpy as np

from graph.model import Message, Statement
from graph.retrieval.answer import ChannelRank, Contribution, Explanation
from graph.retrieval.ranking.channel_scores import Bools
from graph.retrieval.ranking.ledger import Ledger
from graph.retrieval.walking.expand import Expansion
from graph.store.candidates import Candidates

# The signal by which a channel orders its candidates.
CHANNELS = (("lexical", "lexical"), ("dense", "dense"), ("graph", "graph"), ("temporal", "dates"))


def explain(
    candidates: Candidates, ledger: Ledger, eligible: Bools, expansion: Expansion | None, row: int, node: Message | Statement
) -> Explanation:
    """The explanation of the memory in this row. Its points sum, in their order, to the row's score."""
    return Explanation(
        contributions=contributions_of(candidates, ledger, expansion, row),
        channels=tuple(_ranks(ledger, eligible, row)),
        path=expansion.path(node.id) if expansion else (),
        evidence_ids=(node.id,) if isinstance(node, Message) else node.evidence_ids,
    )


def contributions_of(candidates: Candidates, ledger: Ledger, expansion: Expansion | None, row: int) -> tuple[Contribution, ...]:
    """What each signal added to the row; signals that added nothing are left out."""
    contributions: list[Contribution] = []
    for signal in ledger.signals:
        value = float(signal.value[row])
        if not value:
            continue
        source = int(signal.source[row]) if signal.source is not None else -1
        from_id = candidates.ids[source] if source >= 0 else ""
        if signal.name == "graph" and expansion and expansion.path(candidates.ids[row]):
            from_id = expansion.seed(candidates.ids[row])
        contributions.append(Contribution(signal.name, float(signal.raw[row]), value, signal.weight, signal.weight * value, from_id))
    return tuple(contributions)


def _ranks(ledger: Ledger, eligible: Bools, row: int) -> list[ChannelRank]:
    ranks: list[ChannelRank] = []
    for channel, name in CHANNELS:
        signal = next((s for s in ledger.signals if s.name == name), None)
        if signal is not None and signal.value[row] > 0:
            better = int(np.count_nonzero(eligible & (signal.value > signal.value[row])))
            ranks.append(ChannelRank(channel, better + 1, float(signal.raw[row])))
    return ranks
