"""Messages of a chat file into a namespace; what only the service can tell of a message is told by its line."""

import re
from collections import deque
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from itertools import groupby
from typing import TYPE_CHECKING

from structmem import ConflictError, Imported, InvalidArgumentError, RequestTooLargeError

from service.cli.chats import ChatLine, LineProblem
from service.cli.chats.entries import with_id
from service.cli.failures import fail
from service.cli.problems import report_problems
from service.cli.progress import progress

if TYPE_CHECKING:
    from structmem import Appended, Client

# Messages that go together, and their characters: as an import sends them.
_BATCH = 200
_BATCH_CHARACTERS = 1_000_000
# A field of a message in a request: the message's place in it, the field, and what of it.
_FIELD = re.compile(r"(?:batch\.)?messages\[(\d+)\]\.?([a-z_]*)(.*)", re.DOTALL)
_NAMES_IN_FILES = {"client_id": "id", "sent_at_local": "sent_at"}
_OF_A_SESSION = ("session", "time_zone")
_REUSED = "id: a message with this id and other content is stored already"


def store_all(client: "Client", namespace: str, lines: Sequence[ChatLine], zone: str) -> Imported:
    """Stores the lines, or ends the command at the first batch of which the service refuses one; that one is named."""
    try:
        with progress() as bars:
            messages = bars.add("storing", len(lines)).counting((line.session, line.message) for line in lines)
            return client.import_messages(namespace, messages, time_zone=zone, create_namespace=True)
    except (ConflictError, InvalidArgumentError) as error:
        line = _named(lines, error)
        reasons = _refusals(error, [] if line is None else [line])
        if line is None or not reasons:
            raise
        report_problems([LineProblem(_place(line), next(iter(reasons.values())))], skipped=True)
        fail("what stands before its batch is stored; --skip-broken goes on with the other messages")


def store_what_is_taken(client: "Client", namespace: str, lines: Sequence[ChatLine], zone: str) -> tuple[Imported, list[LineProblem]]:
    """Stores the lines batch by batch, each sent once, and once more without what the service refused of it; what was refused, and why."""
    stored = _Stored(namespace)
    waiting = deque(_batches(lines))
    with progress() as bars:
        bar = bars.add("storing", len(lines))
        while waiting:
            batch = waiting.popleft()
            try:
                messages = [line.message for line in batch]
                stored.add(client.append(namespace, batch[0].session, messages, time_zone=zone, create_namespace=True))
            except (ConflictError, InvalidArgumentError) as error:
                waiting.extendleft(reversed(stored.without_refused(batch, error)))
            bar.move_to(len(lines) - sum(map(len, waiting)))
    return stored.imported(), stored.refused


@dataclass(slots=True)
class _Stored:
    """What has been stored so far, and what was not."""

    namespace: str
    count: int = 0
    duplicates: int = 0
    token: str = ""
    sessions: set[str] = field(default_factory=set)
    jobs: dict[str, None] = field(default_factory=dict)
    refused: list[LineProblem] = field(default_factory=list)

    def add(self, appended: "Appended") -> None:
        known = sum(message.duplicate for message in appended.messages)
        self.count += len(appended.messages) - known
        self.duplicates += known
        self.token = appended.consistency_token
        self.sessions.add(appended.session)
        self.jobs.update(dict.fromkeys(appended.job_ids))

    def without_refused(self, batch: list[ChatLine], error: ConflictError | InvalidArgumentError) -> list[list[ChatLine]]:
        """The batches that are left of one that was refused. Raises the error where it is of nothing in the batch."""
        if isinstance(error, RequestTooLargeError) and len(batch) > 1:
            middle = len(batch) // 2
            return [batch[:middle], batch[middle:]]
        reasons = _refusals(error, batch)
        if not reasons:
            raise error
        self.refused += [LineProblem(_place(batch[position]), reason) for position, reason in sorted(reasons.items())]
        left = [line for position, line in enumerate(batch) if position not in reasons]
        return [left] if left else []

    def imported(self) -> Imported:
        counts = (self.count, self.duplicates, len(self.sessions))
        return Imported(self.namespace, *counts, self.token, tuple(self.jobs), len(self.jobs))


def _batches(lines: Sequence[ChatLine]) -> Iterator[list[ChatLine]]:
    """Runs of lines of one session, each small enough for a request."""
    for _, run in groupby(lines, key=lambda line: line.session):
        batch: list[ChatLine] = []
        size = 0
        for line in run:
            message = line.message
            characters = sum(map(len, (message.text, message.image_caption, *message.labels, *message.labels.values())))
            if batch and (len(batch) == _BATCH or size + characters > _BATCH_CHARACTERS):
                yield batch
                batch, size = [], 0
            batch.append(line)
            size += characters
        yield batch


def _named(lines: Sequence[ChatLine], error: ConflictError | InvalidArgumentError) -> ChatLine | None:
    """The line that an import names in its error, or the first of the session that it names."""
    session, client_id = error.metadata.get("session"), error.metadata.get("client_id")
    return next((one for one in lines if one.session == session and client_id in (None, one.message.client_id)), None)


def _refusals(error: ConflictError | InvalidArgumentError, batch: Sequence[ChatLine]) -> dict[int, str]:
    """Why messages of a request were refused, by their place in it: all of them where it is their session that is."""
    if isinstance(error, RequestTooLargeError):
        return {0: "is larger than the service takes (max_receive_mb)"}
    if isinstance(error, ConflictError):
        return dict.fromkeys(_reused(error, batch), _REUSED)
    found: dict[int, list[str]] = {}
    for violation in error.violations:
        told = _FIELD.fullmatch(violation.field)
        if told:
            name = _NAMES_IN_FILES.get(told[2], told[2])
            found.setdefault(int(told[1]), []).append(f"{name}{told[3]}: {violation.reason}")
        elif violation.field.removeprefix("batch.") in _OF_A_SESSION:
            for position in range(len(batch)):
                found.setdefault(position, []).append(f"session: {violation.reason}")
        else:
            return {}
    return {position: "; ".join(reasons) for position, reasons in found.items()}


def _reused(error: ConflictError, batch: Sequence[ChatLine]) -> list[int]:
    """Places of messages whose ids stand for others. Services before 0.3 name the first one's id alone."""
    if positions := error.metadata.get("positions"):
        return [int(position) for position in positions.split(",")]
    return [position for position, line in enumerate(batch) if line.message.client_id == error.metadata.get("client_id")]


def _place(line: ChatLine) -> str:
    return with_id(line.place, {"id": line.message.client_id})
