"""Pending events cut into windows: what one level-1 summary is about."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from itertools import groupby, pairwise

from graph.model import Event

WINDOW_LENGTH = timedelta(hours=1)
# More events than this are more than ten sentences can tell, and more than a model reads with care. LoCoMo's sessions have 14 to 40.
MOST_EVENTS = 100


@dataclass(frozen=True, slots=True)
class Window:
    """Events of one session that are summarised together, oldest first."""

    session: str
    events: tuple[Event, ...]


def windows_of(events: Sequence[Event], length: timedelta | None = WINDOW_LENGTH, most_events: int = MOST_EVENTS) -> list[Window]:
    """Cuts events into windows, each event into exactly one; in the order of their first events.

    A window begins with its first event and ends `length` later by the time at which events were said, which every event has: an event that
    tells of "last year" belongs to the talk in which it was told. It never joins two sessions: bulk imports give the same times to
    strangers. Without a `length` a window is a session. A window of more than `most_events` is cut into parts of nearly equal size.
    """
    found: list[Window] = []
    by_session = sorted(events, key=lambda event: (event.session, event.said_at, event.id))
    for session, group in groupby(by_session, key=lambda event: event.session):
        for run in _runs(list(group), length):
            found += [Window(session, part) for part in _parts(run, most_events)]
    return sorted(found, key=lambda window: (window.events[0].said_at, window.session, window.events[0].id))


def _runs(events: list[Event], length: timedelta | None) -> list[list[Event]]:
    if length is None:
        return [events]
    runs = [[events[0]]]
    for event in events[1:]:
        if event.said_at - runs[-1][0].said_at < length:
            runs[-1].append(event)
        else:
            runs.append([event])
    return runs


def _parts(events: list[Event], most: int) -> list[tuple[Event, ...]]:
    count = -(-len(events) // most)
    bounds = [len(events) * number // count for number in range(count + 1)]
    return [tuple(events[start:end]) for start, end in pairwise(bounds)]
