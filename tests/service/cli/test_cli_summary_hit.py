"""A summary that a query found, for people: with --explain what made its score."""

from datetime import UTC

import pytest
from structmem import Contribution, SummaryHit

from service.cli.documents import summary_hit_document
from service.cli.excerpts import Excerpts
from service.cli.summary_lines import print_summary_hit
from service.cli.times import Times
from tests.service.cli.test_cli_summary_tree import tree

WORDS = Contribution("lexical", 4.2, 0.5, 0.4, 0.2)
VECTOR = Contribution("dense", 0.7, 0.7, 0.6, 0.42)


def printed(hit: SummaryHit, capsys: pytest.CaptureFixture[str]) -> str:
    print_summary_hit(hit, Times(UTC, "UTC"), Excerpts(full=True))
    return capsys.readouterr().out


def test_what_made_the_score_is_told_where_it_was_asked_for(capsys: pytest.CaptureFixture[str]) -> None:
    explained = printed(SummaryHit(1, "acme", tree().summary, 0.62, (WORDS, VECTOR)), capsys)
    assert "score 0.620" in explained
    assert explained.endswith("     why: 0.420 dense + 0.200 lexical\n")
    assert "why" not in printed(SummaryHit(1, "acme", tree().summary, 0.62), capsys)


def test_without_vectors_the_words_are_all_of_it(capsys: pytest.CaptureFixture[str]) -> None:
    hit = SummaryHit(1, "acme", tree().summary, 0.5, (Contribution("lexical", 4.2, 0.5, 1.0, 0.5),))
    assert "why: 0.500 lexical\n" in printed(hit, capsys)
    [part] = summary_hit_document(hit)["contributions"]
    assert (part["signal"], part["points"]) == ("lexical", 0.5)
