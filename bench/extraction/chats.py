"""The set of utterances: short talks whose last message is judged.

One JSON object a line:

    talk      [[speaker, text], ...]; the last is judged, the others come before it; "user" talks with "assistant"
    nothing   nothing is stated
    facts     "who|what": a fact that holds both, `what` as words of it
    may       words of further facts that are right but need not come
    resolved  words of a fact in which a pronoun has become what it stands for; wrong: words of none
    times     "first-day GRANULARITY": all times of its events
    entities  "name KIND": all that it names, besides those who speak
    relations [subject, predicate, object]: all of them, causes apart
    causes    [words of the effect, words of the cause]: all of them
    plan, preference, habit, change   words of the facts of that type: all of them
"""

import json
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path

from bench.report import BenchError
from graph.model import Message, Role

# A Wednesday.
SAID = datetime(2023, 5, 17, 14, 30, tzinfo=UTC)
FACT_TYPES = ("plan", "preference", "habit", "change")
_HELD_OUT = 3


@dataclass(frozen=True)
class Chat:
    """One line of the set. `held` lines are not looked at when rules are written."""

    turns: tuple[tuple[str, str], ...]
    held: bool
    nothing: bool
    facts: tuple[tuple[str, str], ...]
    may: tuple[str, ...]
    resolved: tuple[str, ...]
    wrong: tuple[str, ...]
    times: frozenset[str]
    entities: frozenset[str]
    relations: frozenset[tuple[str, str, str]]
    causes: tuple[tuple[str, str], ...]
    typed: dict[str, tuple[str, ...]] = field(default_factory=dict)

    def messages(self) -> Iterator[Message]:
        """The talk as messages, a minute apart; the last one is sent at SAID. Who talks alone is listened to by someone."""
        lines = self.turns if len(self.turns) > 1 else ((_listener(self.turns[0][0]), "Hello!"), *self.turns)
        for number, (speaker, text) in enumerate(lines, 1):
            sent_at = SAID - timedelta(minutes=len(lines) - number)
            role = Role.ASSISTANT if speaker == "assistant" else Role.USER
            yield Message(f"msg_{number}", "chat", number, speaker, role, text, sent_at, sent_at)


def _listener(speaker: str) -> str:
    return "assistant" if speaker == "user" else "Ana" if speaker != "Ana" else "Maria"


def read_chats(path: Path) -> list[Chat]:
    """The lines of the file; every third is held out."""
    try:
        lines = path.read_text(encoding="utf-8").splitlines()
        return [_chat(json.loads(line), held=number % _HELD_OUT == 0) for number, line in enumerate(lines, 1)]
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise BenchError(f"{path} cannot be read as a set of utterances: {error}") from error


def _chat(line: dict[str, object], held: bool) -> Chat:
    def listed(key: str) -> list[object]:
        value = line.get(key, [])
        return value if isinstance(value, list) else []

    def words(key: str) -> tuple[str, ...]:
        return tuple(map(str, listed(key)))

    if not listed("talk"):
        raise ValueError("a line has no talk")
    return Chat(
        turns=tuple((str(one[0]), str(one[1])) for one in listed("talk") if isinstance(one, list)),
        held=held,
        nothing=bool(line.get("nothing")),
        facts=tuple((who, what) for who, _, what in (one.rpartition("|") for one in words("facts"))),
        may=words("may"),
        resolved=words("resolved"),
        wrong=words("wrong"),
        times=frozenset(words("times")),
        entities=frozenset(words("entities")),
        relations=frozenset((str(a), str(b), str(c)) for a, b, c in (one for one in listed("relations") if isinstance(one, list))),
        causes=tuple((str(a), str(b)) for a, b in (one for one in listed("causes") if isinstance(one, list))),
        typed={kind: words(kind) for kind in FACT_TYPES},
    )
