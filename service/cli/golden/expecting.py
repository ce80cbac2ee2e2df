"""Which memories are meant: ids as they stand, client ids and words looked up among the namespace's messages."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from service.cli.golden.questions import ExpectedText, Question

if TYPE_CHECKING:
    from structmem import Client, Hit, Message


@dataclass(frozen=True, slots=True)
class Expected:
    """One expected memory: how the file names it, and the ids that are meant, one of which is enough; none where nothing is meant.

    `rests_on`: the messages that a fact or relation rests on: these together say what it says. `there`: whether the namespace has it.
    """

    name: str
    ids: frozenset[str]
    rests_on: frozenset[str] = frozenset()
    there: bool = True


class Directory:
    """Looks up what the questions of a file expect. Messages are listed once, and only if some question needs it."""

    def __init__(self, client: "Client", namespace: str) -> None:
        self._client = client
        self._namespace = namespace
        self._messages: list[Message] | None = None

    def expected(self, question: Question) -> list[Expected]:
        """The memories that a question expects, in the file's order."""
        return [self._of_text(item.text) if isinstance(item, ExpectedText) else self._of_name(item) for item in question.expected]

    def _of_name(self, name: str) -> Expected:
        from structmem import NotFoundError, Statement

        if not _looks_like_an_id(name):
            return _among(name, (message.id for message in self._all() if message.client_id == name))
        try:
            node = self._client.get_node(self._namespace, name, max_edges=1).node
        except NotFoundError:
            return Expected(name, frozenset([name]), there=False)
        return Expected(name, frozenset([name]), frozenset(node.evidence_ids) if isinstance(node, Statement) else frozenset())

    def _of_text(self, text: str) -> Expected:
        wanted = text.casefold()
        return _among(f"“{text}”", (message.id for message in self._all() if wanted in message.text.casefold()))

    def _all(self) -> "list[Message]":
        if self._messages is None:
            self._messages = list(self._client.list_messages(self._namespace))
        return self._messages


def _among(name: str, ids: Iterable[str]) -> Expected:
    meant = frozenset(ids)
    return Expected(name, meant, there=bool(meant))


def _looks_like_an_id(name: str) -> bool:
    prefix, separator, rest = name.partition("_")
    return bool(separator) and prefix in {"msg", "fct", "rel", "evt", "ent", "ses"} and len(rest) == 26


def rank_of(expected: Expected, hits: "list[Hit]") -> int | None:
    """The rank at which the memory is in the answer: itself, a fact or relation that rests on it, or all that it rests on."""
    from structmem import Message

    left = set(expected.rests_on)
    for rank, hit in enumerate(hits, start=1):
        stands_for = {hit.memory.id} if isinstance(hit.memory, Message) else {hit.memory.id, *hit.memory.evidence_ids}
        if not expected.ids.isdisjoint(stands_for):
            return rank
        left -= stands_for
        if expected.rests_on and not left:
            return rank
    return None
