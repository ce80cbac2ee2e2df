"""Which windows are to be written: new ones of the events that wait, and those that such an event falls into."""

from bisect import bisect_right
from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import timedelta

from extract.consolidate.windows import MOST_EVENTS, WINDOW_LENGTH, windows_of
from graph.model import Event, Summary


@dataclass(frozen=True, slots=True)
class PlannedWindow:
    """A window to be written. `summary` is what stands of it, if it is there already; `events` come to its members."""

    session: str
    events: tuple[Event, ...] = ()
    summary: Summary | None = None

    @property
    def id(self) -> str:
        """The window's id; "" for one that is new."""
        return "" if self.summary is None else self.summary.id


def planned_windows(
    waiting: Sequence[Event], current: Sequence[Summary], stale: Sequence[Summary], length: timedelta | None = WINDOW_LENGTH
) -> list[PlannedWindow]:
    """Every waiting event in exactly one window, and every stale window.

    An event joins the current window of its session within whose `length` it was said, the latest of them, while that has room; the others
    make windows of their own (`windows_of`). Without a `length` a window is a session.

    Args:
        waiting: events of no window.     current: windows of their sessions.     stale: windows to be written anew.
    """
    known = {summary.id: summary for summary in (*current, *stale)}
    open_windows = _open_windows(known.values(), length)
    added: dict[str, list[Event]] = {summary.id: [] for summary in stale}
    apart: list[Event] = []
    for event in sorted(waiting, key=lambda one: (one.said_at, one.id)):
        home = open_windows[event.session].take(event) if event.session in open_windows else None
        if home is None:
            apart.append(event)
        else:
            added.setdefault(home.id, []).append(event)
    changed = [PlannedWindow(known[id_].sessions[0], tuple(events), known[id_]) for id_, events in added.items()]
    return changed + [PlannedWindow(window.session, window.events) for window in windows_of(apart, length)]


class _OpenWindows:
    """The windows of a session that have room for more events, oldest first: a session may have very many."""

    def __init__(self, windows: Sequence[Summary], length: timedelta | None) -> None:
        """`windows` are those that have room, in order."""
        self._windows = list(windows)
        self._begins = [window.said_from for window in windows]
        self._rooms = [MOST_EVENTS - len(window.member_ids) for window in windows]
        self._length = length

    def take(self, event: Event) -> Summary | None:
        """The latest window that the event falls into, with room for one less; None if there is none."""
        last = len(self._windows) if self._length is None else bisect_right(self._begins, event.said_at)
        # All windows are of one length: what is after the end of the latest one is after that of those before it.
        if not last or (self._length is not None and event.said_at >= self._begins[last - 1] + self._length):
            return None
        window = self._windows[last - 1]
        self._rooms[last - 1] -= 1
        if not self._rooms[last - 1]:
            del self._windows[last - 1], self._begins[last - 1], self._rooms[last - 1]
        return window


def _open_windows(windows: Iterable[Summary], length: timedelta | None) -> dict[str, _OpenWindows]:
    of_session: defaultdict[str, list[Summary]] = defaultdict(list)
    for summary in sorted(windows, key=lambda one: (one.said_from, one.id)):
        if len(summary.member_ids) < MOST_EVENTS:
            of_session[summary.sessions[0]].append(summary)
    return {session: _OpenWindows(some, length) for session, some in of_session.items()}
