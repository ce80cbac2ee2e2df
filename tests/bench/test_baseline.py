from pathlib import Path

import numpy as np

from bench.baseline import NaiveRrf, ask_baseline
from bench.dataset import read_dataset
from bench.report import Report
from extract.embed import HashingEmbedder


def test_fuses_both_rankings_by_their_places(chats_file: Path) -> None:
    messages = read_dataset(chats_file).conversations[0].messages
    vectors = np.eye(len(messages), dtype=np.float32)
    searched = NaiveRrf(messages, vectors)

    # The words point at the first message, the vector at the fourth: both stand before what neither finds.
    assert set(searched.rank("planted", vectors[3])[:2]) == {"g1", "g4"}
    assert searched.rank("planted", vectors[0])[0] == "g1"


async def test_answers_every_question_that_counts(chats_file: Path) -> None:
    embedder = HashingEmbedder()
    answers = await ask_baseline(read_dataset(chats_file), embedder, Report(as_json=True))

    assert [judgement.category for judgement in answers.judgements] == ["single", "multi", "single"]
    assert all(judgement.measures["recall@60"] == 1.0 for judgement in answers.judgements)
    assert len(answers.seconds) == 3
