"""Boundaries are compared as published, and the command reports every way of segmentation."""

import json
from pathlib import Path
from typing import Any

import pytest

from bench.__main__ import main
from bench.segments.agreement import Agreement, agreement
from tests.extract.compress.tiny_model import build


def test_the_same_segments_agree_wholly() -> None:
    figures = agreement([4, 6, 2], [4, 6, 2]).figures()
    assert (figures["precision"], figures["recall"], figures["f1"], figures["pk"]) == (100, 100, 100, 0)


def test_boundaries_and_windows_are_counted() -> None:
    found = agreement([4, 4], [2, 2, 4])
    # Windows of one message: of seven pairs of neighbors one is parted by the expected segments alone.
    assert found == Agreement(segments=2, found=1, expected=2, right=1, windows=7, errors=1)
    assert found.figures()["f1"] == 66.7


def test_segments_of_another_text_are_refused() -> None:
    with pytest.raises(ValueError, match="covers 3 of 4"):
        agreement([3], [2, 2])


def test_nothing_to_compare_is_no_division_by_nothing() -> None:
    assert (agreement([], []) + agreement([1], [1])).figures()["f1"] == 0


def test_the_command_reports_every_way(tmp_path: Path, capsys: Any) -> None:
    file = _file(tmp_path, ["c"])
    assert main(["segments", "--data", str(file), "--json"]) == 0
    figures = json.loads(capsys.readouterr().out)
    assert figures["sessions"] == 2
    assert set(figures["segmentation"]) == {"similarity", "none"}
    assert figures["segmentation"]["none"]["segments"] == 1
    assert figures["segmentation"]["similarity"]["recall"] == 100


@pytest.mark.filterwarnings("ignore")  # what torch and transformers warn of while they load
@pytest.mark.timeout(300)
def test_with_a_model_all_three_ways_are_reported(tmp_path: Path, capsys: Any) -> None:
    pytest.importorskip("llmlingua", reason="the extra compression is not installed (it brings torch)")
    file = _file(tmp_path, ["c"])
    assert main(["segments", "--data", str(file), "--model", str(build(tmp_path / "tiny")), "--json"]) == 0
    figures = json.loads(capsys.readouterr().out)["segmentation"]
    assert set(figures) == {"similarity", "attention+similarity", "none"}
    assert figures["attention+similarity"]["segments"] <= figures["similarity"]["segments"]


def test_a_model_that_is_none_is_named(tmp_path: Path, capsys: Any) -> None:
    assert main(["segments", "--data", str(_file(tmp_path, ["c"])), "--model", str(tmp_path)]) != 0
    assert "--model: " in capsys.readouterr().err


def test_tuning_needs_others_to_tune_on(tmp_path: Path, capsys: Any) -> None:
    assert main(["segments", "--data", str(_file(tmp_path, ["c", "d", "e"])), "--tune", "--json"]) == 0
    figures = json.loads(capsys.readouterr().out)["segmentation"]
    assert figures["similarity, tuned on the others"]["recall"] == 100
    assert main(["segments", "--data", str(_file(tmp_path, ["c"])), "--tune"]) != 0
    assert "--tune: needs two" in capsys.readouterr().err


def _file(tmp_path: Path, conversations: list[str]) -> Path:
    talks = {"boat": ("I sail my boat.", "The sails are torn.", "A storm tore the sails.", "Sew them."), "tax": ("My tax is due.",) * 4}
    sessions = [
        {
            "id": name,
            "messages": [
                {"id": f"{name}{n}", "speaker": "Ana", "role": "user", "text": text, "sent_at": "2023-05-17T09:00:00Z"}
                for n, text in enumerate(texts)
            ],
        }
        for name, texts in talks.items()
    ]
    file = tmp_path / "talk.json"
    told = [{"id": one, "sessions": sessions, "questions": []} for one in conversations]
    file.write_text(json.dumps({"name": "talk", "conversations": told}))
    return file
