"""The rules against a table of utterances. Run with -s for precision and recall; a missed line fails by name."""

import importlib.util
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from extract.port import Extraction
from graph.model import NodeKind

_spec = importlib.util.spec_from_file_location("utterances", Path(__file__).with_name("utterances.py"))
assert _spec is not None
assert _spec.loader is not None
_module = importlib.util.module_from_spec(_spec)
import sys  # noqa: E402  # dataclasses look their module up

sys.modules["utterances"] = _module
_spec.loader.exec_module(_module)
UTTERANCES = _module.UTTERANCES


def _extracted(extract: Callable[..., Extraction], utterance: Any) -> Extraction:
    context = ("Ana", utterance.before or "Lovely weather here.")
    return extract(context, ("Maria", utterance.text, utterance.caption), context=1)


def _misses(utterance: Any, found: Extraction) -> Iterator[str]:
    statements = [statement for event in found.events for statement in event.statements]
    texts = [statement.text for statement in statements]
    for words in utterance.wanted:
        if not any(words in text for text in texts):
            yield f"no statement has {words!r}"
    relations = {(s.subject, s.predicate, s.object) for s in statements if s.kind is NodeKind.RELATION}
    for relation in utterance.relations:
        if relation not in relations:
            yield f"no relation {relation}"
    kinds = {(mention.name, mention.kind.name) for statement in statements for mention in statement.mentions}
    for name, kind in utterance.entities.items():
        if (name, kind) not in kinds:
            yield f"{name} is no {kind}"
    if utterance.time and utterance.time not in {str(event.time.start.date()) for event in found.events if event.time}:
        yield f"no event at {utterance.time}"


def _intruders(utterance: Any, found: Extraction) -> list[str]:
    statements = [statement for event in found.events for statement in event.statements]
    unwanted = [s.text for s in statements if any(words in s.text for words in utterance.unwanted)]
    wrong = [
        f"{s.subject} {s.predicate} {s.object}"
        for s in statements
        if s.kind is NodeKind.RELATION and "_" in s.predicate and s.predicate not in {"so_that", "because_of"}
        and (s.subject, s.predicate, s.object) not in utterance.relations and utterance.relations
    ]  # fmt: skip
    return unwanted + wrong


@pytest.mark.parametrize("utterance", UTTERANCES, ids=lambda utterance: utterance.text[:50])
def test_what_should_come_out_does_and_nothing_that_should_not(extract: Callable[..., Extraction], utterance: Any) -> None:
    found = _extracted(extract, utterance)
    texts = [statement.text for event in found.events for statement in event.statements]
    assert list(_misses(utterance, found)) == [], texts
    assert _intruders(utterance, found) == []


def test_precision_and_recall_over_the_table(extract: Callable[..., Extraction]) -> None:
    expected = missed = produced = intruding = 0
    for utterance in UTTERANCES:
        found = _extracted(extract, utterance)
        expected += len(utterance.wanted) + len(utterance.relations) + len(utterance.entities) + bool(utterance.time)
        missed += len(list(_misses(utterance, found)))
        produced += sum(len(event.statements) for event in found.events)
        intruding += len(_intruders(utterance, found))
    recall, precision = 1 - missed / expected, 1 - intruding / produced
    print(f"\nlocal rules on {len(UTTERANCES)} utterances: recall {recall:.1%} of {expected}, precision {precision:.1%} of {produced}")
    assert recall >= 0.9
    assert precision >= 0.95
