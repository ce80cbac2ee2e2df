"""What came out of a talk's last message against what should have, by type."""

from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC

from bench.extraction.chats import FACT_TYPES, Chat
from extract.local.extractor import extract_segment
from extract.port import Segment, StatementDraft
from graph.model import ExtractionMode, NodeKind

TYPES = ("statement", "speaker", "pronoun", "time", "entity", "kind", "relation", *FACT_TYPES, "cause", "non-fact")
_CAUSES = frozenset({"because", "because_of", "so_that", "so", "therefore"})
# Which predicates make a fact one of a type.
PREDICATES = {
    "plan": frozenset({"plans"}),
    "preference": frozenset({"likes", "dislikes", "prefers", "favourite"}),
    "habit": frozenset({"habit"}),
    "change": frozenset({"moved_to", "moved_from", "changed", "became", "stopped", "started"}),
}


@dataclass
class Score:
    """Counts of one type. `found` of `expected` came out; `right` of `produced` should have."""

    expected: int = 0
    found: int = 0
    produced: int = 0
    right: int = 0

    @property
    def precision(self) -> float:
        """Of what came out, the share that should have; 1 when nothing did."""
        return self.right / self.produced if self.produced else 1.0

    @property
    def recall(self) -> float:
        """Of what should come out, the share that did; 1 when nothing should."""
        return self.found / self.expected if self.expected else 1.0


def judge(chats: Iterable[Chat]) -> dict[str, Score]:
    """The scores over these talks by type."""
    scores = {kind: Score() for kind in TYPES}
    for chat in chats:
        for kind, missed, extra, expected, produced in _judged(chat):
            score = scores[kind]
            score.expected += expected
            score.found += expected - len(missed)
            score.produced += produced
            score.right += produced - len(extra)
    return scores


def misses(chat: Chat) -> Iterator[str]:
    """What is missed and what is too much, in words."""
    for kind, missed, extra, _, _ in _judged(chat):
        yield from (f"{kind}: missed {one}" for one in missed)
        yield from (f"{kind}: too much {one}" for one in extra)


_Judged = tuple[str, Sequence[object], Sequence[object], int, int]


def _judged(chat: Chat) -> Iterator[_Judged]:
    """By type: what is missed, what is too much, how many were expected and how many produced."""
    *before, message = chat.messages()
    found = extract_segment(Segment("bench", "chat", tuple(before), (message,), UTC), ExtractionMode.EVENT)
    statements = [statement for event in found.events for statement in event.statements]
    facts = [one for one in statements if one.kind is NodeKind.FACT]
    yield _judged_facts(chat, facts)
    stated = [(who, what, _with(facts, what)) for who, what in chat.facts]
    attributed = [(who, texts) for who, _, texts in stated if texts and who]
    yield _counted("speaker", attributed, [one for one in attributed if not _with(one[1], one[0])], (), len(attributed))
    wrong = [words for words in chat.wrong if _with(facts, words)]
    unresolved = [words for words in chat.resolved if not _with(facts, words)]
    yield _counted("pronoun", chat.resolved, unresolved, wrong, len(chat.resolved) - len(unresolved) + len(wrong))
    times = {f"{event.time.start.date()} {event.time.granularity.name}" for event in found.events if event.time}
    yield _sets("time", chat.times, times)
    speakers = {speaker.casefold() for speaker, _ in chat.turns} | {f"the {speaker.casefold()}" for speaker, _ in chat.turns}
    named = {
        f"{mention.name} {mention.kind.name}"
        for mention in (*(m for one in statements for m in one.mentions), *found.mentions.get(message.id, ()))
        if mention.name.casefold() not in speakers and "'s " not in mention.name and not _named_before(mention.name, chat)
    }
    yield _sets("entity", {_name(one) for one in chat.entities}, {_name(one) for one in named})
    right = {_name(one) for one in chat.entities}
    yield _sets("kind", chat.entities, {one for one in named if _name(one) in right and not one.endswith(" UNKNOWN")})
    relations = {(s.subject, s.predicate, s.object) for s in statements if s.kind is NodeKind.RELATION and s.predicate not in _CAUSES}
    yield _sets("relation", chat.relations, {one for one in relations if one in chat.relations or not _goes_without_saying(one)})
    for kind in FACT_TYPES:
        of_kind = [one for one in facts if one.predicate in PREDICATES[kind]]
        yield _phrases(kind, chat.typed[kind], of_kind, lambda words, one: words.casefold() in one.text.casefold())
    causes = [one for one in statements if one.kind is NodeKind.RELATION and one.predicate in _CAUSES]
    yield _phrases("cause", chat.causes, causes, _is_cause)
    silent = not facts
    yield "non-fact", ["silence"] * (chat.nothing and not silent), ["silence"] * (silent and bool(chat.facts)), chat.nothing, silent


def _name(entity: str) -> str:
    return entity.rpartition(" ")[0]


def _named_before(name: str, chat: Chat) -> bool:
    """Whether a name comes from what was said before, in place of a pronoun."""
    return name not in chat.turns[-1][1] and any(name in text for _, text in chat.turns[:-1])


def _goes_without_saying(relation: tuple[str, str, str]) -> bool:
    """Whether a relation only says that Tom's aunt is an aunt of Tom's, or is one of the user's, which the set leaves out."""
    subject, _, target = relation
    return subject.startswith(f"{target}'s ") or target == "The user"


def _judged_facts(chat: Chat, facts: Sequence[StatementDraft]) -> _Judged:
    known = [what for _, what in chat.facts] + list(chat.may) + [words for pair in chat.causes for words in pair]
    extra = [one.text for one in facts if not any(what.casefold() in one.text.casefold() for what in known)]
    return "statement", [what for _, what in chat.facts if not _with(facts, what)], extra, len(chat.facts), len(facts)


def _with(facts: Sequence[StatementDraft], words: str) -> list[StatementDraft]:
    return [one for one in facts if words.casefold() in one.text.casefold()]


def _is_cause(pair: tuple[str, str], relation: StatementDraft) -> bool:
    effect, cause = pair
    return effect.casefold() in relation.subject.casefold() and cause.casefold() in relation.object.casefold()


def _phrases(kind: str, wanted: Sequence[object], given: Sequence[StatementDraft], fits: Callable[..., bool]) -> _Judged:
    missed = [words for words in wanted if not any(fits(words, one) for one in given)]
    extra = [f"{one.predicate}: {one.text}" for one in given if not any(fits(words, one) for words in wanted)]
    return kind, missed, extra, len(wanted), len(given)


def _sets(kind: str, wanted: Collection[object], given: Collection[object]) -> _Judged:
    return kind, [one for one in wanted if one not in given], [one for one in given if one not in wanted], len(wanted), len(given)


def _counted(kind: str, wanted: Sequence[object], missed: Sequence[object], extra: Sequence[object], produced: int) -> _Judged:
    return kind, missed, extra, len(wanted), produced
