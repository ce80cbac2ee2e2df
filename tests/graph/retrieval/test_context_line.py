from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import pytest

from graph.model import DISTANT_FUTURE, DISTANT_PAST, Granularity, Message, NodeKind, Role, Statement, TimeSpan
from graph.retrieval.context.context_line import line_of, words_of_span

LISBON = ZoneInfo("Europe/Lisbon")
SAID = datetime(2023, 5, 8, 23, 30, tzinfo=UTC)


def test_a_message_is_one_line_in_local_time() -> None:
    message = Message("msg_1", "s", 1, "Ana", Role.USER, "First\nsecond  line", SAID, SAID, image_caption="a dog")
    assert line_of(message, LISBON) == "2023-05-09 Tue 00:30 Ana: First second line [image: a dog]"


def test_a_statement_says_when_it_happened() -> None:
    span = TimeSpan(datetime(2023, 4, 30, 23, tzinfo=UTC), datetime(2023, 5, 31, 23, tzinfo=UTC), Granularity.MONTH)
    fact = Statement("fct_1", NodeKind.FACT, "s", "Ana moved.", "Ana", SAID, SAID, ("msg_1",), time=span)
    assert line_of(fact, LISBON) == "2023-05-09 Tue 00:30 Ana, in short: Ana moved. (2023-05)"


def day(number: int) -> datetime:
    return datetime(2023, 5, number, tzinfo=UTC)


@pytest.mark.parametrize(
    ("span", "words"),
    [
        (TimeSpan(day(7), day(8), Granularity.DAY), "2023-05-07"),
        (TimeSpan(day(1), day(8), Granularity.WEEK), "2023-05-01 to 2023-05-07"),
        (TimeSpan(datetime(2022, 1, 1, tzinfo=UTC), datetime(2023, 1, 1, tzinfo=UTC), Granularity.YEAR), "2022"),
        (TimeSpan(day(7), day(7), Granularity.INSTANT), "2023-05-07 00:00"),
        (TimeSpan(day(7), DISTANT_FUTURE, Granularity.ERA), "since 2023-05-07"),
        (TimeSpan(DISTANT_PAST, day(7), Granularity.ERA), "until 2023-05-06"),
        (TimeSpan(DISTANT_PAST, DISTANT_FUTURE, Granularity.ERA), "always"),
    ],
)
def test_spans_read_as_people_write_them(span: TimeSpan, words: str) -> None:
    assert words_of_span(span, UTC) == words
