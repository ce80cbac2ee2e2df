"""What a model says of times, resolved as the session's calendar has it."""

from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import pytest

from extract.llm.dates import resolved_time, span_of_date
from graph.model import Granularity
from tests.extract.llm.conftest import message

LISBON = ZoneInfo("Europe/Lisbon")


@pytest.mark.parametrize(
    ("text", "start", "end", "granularity"),
    [
        ("2023", datetime(2023, 1, 1, tzinfo=UTC), datetime(2024, 1, 1, tzinfo=UTC), Granularity.YEAR),
        ("2023-05", datetime(2023, 4, 30, 23, tzinfo=UTC), datetime(2023, 5, 31, 23, tzinfo=UTC), Granularity.MONTH),
        ("2023-05-08", datetime(2023, 5, 7, 23, tzinfo=UTC), datetime(2023, 5, 8, 23, tzinfo=UTC), Granularity.DAY),
        ("2023-05-08T19:30", datetime(2023, 5, 8, 18, 30, tzinfo=UTC), datetime(2023, 5, 8, 18, 31, tzinfo=UTC), Granularity.INSTANT),
        ("2023-05-08/2023-05-10", datetime(2023, 5, 7, 23, tzinfo=UTC), datetime(2023, 5, 10, 23, tzinfo=UTC), Granularity.DAY),
    ],
)
def test_dates_are_of_the_zone(text: str, start: datetime, end: datetime, granularity: Granularity) -> None:
    span = span_of_date(text, LISBON)
    assert (span.start, span.end, span.granularity) == (start, end, granularity)


@pytest.mark.parametrize(
    "text", ["May", "2023-13", "2023-02-30", "23-05-08", "0000", "9999", "2023-05-08T25:00", "2024/2023", "/", "2023/"]
)
def test_what_is_no_date_is_refused(text: str) -> None:
    with pytest.raises(ValueError):  # noqa: PT011  # pydantic takes any of them
        span_of_date(text, UTC)


def test_the_words_go_before_the_models_own_date() -> None:
    span = resolved_time("last Friday", "2023-04-01", [message(1, "I moved last Friday.")], UTC)
    assert span is not None
    assert (span.start, span.expression) == (datetime(2023, 5, 5, tzinfo=UTC), "last Friday")


def test_words_that_nobody_said_count_for_nothing() -> None:
    assert resolved_time("last Friday", "", [message(1, "I moved.")], UTC) is None
    span = resolved_time("in the spring of her life", "2023-04", [message(1, "I moved.")], UTC)
    assert span is not None
    assert (span.start.month, span.expression) == (4, "")


def test_words_that_the_rules_do_not_know_keep_the_models_date() -> None:
    span = resolved_time("the day after the fair", "2023-05-02", [message(1, "It was the day after the fair.")], UTC)
    assert span is not None
    assert (span.start.day, span.expression) == (2, "the day after the fair")
    assert resolved_time("when I was ten", "", [message(1, "When I was ten.")], UTC) is None


def test_the_sentence_tells_which_friday() -> None:
    ahead = resolved_time("on Friday", "", [message(1, "I will fly on Friday.")], UTC)
    back = resolved_time("on Friday", "", [message(1, "I flew on Friday.")], UTC)
    assert ahead is not None
    assert back is not None
    assert (ahead.start.day, back.start.day) == (12, 5)
