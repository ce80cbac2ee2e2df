"""Sessions as writes see them, and what a write may expect of one."""

from dataclasses import dataclass

from graph.errors import InvalidArgument, NotFound


@dataclass(frozen=True, slots=True)
class SessionRow:
    """What writing needs to know of a session."""

    key: int
    name: str
    time_zone: str
    last_seq: int
    extracted_seq: int


def require_time_zone(session: SessionRow, time_zone: str) -> None:
    """Lets a write pass that names the session's time zone, or none. Raises InvalidArgument."""
    if time_zone and time_zone != session.time_zone:
        has = f"has the time zone {session.time_zone}" if session.time_zone else "was created without a time zone"
        raise InvalidArgument.of("time_zone", f"the session {has}")


def no_session(name: str) -> NotFound:
    """The error for a session that is not there."""
    return NotFound("there is no session of this name in the namespace", metadata={"session": name})
