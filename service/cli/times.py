"""Times as people read them: in one zone that is named, days and longer as the speaker meant them."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta, tzinfo
from typing import TYPE_CHECKING

from service.cli.dates import zone_of

if TYPE_CHECKING:
    from structmem import Client, TimeSpan


@dataclass(frozen=True, slots=True)
class Times:
    """Writes times of a zone."""

    zone: tzinfo
    name: str

    def heading(self, column: str) -> str:
        """The heading of a column of times."""
        return f"{column} ({self.name})"

    def instant(self, moment: datetime | None) -> str:
        """A time to the minute."""
        return moment.astimezone(self.zone).strftime("%Y-%m-%d %H:%M") if moment else ""

    def period(self, first: datetime | None, last: datetime | None) -> str:
        """From a moment to another: of one day with the hours, else the days."""
        if first is None or last is None:
            return self.instant(first or last)
        start, end = self.instant(first), self.instant(last)
        if start[:10] == end[:10]:
            return start if start == end else f"{start} to {end[-5:]}"
        return f"{start[:10]} to {end[:10]}"

    def span(self, it: "TimeSpan | None") -> str:
        """When something happened, as exactly as it is known."""
        if it is None:
            return ""
        if it.start is None or it.end is None:
            first = f"since {day_of(it.start)}" if it.start else ""
            return first or (f"until {day_of(it.end)}" if it.end else "")
        match it.granularity.value:
            case "year":
                return _first_and_last(it, 4)
            case "month":
                return _first_and_last(it, 7)
            case "day":
                return day_of(it.start)
            case "week" | "season" | "era":
                return f"{day_of(it.start)} to {day_of(it.end - timedelta(days=1))}"
            case "day_part":
                return f"{self.instant(it.start)} to {self.instant(it.end)[-5:]}"
            case _:
                return self.instant(it.start)

    def when(self, it: "TimeSpan | None", said_at: datetime | None) -> str:
        """When something happened, or, in brackets, when it was said."""
        return self.span(it) or (f"({self.instant(said_at)})" if said_at else "")


IN_UTC = Times(UTC, "UTC")


def times_of(client: "Client", namespaces: Sequence[str], timezone: str | None) -> Times:
    """The times of a command: of its --timezone, else of the first namespace, else in UTC, as the service reads the times of a query."""
    name = timezone or client.get_namespace(namespaces[0]).time_zone
    return Times(zone_of(name), name) if name else IN_UTC


def _first_and_last(it: "TimeSpan", length: int) -> str:
    """The first and the last year or month of a span; one alone where they are the same."""
    assert it.end is not None
    first, last = day_of(it.start)[:length], day_of(it.end - timedelta(days=1))[:length]
    return first if last <= first else f"{first} to {last}"


def day_of(moment: datetime | None) -> str:
    """The day at whose beginning, somewhere on earth, a moment is."""
    # A local day starts up to 14 hours before or 12 after the same day in UTC: its noon tells it apart.
    return (moment + timedelta(hours=12)).astimezone(UTC).strftime("%Y-%m-%d") if moment else ""
