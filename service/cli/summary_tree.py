"""A summary with what it rests on, as a tree: sentences, below them events with what they state, and the messages."""

from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING

from service.cli import tables
from service.cli.counts import counted
from service.cli.excerpts import Excerpts
from service.cli.summary_lines import about, begins_with, title_of
from service.cli.times import Times

if TYPE_CHECKING:
    from rich.tree import Tree
    from structmem import Event, Message, Node, Statement, Summary, SummaryTree

# Wider than anything that is drawn.
_UNWRAPPED = 100_000


def print_tree(tree: "SummaryTree", times: Times, texts: Excerpts, sentences: int | None = None) -> None:
    """Prints it; with `sentences` only so many of those at its top, and what they rest on."""
    drawing = _Drawing(tree, times, texts)
    drawn = drawing.of(tree.summary) if sentences is None else drawing.beginning(tree.summary, sentences)
    out = tables.console()
    if not out.is_terminal:
        # A line stays a line for whoever reads it by a program. Soft wrapping would cut it: rich 15 crops a tree's labels at its width.
        out.width = _UNWRAPPED
    out.print(drawn)


class _Drawing:
    """Draws one tree. Each event and each summary is drawn with what is below it once, and then by its id."""

    def __init__(self, tree: "SummaryTree", times: Times, texts: Excerpts) -> None:
        self._below: dict[str, Node] = {node.id: node for node in tree.below}
        self._times = times
        self._texts = texts
        self._drawn: set[str] = set()

    def of(self, it: "Summary") -> "Tree":
        drawn = self.beginning(it, len(it.sentences))
        untold = [id_ for id_ in it.member_ids if id_ not in {source for one in it.sentences for source in one.source_ids}]
        self._add_untold(drawn, untold)
        for member in self._summaries(it.member_ids):
            drawn.add(self.of(member))
        return drawn

    def beginning(self, it: "Summary", sentences: int) -> "Tree":
        from rich.text import Text
        from rich.tree import Tree

        when = self._times.period(it.said_from, it.said_to)
        drawn = Tree(Text.assemble((when, "cyan"), "  ", (title_of(it), "bold"), "\n", (" · ".join(about(it, self._times)), "dim")))
        for number, sentence in enumerate(it.sentences[:sentences], start=1):
            branch = drawn.add(Text.assemble((f"{number}. ", "bold"), self._texts.of(sentence.text)))
            for id_ in sentence.source_ids:
                self._add_source(branch, id_)
        return drawn

    def _add_source(self, branch: "Tree", id_: str) -> None:
        from rich.text import Text
        from structmem import Event, Summary

        node = self._below.get(id_)
        match node:
            case Event():
                self._add_event(branch, node)
            case Summary():
                branch.add(Text(f"from {node.level} {id_}, {self._times.period(node.said_from, node.said_to)}", "dim"))
            case _:
                branch.add(Text(id_, "dim"))

    def _add_untold(self, drawn: "Tree", ids: list[str]) -> None:
        """Members that no sentence tells of: windows and threads are drawn below, events in a branch of their own."""
        from rich.text import Text
        from structmem import Event

        events = [node for node in map(self._below.get, ids) if isinstance(node, Event)]
        if events:
            branch = drawn.add(Text(f"no sentence tells of {counted(len(events), 'event')}", "dim"))
            for event in events:
                self._add_event(branch, event)

    def _add_event(self, branch: "Tree", event: "Event") -> None:
        from rich.text import Text

        statements = list(self._statements(event))
        # What an event states mostly begins with its title.
        title = "" if any(begins_with(one.text, event.title) for one in statements) else f"  {event.title}"
        when = self._times.when(event.time, event.said_at)
        if event.id in self._drawn:
            branch.add(Text(f"event {event.id}, as above", "dim"))
            return
        self._drawn.add(event.id)
        drawn = branch.add(Text.assemble((when, "cyan"), title, (f"  event {event.id}", "dim")))
        for statement in statements:
            drawn.add(Text.assemble(self._texts.of(statement.text), (f"  {statement.kind} {statement.id}", "dim")))
        for message in self._messages(event, statements):
            said = (self._times.instant(message.sent_at), "cyan")
            drawn.add(
                Text.assemble(said, " ", (message.speaker, "bold"), f": “{self._texts.of(message.text)}”", (f"  {message.id}", "dim"))
            )

    def _summaries(self, ids: Iterable[str]) -> "Iterator[Summary]":
        from structmem import Summary

        return (node for node in map(self._below.get, ids) if isinstance(node, Summary))

    def _statements(self, event: "Event") -> "Iterator[Statement]":
        from structmem import Statement

        return (node for node in map(self._below.get, event.statement_ids) if isinstance(node, Statement))

    def _messages(self, event: "Event", statements: "list[Statement]") -> "Iterator[Message]":
        """What the event and its statements rest on, each once, oldest first."""
        from structmem import Message

        ids = dict.fromkeys([id_ for one in statements for id_ in one.evidence_ids] or event.evidence_ids)
        found = (node for node in map(self._below.get, ids) if isinstance(node, Message))
        return iter(sorted(found, key=lambda message: (message.session, message.seq)))
