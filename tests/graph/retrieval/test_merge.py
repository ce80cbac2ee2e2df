from dataclasses import replace

import numpy as np

from graph.retrieval.finding.merge import merged
from graph.retrieval.ranking.channel_scores import score_channels
from graph.retrieval.recipes import RECIPES
from graph.store.candidates import Candidates

TERMS = ("paint", "lake")


def rows_of(all_of: Candidates, keep: list[int]) -> Candidates:
    """What a store answers when only these rows are candidates."""
    place = np.full(len(all_of) + 1, -1, dtype=np.int32)
    place[keep] = np.arange(len(keep), dtype=np.int32)
    pairs = np.isin(all_of.statement_row, keep) & np.isin(all_of.message_row, keep)
    passages, spans = np.isin(all_of.passage_row, keep), np.isin(all_of.span_row, keep)
    names = ("kind", "role", "session", "seq", "speaker", "said_at", "features", "eligible")
    return replace(
        all_of,
        **{name: getattr(all_of, name)[keep] for name in names},
        ids=[all_of.ids[i] for i in keep],
        previous=place[all_of.previous[keep]],
        next=place[all_of.next[keep]],
        passage_row=place[all_of.passage_row[passages]],
        term_counts=all_of.term_counts[passages],
        length=all_of.length[passages],
        similarity=all_of.similarity[passages],
        span_row=place[all_of.span_row[spans]],
        span_start=all_of.span_start[spans],
        span_end=all_of.span_end[spans],
        statement_row=place[all_of.statement_row[pairs]],
        message_row=place[all_of.message_row[pairs]],
    )


def test_two_answers_joined_measure_as_one(columns, memory) -> None:
    everything = columns(
        [
            memory("I paint", cosine=0.3, spans=((1, 2),)),
            memory("the lake", "Ben", cosine=0.5),
            memory("I paint the lake", cosine=0.7, spans=((5, 9),)),
            memory("no", session=2),
            memory("a fact of a lake", "Cleo", cosine=0.6, rests_on=(2,)),
        ],
        TERMS,
    )
    joined = merged(rows_of(everything, [0, 1]), rows_of(everything, [1, 2, 3, 4]))
    assert list(joined.ids) == list(everything.ids)
    assert joined.previous.tolist() == everything.previous.tolist()
    assert joined.next.tolist() == everything.next.tolist()
    assert [joined.speakers[i] for i in joined.speaker] == [everything.speakers[i] for i in everything.speaker]
    assert (joined.statement_row.tolist(), joined.message_row.tolist()) == ([4], [2])
    one, other = (score_channels(c, (), RECIPES["hybrid"]) for c in (joined, everything))
    for name in ("lexical", "window", "dense"):
        np.testing.assert_allclose(getattr(one, name), getattr(other, name))


def test_nothing_new_changes_nothing(columns, memory) -> None:
    first = columns([memory("I paint"), memory("the lake")], TERMS)
    assert merged(first, rows_of(first, [1])) is first
