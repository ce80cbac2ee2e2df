"""Several sessions in one call: each gets what was said of it alone, and what goes wrong with one loses none of the others."""

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from zoneinfo import ZoneInfo

import pytest

from extract.llm.extractor import LlmExtractor
from extract.metering import collect_usage
from extract.port import Extraction, ExtractorUnavailable, JoiningExtractor, Segment
from tests.extract.llm.conftest import segment
from tests.extract.llm.openai_server import Body, OpenAiServer, Reply, answer, fact, honest, messages_in, said

Extractors = Callable[..., LlmExtractor]


def session(name: str, *texts: str, context: tuple[str, ...] = ()) -> Segment:
    """A segment of a session of this name, a week later for each letter of the alphabet."""
    one = segment(*texts, context=context)
    later = timedelta(weeks=ord(name[0]) - ord("a"))

    def named(messages: tuple) -> tuple:  # type: ignore[type-arg]
        return tuple(replace(m, id=f"{name}_{m.seq}", session=name, sent_at=m.sent_at + later) for m in messages)

    return replace(one, session=name, context=named(one.context), messages=named(one.messages))


def evidence(found: Extraction) -> list[tuple[str, ...]]:
    return [statement.evidence for event in found.events for statement in event.statements]


def reasons(found: Extraction) -> list[str]:
    return [failure.reason for failure in found.partial_failures]


async def test_one_call_gives_each_session_its_own(model: OpenAiServer, extractor_of: Extractors) -> None:
    extractor = extractor_of()
    assert isinstance(extractor, JoiningExtractor)
    sessions = [session("a", "One dog.", "Two cats."), session("b", "Three birds.", context=("And birds?",)), session("c", "Bye.")]
    found = await extractor.extract_many(sessions)
    assert [evidence(one) for one in found] == [[("a_1",), ("a_2",)], [("b_2",)], [("c_1",)]]
    [request] = model.requests
    assert [(one["n"], one["part"], one["sent"][:10], bool(one.get("before"))) for one in messages_in(request)] == [
        (1, "1", "2023-05-08", False),
        (2, "1", "2023-05-08", False),
        (3, "2", "2023-05-15", True),
        (4, "2", "2023-05-15", False),
        (5, "3", "2023-05-22", False),
    ]
    assert [[(entry.step, entry.calls, entry.items) for entry in one.usage] for one in found] == [[("extract", 1, 4)], [], []]


async def test_each_session_is_read_in_its_own_zone(model: OpenAiServer, extractor_of: Extractors) -> None:
    model.script = [Reply(answer({"facts": [fact("Maria moved.", 1, date="2023-05-01"), fact("Maria left.", 2, date="2023-05-01")]}))]
    far = replace(session("b", "I left."), zone=ZoneInfo("Asia/Tokyo"))
    found = await extractor_of().extract_many([session("a", "I moved."), far])
    starts = [event.statements[0].time.start.isoformat() for one in found for event in one.events if event.statements]  # type: ignore[union-attr]
    assert starts == ["2023-05-01T00:00:00+00:00", "2023-04-30T15:00:00+00:00"]
    assert [one["sent"] for one in messages_in(model.requests[0])] == ["2023-05-08 Monday 13:56", "2023-05-15 Monday 22:56"]


async def test_an_event_of_two_sessions_is_one_of_each_and_an_item_of_two_is_none(model: OpenAiServer, extractor_of: Extractors) -> None:
    both = fact("Maria has a dog and a cat.", 1, 2)
    pets = {"title": "Pets", "facts": [fact("Maria has a dog.", 1), both, fact("Maria has a cat.", 2)]}
    named = [{"name": "Bruno", "type": "person", "messages": [1, 2]}]
    model.script = [Reply(answer(pets, entities=named)), Reply(answer({"title": "Pets", "facts": [both]}))]
    found = await extractor_of().extract_many([session("a", "I have a dog, Bruno."), session("b", "I have a cat.")])
    assert [[one.text for event in part.events for one in event.statements] for part in found] == [
        ["Maria has a dog."],
        ["Maria has a cat."],
    ]
    assert [[event.title for event in part.events] for part in found] == [["Pets"], ["Pets"]]
    assert [list(part.mentions) for part in found] == [["a_1"], ["b_1"]]
    assert [reasons(part) for part in found] == [["EXTRACTOR_ANSWER_INVALID"]] * 2
    assert "must be messages of one part" in model.requests[1]["messages"][-1]["content"]


async def test_what_is_invalid_of_one_session_is_told_with_that_one(model: OpenAiServer, extractor_of: Extractors) -> None:
    wrong = fact("Maria has a cat.", 2, date="May")
    model.answers = lambda _: Reply(answer({"title": "Pets", "facts": [fact("Maria has a dog.", 1), wrong]}))
    found = await extractor_of().extract_many([session("a", "I have a dog."), session("b", "I have a cat.")])
    assert [reasons(part) for part in found] == [[], ["EXTRACTOR_ANSWER_INVALID"]]
    assert set(evidence(found[0])) == {("a_1",)}


@pytest.mark.parametrize(
    "trouble",
    [
        Reply("", finish="content_filter"),
        Reply("{ no JSON"),
        Reply('{"events": [', finish="length"),
        Reply(status=400, error={"message": "too long", "code": "context_length_exceeded"}),
    ],
    ids=["withheld", "unreadable", "cut off", "too long"],
)
async def test_what_one_session_causes_is_its_own_trouble(trouble: Reply, model: OpenAiServer, extractor_of: Extractors) -> None:
    def shy(body: Body) -> Reply:
        return trouble if any("secret" in one["text"] for one in said(body)) else honest(body)

    model.answers = shy
    sessions = [session("a", "One dog."), session("b", "A secret."), session("c", "Three birds."), session("d", "Four fish.")]
    found = await extractor_of().extract_many(sessions)
    assert [evidence(one) for one in found] == [[("a_1",)], [], [("c_1",)], [("d_1",)]]
    assert [bool(one.partial_failures) for one in found] == [False, True, False, False]
    assert sum(entry.calls for entry in found[0].usage) == len(model.requests)


async def test_sessions_beyond_the_budget_are_split_between_sessions_first(model: OpenAiServer, extractor_of: Extractors) -> None:
    sessions = [session(name, "I have a dog. " * 60) for name in "abc"]
    model.answers = lambda body: Reply(answer({"facts": [fact("A fact.", one["n"]) for one in said(body)]}))
    found = await extractor_of(input_tokens=800).extract_many(sessions)
    assert [evidence(one) for one in found] == [[("a_1",)], [("b_1",)], [("c_1",)]]
    assert len(model.requests) == 2


async def test_a_model_that_cannot_be_asked_fails_all_of_them_and_is_counted_once(model: OpenAiServer, extractor_of: Extractors) -> None:
    model.answers = lambda _: Reply(status=401)
    with collect_usage() as spent, pytest.raises(ExtractorUnavailable):
        await extractor_of().extract_many([session("a", "One dog."), session("b", "Two cats.")])
    assert [(entry.calls, entry.errors, entry.items) for entry in spent] == [(1, 1, 0)]


async def test_a_session_of_which_nothing_is_extracted_is_not_shown(model: OpenAiServer, extractor_of: Extractors) -> None:
    silent = replace(session("b", "Two cats."), aside=frozenset({"b_1"}))
    found = await extractor_of().extract_many([session("a", "One dog."), silent])
    assert [evidence(one) for one in found] == [[("a_1",)], []]
    assert [one["text"] for one in messages_in(model.requests[0])] == ["One dog."]
