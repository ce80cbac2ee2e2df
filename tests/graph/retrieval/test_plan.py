from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from graph.model import Entity, EntityKind
from graph.retrieval.planning.plan import linked, names_in, plan_query
from graph.retrieval.recipes import RECIPES

NOW = datetime(2024, 6, 15, 12, tzinfo=UTC)
HYBRID = RECIPES["hybrid"]


def plan(query: str, zone: str = "UTC"):
    return plan_query(query, ("Ana", "Ben"), NOW, ZoneInfo(zone), HYBRID)


def test_a_plan_tells_who_what_and_when() -> None:
    understood = plan("When did Ana move to Lisbon in May 2023?")
    assert understood.terms == ("ana", "move", "lisbon", "may", "2023")
    assert understood.speakers == ("Ana",)
    assert understood.asks_when
    assert understood.dense_text == "When did move to Lisbon in May 2023?"
    assert [(s.start, s.end) for s in understood.times] == [(datetime(2023, 5, 1, tzinfo=UTC), datetime(2023, 6, 1, tzinfo=UTC))]


def test_times_are_seen_from_when_and_where_it_is_asked() -> None:
    (span,) = plan("What did Ana do yesterday?", "Asia/Tokyo").times
    assert (span.start, span.end) == (datetime(2024, 6, 13, 15, tzinfo=UTC), datetime(2024, 6, 14, 15, tzinfo=UTC))


def test_a_month_without_a_year_means_that_of_any_year_around() -> None:
    years = {span.start.year for span in plan("What did they paint in May?").times}
    assert {2015, 2019, 2023, 2024, 2025} <= years


def test_a_query_of_ten_thousand_words_is_planned() -> None:
    understood = plan("lighthouse " + " ".join(f"word{i}" for i in range(10_000)) + " What did Ana say about it?")
    assert {"lighthous", "word1", "word9999"} <= set(understood.terms)
    assert len(understood.dense_text.split()) <= HYBRID.max_dense_words
    assert understood.speakers == ("Ana",)


@pytest.mark.parametrize("asked_at", [datetime(1, 1, 1, tzinfo=UTC), datetime(9998, 12, 31, tzinfo=UTC)])
def test_any_time_can_be_asked_from(asked_at: datetime) -> None:
    assert plan_query("What happened in May? And last week? And yesterday?", (), asked_at, UTC, HYBRID).terms


@given(st.text(min_size=1, max_size=300))
def test_any_text_is_a_query(query: str) -> None:
    understood = plan(query)
    assert len(set(understood.terms)) == len(understood.terms)
    assert understood.dense_text or not query.strip()
    assert len(names_in(query)) <= 200


@pytest.mark.parametrize("query", ['"ana" NEAR/3 (lisbon*)', "ana AND lisbon OR NOT -x", "ana'; DROP TABLE nodes; --", "{}[]^$.*+?\\"])
def test_operators_and_quotes_are_just_text(query: str) -> None:
    assert all(term.isalnum() for term in plan(query).terms)


def test_names_are_runs_of_words_without_stop_words_at_their_ends() -> None:
    names = names_in("Did Ana's dog see the Bridge of Sighs?")
    assert "ana" in names
    assert "bridge of sighs" in names
    assert "the bridge" not in names
    assert names.index("bridge of sighs") < names.index("bridge")


def test_the_rarest_entity_is_linked_first() -> None:
    entities = [Entity(f"ent_{n}", f"E{n}", EntityKind.THING, NOW, mention_count=n) for n in (7, 1, 3)]
    assert linked(entities) == (("ent_1", "ent_3", "ent_7"), ("E1", "E3", "E7"))
