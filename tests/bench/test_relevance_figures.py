"""The figures of `bench relevance`: the area under the curve, the fit, and the command on a small data set."""

import json
import math
import subprocess
import sys
from pathlib import Path

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from bench.relevance.asking import RankedQuestion
from bench.relevance.judging import auc
from bench.relevance.model import fitted
from graph.retrieval.ranking.relevance import FEATURES

ROOT = Path(__file__).parents[2]
values = st.lists(st.integers(0, 5).map(float), min_size=1, max_size=20)


@given(values, values)
def test_the_area_is_how_often_a_positive_is_greater(positive: list[float], negative: list[float]) -> None:
    wins = sum((a > b) + (a == b) / 2 for a in positive for b in negative)
    assert math.isclose(auc(positive, negative), wins / (len(positive) * len(negative)))


def test_what_tells_evidence_gets_weight_and_what_does_not_gets_none() -> None:
    drawn = np.random.default_rng(1)
    cosine = FEATURES.index("cosine")
    asked = []
    for number in range(400):
        features = drawn.random((5, len(FEATURES)))
        asked.append(RankedQuestion("set", "a", "a", "own" if number % 2 else "other", True, features, features[:, cosine] > 0.7))
    model = fitted(asked)
    assert model[1 + cosine] > 5
    assert np.abs(np.delete(model, [0, 1 + cosine])).max() < 1
    assert fitted(asked, without="cosine")[1 + cosine] == 0


def test_the_command_prints_one_object(chats_file: Path) -> None:
    command = [sys.executable, "-m", "bench", "relevance", "--data", str(chats_file), "--json"]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False, timeout=110)
    assert (done.returncode, done.stderr) == (0, "")
    found = json.loads(done.stdout)
    assert set(found) == {"separation", "thresholds", "reliability", "model"}
    assert set(found["model"]) == {"constant", *FEATURES}
    told = found["separation"]["two-gardens"]["as asked"]
    assert 0 <= told["AUC other"] <= 1
    assert told["adversarial questions"] == 1
