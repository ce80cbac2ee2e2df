"""Which sentences say most of a group in few: coverage and novelty, by a greedy choice.

The value of a choice A is sum_i w_i max_{j in A} s_ij: how much of every sentence i is said by the nearest one chosen (facility location,
Lin and Bilmes 2011, "A Class of Submodular Functions for Document Summarization", ACL). A sentence that repeats a chosen one adds nothing,
so that coverage brings novelty. Submodular and monotone: the greedy choice is within 1 - 1/e of the best.
"""

import math
from collections import Counter
from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from extract.consolidate.local.candidates import Candidate

if TYPE_CHECKING:
    from scipy import sparse

Floats = NDArray[np.float32]
# Similarities are n x n; of more sentences than this the weightiest are looked at, the later ones first among equals.
MOST_COMPARED = 400
# Nearer than this two sentences say the same in other words: the sources of both stand behind the one.
SAME = 0.9
# Weights of a sentence, chosen by reading what is kept of LoCoMo's chats and of an assistant's: what stands for long and what has a date is
# asked for later; a bare quotation and a sentence of few words tell little; what a context says already is known.
_ASPECT, _DATED, _QUOTED, _KNOWN = 1.4, 1.25, 0.7, 0.6
_SLIGHTEST = 0.3
_FULL_TERMS = 10
# A sentence that adds less than this share of what the first added says nothing new.
_LEAST_GAIN = 0.03


def chosen(candidates: Sequence[Candidate], context: Sequence[Candidate], most: int) -> list[Candidate]:
    """At most `most` candidates that say most of all, in their order; those that say the same as one of them lend it their sources."""
    if not candidates:
        return []
    weights = _weights(candidates)
    if len(candidates) > MOST_COMPARED:
        places = sorted(range(len(candidates)), key=lambda place: (-float(weights[place]), -candidates[place].order))[:MOST_COMPARED]
        candidates = [candidates[place] for place in sorted(places)]
        weights = _weights(candidates)
    similar = similarities(candidates, context[:MOST_COMPARED])
    own, known = similar[:, : len(candidates)], similar[:, len(candidates) :]
    if known.shape[1]:
        weights = np.where(known.max(axis=1) >= SAME, weights * _KNOWN, weights)
    picked = _greedy(own * weights[:, None], weights, most)
    for place in picked:
        for other in np.flatnonzero(own[place] >= SAME).tolist():
            candidates[place].source_ids.update(candidates[other].source_ids)
    return [candidates[place] for place in sorted(picked)]


def similarities(candidates: Sequence[Candidate], others: Sequence[Candidate] = ()) -> Floats:
    """The similarity of each candidate to all candidates and then to all others, 0 to 1: of terms, and of vectors where all have one."""
    everything = [*candidates, *others]
    rows = _tf_idf([one.terms for one in everything])
    similar = np.asarray((rows[: len(candidates)] @ rows.T).todense(), dtype=np.float32)
    vectors = [one.vector for one in everything if one.vector is not None]
    if len(vectors) == len(everything):
        matrix = np.asarray(vectors, dtype=np.float32)
        similar = (similar + np.clip(matrix[: len(candidates)] @ matrix.T, 0, 1)) / 2
    # Rounded, so that the order of additions on another machine decides nothing.
    return np.round(similar, 4)


def _tf_idf(texts: Sequence[Sequence[str]]) -> "sparse.csr_array":
    from scipy import sparse  # here, as in `threads`

    frequency = Counter(term for terms in texts for term in set(terms))
    column = {term: place for place, term in enumerate(frequency)}
    total = len(texts)
    data: list[float] = []
    columns: list[int] = []
    starts = [0]
    for terms in texts:
        weighted = [(column[term], (1 + math.log(count)) * math.log(1 + total / frequency[term])) for term, count in Counter(terms).items()]
        length = math.sqrt(sum(weight * weight for _, weight in weighted)) or 1.0
        columns += [place for place, _ in weighted]
        data += [weight / length for _, weight in weighted]
        starts.append(len(data))
    return sparse.csr_array((data, columns, starts), shape=(total, max(1, len(column))), dtype=np.float32)


def _weights(candidates: Sequence[Candidate]) -> Floats:
    found = np.ones(len(candidates), dtype=np.float32)
    for place, one in enumerate(candidates):
        if one.aspect is not None:
            found[place] *= _ASPECT
        if one.dated:
            found[place] *= _DATED
        if ' said: "' in one.text:
            found[place] *= _QUOTED
        found[place] *= _SLIGHTEST + (1 - _SLIGHTEST) * min(1.0, len(set(one.terms)) / _FULL_TERMS)
    return found


def _greedy(value: Floats, weights: Floats, most: int) -> list[int]:
    """`value[i, j]`: what j says of i, weighted. Ties go to the earlier one."""
    covered = np.zeros(len(value), dtype=np.float32)
    picked: list[int] = []
    first = 0.0
    while len(picked) < min(most, len(value)):
        gains = np.maximum(value - covered[:, None], 0).sum(axis=0) * weights
        gains[picked] = -1
        best = int(np.argmax(gains))
        gain = float(gains[best])
        if picked and gain < _LEAST_GAIN * first:
            break
        first = first or gain
        picked.append(best)
        covered = np.maximum(covered, value[:, best])
    return picked
