"""Summaries: what was remembered, told shorter, in levels. Every sentence names what it rests on."""

from dataclasses import dataclass
from datetime import datetime
from enum import IntEnum

from graph.model.times import TimeSpan


class SummaryLevel(IntEnum):
    """What a summary tells of. The numbers are stored and are those of the contract."""

    WINDOW = 1  # the events of an hour, or of a session
    THREAD = 2  # windows that belong together across sessions: a project, a relationship, a plan
    PROFILE = 3  # the threads of a namespace: who it is about, and what stands


@dataclass(frozen=True, slots=True)
class SummarySentence:
    """A sentence, and what it rests on: ids of the summary's members, at least one."""

    text: str
    source_ids: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Seed:
    """An earlier event that helped to understand a window. `similarity` is a cosine, -1 to 1."""

    event_id: str
    similarity: float


@dataclass(frozen=True, slots=True)
class Summary:
    """What its members say, told shorter.

    Attributes:
        sentences: none where the members say nothing worth keeping, or where something that it rested on was deleted and it is not yet
            written anew.
        member_ids: of events for a window, of windows for a thread, of threads for a profile. What it covers.
        time: from when to when that happened; what has no time of its own happened when it was said.
        said_from, said_to: the first and the last moment at which it was said.
        recorded_at: when it was first written; `consolidated_at`: when it was last written.
        consolidator: the fingerprint of what wrote it.
        generation: that of the events below it.
        sessions: the names of those that it tells of; of a profile, which tells of all, none.
        names: those who take part.
        stale_since: since when what it rests on has been another; None while it stands.
        calls: marks of the calls of a model in which this one, or one in whose place it is, was written together with others. What any
            of them rests on may stand in all: a deletion takes the words of those with a mark in common. None of rules, nor of one alone.
    """

    id: str
    level: SummaryLevel
    title: str
    sentences: tuple[SummarySentence, ...]
    member_ids: tuple[str, ...]
    time: TimeSpan
    said_from: datetime
    said_to: datetime
    recorded_at: datetime
    consolidated_at: datetime
    consolidator: str
    generation: int
    sessions: tuple[str, ...] = ()
    names: tuple[str, ...] = ()
    seeds: tuple[Seed, ...] = ()
    stale_since: datetime | None = None
    calls: tuple[str, ...] = ()

    @property
    def heading(self) -> str:
        """The title; "" where a sentence says the same."""
        words = self.title.rstrip(" …")
        return "" if any(words in sentence.text for sentence in self.sentences) else self.title

    @property
    def text(self) -> str:
        """What is searched and embedded: the heading and the sentences."""
        return " ".join((self.heading, *(sentence.text for sentence in self.sentences))).strip()
