"""The system's clock, for everything that asks a port for the time."""

from datetime import UTC, datetime


class SystemClock:
    """The time of this machine. Implements `graph.store.port.Clock`."""

    def now(self) -> datetime:
        """The time, aware, in UTC."""
        return datetime.now(UTC)
