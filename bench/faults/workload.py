"""The script of a fault run: what chats write, flush, edit and delete, round by round. The same seed gives the same script.

Both runs flush at the same points and nothing is extracted for being idle, so that both have the same segment boundaries. Of a chat
only what has been extracted is edited or deleted: a message that is deleted before its extraction never becomes part of an event, one that
is deleted after it takes the event along, and which comes first is a race that a run without any kill has as well.
"""

import random
from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta

NAMESPACES = ("faults/kitchen", "faults/office")
_START = datetime(2024, 3, 4, 9, tzinfo=UTC)
_SPEAKERS = ("Ines", "Tomas", "Ruth", "Karim")
_PLACES = ("Lisbon", "Porto", "Madrid", "Ghent", "Oslo", "Turin", "Graz", "Cork")
_THINGS = ("a lemon tree", "a red bicycle", "a cello", "a small boat", "an old camera", "a sewing machine")
_WHEN = ("yesterday", "last Friday", "two weeks ago", "on Monday", "last month", "this morning")
_SENTENCES = (
    "I moved to {place} {when}.",
    "{when_capital} I bought {thing} in {place}.",
    "My sister {name} lives in {place} now.",
    "I sold {thing} to {name} {when}.",
    "We met {name} in {place} {when}, and it was lovely.",
    "I started a new job at a bakery in {place} {when}.",
    "Did {name} tell you about {place}?",
    "My brother {name} married in {place} {when}.",
    "{name} visited me {when} because I had lost {thing}.",
)


@dataclass(frozen=True, slots=True)
class Turn:
    """One message, or another version of one. `client_id` is unique in the whole run, but for versions."""

    client_id: str
    speaker: str
    text: str
    sent_at: datetime
    edited_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class Append:
    """Adds turns to the end of a session."""

    session: str
    turns: tuple[Turn, ...]
    request_id: str


@dataclass(frozen=True, slots=True)
class Flush:
    """Has what waits in a session extracted; `wait` until it is."""

    session: str
    wait: bool


@dataclass(frozen=True, slots=True)
class DeleteTurns:
    """Deletes messages that were acknowledged and extracted, by their client ids."""

    client_ids: tuple[str, ...]
    request_id: str


@dataclass(frozen=True, slots=True)
class DeleteSession:
    """Deletes a session."""

    session: str
    request_id: str


Operation = Append | Flush | DeleteTurns | DeleteSession


class Chats:
    """Writes the script of one namespace."""

    def __init__(self, namespace: str, seed: int) -> None:
        self._random = random.Random(f"{seed} {namespace}")
        self._name = namespace.rpartition("/")[2]
        self._time = _START
        self._turns = 0
        self._requests = 0
        self._sessions = 0

    def round(self) -> Iterator[Operation]:
        """The operations of one round: a new session that grows, is flushed, and sometimes loses turns, has some edited, or is deleted."""
        self._sessions += 1
        session = f"{self._name}-{self._sessions}"
        kept = self._append(session, self._random.randint(2, 6))
        yield kept
        yield self._append(session, self._random.randint(1, 4))
        yield Flush(session, wait=False)
        yield self._append(session, self._random.randint(1, 4))
        match self._random.randrange(5):
            case 0:
                yield Flush(session, wait=True)
                yield DeleteTurns(tuple(turn.client_id for turn in kept.turns[:2]), self._request())
                yield self._append(session, 2)
                yield Flush(session, wait=False)
            case 1:
                yield Flush(session, wait=True)
                yield DeleteSession(session, self._request())
            case 2:
                yield Flush(session, wait=True)
                yield Append(session, tuple(self._edited(turn) for turn in kept.turns[:2]), self._request())
                yield self._append(session, 2)
                yield Flush(session, wait=False)
            case _:
                yield Flush(session, wait=False)

    def _append(self, session: str, count: int) -> Append:
        return Append(session, tuple(self._turn() for _ in range(count)), self._request())

    def _edited(self, turn: Turn) -> Turn:
        return replace(turn, text=self._turn().text, edited_at=self._time)

    def _turn(self) -> Turn:
        self._turns += 1
        self._time += timedelta(minutes=self._random.randint(1, 600))
        speaker = self._random.choice(_SPEAKERS)
        when = self._random.choice(_WHEN)
        text = self._random.choice(_SENTENCES).format(
            place=self._random.choice(_PLACES),
            thing=self._random.choice(_THINGS),
            name=self._random.choice([name for name in _SPEAKERS if name != speaker]),
            when=when,
            when_capital=when.capitalize(),
        )
        return Turn(f"{self._name}-turn-{self._turns}", speaker, text, self._time)

    def _request(self) -> str:
        self._requests += 1
        return f"{self._name}-request-{self._requests}"
