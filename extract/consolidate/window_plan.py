"""Which windows are to be written: new ones of the events that wait, and those that such an event falls into."""

from collections import defaultdict
from collections.abc import Sequence
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
    of_session: defaultdict[str, list[Summary]] = defaultdict(list)
    for summary in sorted(known.values(), key=lambda one: (one.said_from, one.id)):
        of_session[summary.sessions[0]].append(summary)
    added: dict[str, list[Event]] = {summary.id: [] for summary in stale}
    apart: list[Event] = []
    for event in sorted(waiting, key=lambda one: (one.said_at, one.id)):
        home = _home(event, of_session[event.session], added, length)
        if home is None:
            apart.append(event)
        else:
            added.setdefault(home.id, []).append(event)
    changed = [PlannedWindow(known[id_].sessions[0], tuple(events), known[id_]) for id_, events in added.items()]
    return changed + [PlannedWindow(window.session, window.events) for window in windows_of(apart, length)]


def _home(event: Event, windows: Sequence[Summary], added: dict[str, list[Event]], length: timedelta | None) -> Summary | None:
    for window in reversed(windows):
        room = len(window.member_ids) + len(added.get(window.id, ())) < MOST_EVENTS
        if room and (length is None or window.said_from <= event.said_at < window.said_from + length):
            return window
    return None
