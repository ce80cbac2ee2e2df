"""A summary's tree loses nothing of what it draws, whoever reads it."""

from datetime import UTC, datetime
from typing import Any

import pytest
from structmem import Summary, SummaryLevel, SummarySentence, SummaryTree, TimeSpan

from service.cli import tables
from service.cli.excerpts import Excerpts
from service.cli.summary_tree import print_tree
from service.cli.times import Times

NOON = datetime(2024, 3, 4, 12, tzinfo=UTC)
LONG = " ".join(f"word{number}" for number in range(60))
ID = "sum_01m8r044nyehc8w30ftw7cc18v"


def tree() -> SummaryTree:
    values: dict[str, Any] = dict.fromkeys(Summary.__dataclass_fields__, ())
    values |= {
        "id": ID,
        "level": SummaryLevel.WINDOW,
        "title": "A window",
        "sentences": (SummarySentence(LONG, ("evt_01m8r041e2ezntgx0sqavkhy5d",)),),
        "member_ids": ("evt_01m8r041e2ezntgx0sqavkhy5d",),
        "time": TimeSpan(NOON, NOON, "instant", ""),
        "stale_since": None,
        "generation": 1,
        "consolidator": "",
    }
    values |= dict.fromkeys(("said_from", "said_to", "recorded_at", "consolidated_at"), NOON)
    return SummaryTree(Summary(**values), (), False)


@pytest.mark.parametrize("terminal", [True, False])
def test_no_word_is_cut_off(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, terminal: bool) -> None:
    from rich.console import Console

    monkeypatch.setattr(tables, "console", lambda: Console(width=60, force_terminal=terminal, no_color=True, highlight=False))
    print_tree(tree(), Times(UTC, "UTC"), Excerpts(full=True))
    shown = capsys.readouterr().out
    assert shown.count("word") == 60
    assert ID in shown
    lines = [line for line in shown.splitlines() if "word" in line]
    assert len(lines) == 1 if not terminal else len(lines) > 5
