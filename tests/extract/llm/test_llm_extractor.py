"""What a language model says of a segment comes out as events, each item checked; whatever else it does is survived."""

import asyncio
import json
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime

import pytest

from extract.llm.extractor import LlmExtractor
from extract.metering import collect_usage
from extract.port import Extraction, ExtractorUnavailable
from extract.resolve import resolve
from graph.model import EdgeKind, EntityKind, ExtractionMode, Granularity, NodeKind, UuidSource
from tests.extract.llm.conftest import segment
from tests.extract.llm.openai_server import Body, OpenAiServer, Reply, answer, fact, honest, messages_in, said

Extractors = Callable[..., LlmExtractor]


def texts(found: Extraction) -> list[str]:
    return [statement.text for event in found.events for statement in event.statements]


def reasons(found: Extraction) -> list[str]:
    return [failure.reason for failure in found.partial_failures]


async def test_one_call_gives_facts_relations_entities_times_and_causes(model: OpenAiServer, extractor_of: Extractors) -> None:
    moved = {
        "title": "Maria's move",
        "facts": [fact("Maria moved to Lisbon.", 2, subject="Maria", predicate="moved to", object="Lisbon", when="last Friday")],
        "relations": [fact("Ana is Maria's sister.", 2, subject="Ana", predicate="sister_of", object="Maria")],
    }
    because = {"title": "A new job", "facts": [fact("Maria has a new job.", 3, date="2023-05")], "causes": [0]}
    entities = [
        {"name": "Ana", "type": "person", "messages": [2]},
        {"name": "Lisbon", "type": "place", "messages": [2]},
    ]
    model.script = [Reply(answer(moved, because, entities=entities))]
    one = segment("I moved to Lisbon last Friday with my sister Ana.", "It is for my new job, since May.", context=("What is new?",))
    found = await extractor_of().extract(one)

    assert len(model.requests) == 1
    first, relation = found.events[0].statements
    assert (first.text, first.evidence, first.speaker, first.predicate) == ("Maria moved to Lisbon.", ("msg_2",), "Maria", "moved_to")
    assert first.time is not None
    assert (first.time.start, first.time.granularity) == (datetime(2023, 5, 5, tzinfo=UTC), Granularity.DAY)
    assert relation.kind is NodeKind.RELATION
    second = found.events[1].statements[0]
    assert second.time is not None
    assert (second.time.start, second.time.end) == (datetime(2023, 5, 1, tzinfo=UTC), datetime(2023, 6, 1, tzinfo=UTC))
    assert {mention.name: mention.kind for mention in found.mentions["msg_2"]} == {"Ana": EntityKind.PERSON, "Lisbon": EntityKind.PLACE}

    written = resolve(found, one, 1, UuidSource(), datetime(2023, 6, 1, tzinfo=UTC))
    assert {entity.name for entity in written.entities} == {"Maria", "Ana", "Lisbon"}
    assert {EdgeKind.RELATES, EdgeKind.CAUSES, EdgeKind.MENTIONS} <= {edge.kind for edge in written.edges}
    [usage] = found.usage
    assert (usage.step, usage.model, usage.calls, usage.items, usage.prompt_tokens, usage.completion_tokens) == (
        "extract",
        "a-model",
        1,
        2,
        100,
        10,
    )


async def test_flat_gives_facts_alone(model: OpenAiServer, extractor_of: Extractors) -> None:
    found = await extractor_of(ExtractionMode.FLAT).extract(segment("I have a dog."))
    assert texts(found) == ["Maria said: I have a dog."]
    assert found.mentions == {}
    assert found.events[0].participants == ()
    assert "relations" not in json.dumps(model.requests[0]["response_format"])


async def test_only_invalid_items_are_asked_for_once_more(model: OpenAiServer, extractor_of: Extractors) -> None:
    good, unknown = fact("Maria has a dog.", 1), fact("Maria has a cat.", 17)
    model.script = [
        Reply(answer({"title": "Pets", "facts": [good, unknown, fact("", 1), fact("x", 1, date="May")]})),
        Reply(answer({"title": "Pets", "facts": [fact("Maria has a cat.", 2)]})),
    ]
    found = await extractor_of().extract(segment("I have a dog.", "And a cat."))
    assert texts(found) == ["Maria has a dog.", "Maria has a cat."]
    assert len(found.events) == 1
    assert found.partial_failures == ()
    asked = model.requests[1]["messages"][-1]["content"]
    assert "there is no message 17" in asked
    assert "Maria has a dog." not in asked
    assert {entry.step: entry.calls for entry in found.usage} == {"extract": 1, "repair": 1}


async def test_what_stays_invalid_is_a_partial_failure(model: OpenAiServer, extractor_of: Extractors) -> None:
    bad = fact("Maria has a cat.", 99)
    model.answers = lambda _: Reply(answer({"title": "Pets", "facts": [fact("Maria has a dog.", 1), bad]}))
    found = await extractor_of().extract(segment("I have a dog."))
    assert "Maria has a cat." not in texts(found)
    assert reasons(found) == ["EXTRACTOR_ANSWER_INVALID"]
    assert "message 1" in found.partial_failures[0].message
    assert "cat" not in found.partial_failures[0].message
    assert len(model.requests) == 2


@pytest.mark.parametrize(
    "content",
    [
        "",
        "I cannot help with that.",
        "[1, 2]",
        "null",
        '{"events": "none"}',
        '{"events": [{"facts": ',
        "{" * 5_000,
        '{"a":' * 5_000,
        '{"answer": 1}',
    ],
)
async def test_an_answer_of_another_form_is_asked_for_once_more(content: str, model: OpenAiServer, extractor_of: Extractors) -> None:
    model.script = [Reply(content)]
    found = await extractor_of().extract(segment("I have a dog."))
    assert texts(found) == ["Maria said: I have a dog."]
    model.script = [Reply(content), Reply(content)]
    found = await extractor_of().extract(segment("I have a dog."))
    assert (texts(found), reasons(found)) == ([], ["EXTRACTOR_ANSWER_UNREADABLE"])


@pytest.mark.parametrize(
    "content",
    [
        '{"events": [null, 3, "x", {"facts": [null, 3, "x", {}]}, {"facts": {"a": 1}}], "entities": 7}',
        answer({"facts": [fact("x" * 5_000, 1), fact("y", -1), fact("z", True), fact("w", 1, confidence=float("nan"))]}),
        answer({"facts": [fact("x", 1, date="2023-13-45"), fact("x", 1, date="2023-05-09/2023-05-01"), fact("x", 1, date="9999")]}),
        answer(entities=[{"name": "", "type": "person", "messages": [1]}, {"name": "Bo", "type": "god", "messages": [1]}]),
        answer({"facts": [fact("x", 1, messages="1"), fact("x"), fact("x", 1, predicate=["a"]), fact("x", 1, confidence=7)]}),
    ],
)
async def test_hostile_items_are_left_out(content: str, model: OpenAiServer, extractor_of: Extractors) -> None:
    model.answers = lambda _: Reply(content)
    found = await extractor_of().extract(segment("I have a dog."))
    assert texts(found) == []
    assert reasons(found) == ["EXTRACTOR_ANSWER_INVALID"]


async def test_control_characters_and_wrong_causes_do_no_harm(model: OpenAiServer, extractor_of: Extractors) -> None:
    event = {"title": "A\ndog\u202e!", "facts": [fact("Maria\x00has\na dog\u2028.", 1)], "causes": [0, 5, -1]}
    model.script = [Reply(answer(event))]
    one = segment("I have a dog.")
    found = await extractor_of().extract(one)
    assert texts(found) == ["Maria has a dog ."]
    assert found.events[0].title == "A dog !"
    assert not [edge for edge in resolve(found, one, 1, UuidSource(), one.messages[0].sent_at).edges if edge.kind is EdgeKind.CAUSES]


async def test_a_name_within_another_word_is_no_mention(model: OpenAiServer, extractor_of: Extractors) -> None:
    entities = [{"name": name, "type": "person", "messages": [1]} for name in ("Ana", "Bo")]
    model.script = [Reply(answer({"facts": [fact("Maria eats a banana with Bo.", 1)]}, entities=entities))]
    found = await extractor_of().extract(segment("I eat a banana with Bo."))
    assert {mention.name for mention in found.events[0].participants} == {"Maria", "Bo"}


async def test_facts_that_rest_on_the_context_alone_are_not_taken(model: OpenAiServer, extractor_of: Extractors) -> None:
    model.answers = lambda _: Reply(answer({"facts": [fact("Tom lives in Rome.", 1)]}))
    found = await extractor_of().extract(segment("Fine.", context=("I live in Rome.",)))
    assert texts(found) == []


async def test_an_answer_in_fences_or_after_thoughts_is_read(model: OpenAiServer, extractor_of: Extractors) -> None:
    inner = answer({"facts": [fact("Maria has a dog.", 1)]})
    for content in (f"```json\n{inner}\n```", f"<think>{{not json}}</think>\n{inner}", f"Here it is: {inner}"):
        model.script = [Reply(content)]
        assert texts(await extractor_of().extract(segment("I have a dog."))) == ["Maria has a dog."]


async def test_a_refused_form_is_followed_by_a_weaker_one(model: OpenAiServer, extractor_of: Extractors) -> None:
    model.refused_forms = {"json_schema"}
    extractor = extractor_of()
    for _ in range(2):
        found = await extractor.extract(segment("I have a dog."))
        assert texts(found) == ["Maria said: I have a dog."]
    forms = [request.get("response_format", {}).get("type") for request in model.requests]
    assert forms == ["json_schema", "json_object", "json_object"]
    assert "JSON" in model.requests[1]["messages"][0]["content"]
    model.refused_forms = {"json_schema", "json_object"}
    assert texts(await extractor.extract(segment("I have a dog."))) == ["Maria said: I have a dog."]
    assert "response_format" not in model.requests[-1]


async def test_truncated_answers_are_asked_for_in_halves(model: OpenAiServer, extractor_of: Extractors) -> None:
    def short_breath(body: Body) -> Reply:
        whole = honest(body)
        return whole if len(said(body)) == 1 else Reply(whole.content[: len(whole.content) // 2], finish="length")

    model.answers = short_breath
    found = await extractor_of().extract(segment("One dog.", "Two cats.", "Three birds."))
    assert texts(found) == ["Maria said: One dog.", "Maria said: Two cats.", "Maria said: Three birds."]
    assert [event.statements[0].evidence for event in found.events] == [("msg_1",), ("msg_2",), ("msg_3",)]
    assert found.partial_failures == ()


async def test_of_one_message_that_is_truncated_the_whole_items_are_kept(model: OpenAiServer, extractor_of: Extractors) -> None:
    whole = answer({"title": "Pets", "facts": [fact("Maria has a dog.", 1), fact("Maria has a cat.", 1)]})
    cut = Reply(whole[: whole.index("a cat")], finish="length")
    model.script = [cut, Reply(answer())]
    found = await extractor_of().extract(segment("I have a dog and a cat."))
    assert texts(found) == ["Maria has a dog."]
    assert reasons(found)[0] == "EXTRACTOR_ANSWER_TRUNCATED"


async def test_a_segment_beyond_the_budget_is_split(model: OpenAiServer, extractor_of: Extractors) -> None:
    long = "I have a dog. " * 300
    model.answers = lambda body: Reply(answer({"facts": [fact("A fact.", one["n"]) for one in said(body)]}))
    found = await extractor_of(input_tokens=900).extract(segment("Hello Tom.", long, "Bye."))
    assert {id_ for event in found.events for id_ in event.statements[0].evidence} == {"msg_1", "msg_2", "msg_3"}
    read = "".join(one["text"] for request in model.requests for one in said(request) if one["text"] not in {"Hello Tom.", "Bye."})
    assert read == long
    [usage] = found.usage
    assert (usage.calls, usage.items) == (len(model.requests), 3)


async def test_a_request_that_the_server_finds_too_long_is_split(model: OpenAiServer, extractor_of: Extractors) -> None:
    model.script = [
        Reply(status=400, error={"message": "This model's maximum context length is 10 tokens", "code": "context_length_exceeded"})
    ]
    found = await extractor_of().extract(segment("One dog.", "Two cats."))
    assert texts(found) == ["Maria said: One dog.", "Maria said: Two cats."]
    assert found.usage[0].errors == 1


async def test_what_a_filter_keeps_back_is_a_partial_failure(model: OpenAiServer, extractor_of: Extractors) -> None:
    model.script = [Reply("", finish="content_filter"), Reply(status=400, error={"message": "filtered", "code": "content_filter"})]
    for _ in range(2):
        assert reasons(await extractor_of().extract(segment("I have a dog."))) == ["EXTRACTOR_ANSWER_WITHHELD"]


async def test_retries_wait_as_long_as_the_server_says(model: OpenAiServer, extractor_of: Extractors) -> None:
    model.script = [Reply(status=429, headers={"Retry-After": "1"})]
    loop = asyncio.get_running_loop()
    begun = loop.time()
    found = await extractor_of(retries=2).extract(segment("I have a dog."))
    assert loop.time() - begun >= 1
    [usage] = found.usage
    assert (usage.calls, usage.errors) == (2, 1)


@pytest.mark.parametrize(
    "trouble",
    [
        Reply(status=429),
        Reply(status=500),
        Reply(status=503),
        Reply(dies=True),
        Reply("x" * 1_000, dies=True),
        Reply(delay=5),
        Reply(raw="<html>"),
    ],
    ids=["rate limit", "error", "overload", "dies", "dies in the middle", "slow", "no JSON"],
)
async def test_a_model_that_cannot_be_asked_is_worth_asking_later(trouble: Reply, model: OpenAiServer, extractor_of: Extractors) -> None:
    model.answers = lambda _: trouble
    with collect_usage() as spent, pytest.raises(ExtractorUnavailable):
        await extractor_of(retries=1, timeout_s=0.3).extract(segment("I have a dog."))
    [usage] = spent
    assert usage.calls == usage.errors == len(model.requests)


async def test_calls_that_are_cancelled_count_with_those_before_them(model: OpenAiServer, extractor_of: Extractors) -> None:
    asked_again = asyncio.Event()

    def never(_: Body) -> Reply:
        asked_again.set()
        return Reply(delay=30)

    model.script = [Reply("no JSON"), never]
    with collect_usage() as spent:
        reading = asyncio.create_task(extractor_of().extract(segment("I have a dog.")))
        await asked_again.wait()
        reading.cancel()
        with pytest.raises(asyncio.CancelledError):
            await reading
    told = {usage.step: (usage.calls, usage.errors, usage.prompt_tokens, usage.items) for usage in spent}
    assert told == {"extract": (1, 0, 100, 0), "repair": (1, 1, 0, 0)}


async def test_a_wrong_key_is_not_tried_again(model: OpenAiServer, extractor_of: Extractors) -> None:
    model.answers = lambda _: Reply(status=401)
    with pytest.raises(ExtractorUnavailable, match="status 401"):
        await extractor_of(retries=3).extract(segment("I have a dog."))
    assert len(model.requests) == 1


async def test_calls_at_once_are_bounded_over_all_segments(model: OpenAiServer, extractor_of: Extractors) -> None:
    model.answers = lambda body: Reply(honest(body).content, delay=0.05)
    extractor = extractor_of(concurrency=2)
    await asyncio.gather(*(extractor.extract(segment(f"I have {count} dogs.")) for count in range(8)))
    assert model.most_at_once == 2
    assert len(model.requests) == 8


async def test_messages_set_aside_are_read_and_nothing_rests_on_them_alone(model: OpenAiServer, extractor_of: Extractors) -> None:
    one = replace(segment("I have a dog.", "And a cat?", "Yes, a cat."), aside=frozenset({"msg_2"}))
    model.script = [
        Reply(answer({"title": "Pets", "facts": [fact("Maria has a cat.", 2, 3), fact("Maria asked for a cat.", 2)]})),
        Reply(answer()),
    ]
    found = await extractor_of().extract(one)
    assert [statement.text for event in found.events for statement in event.statements] == ["Maria has a cat."]
    assert [bool(shown.get("read only")) for shown in messages_in(model.requests[0])] == [False, True, False]
    assert next(entry.items for entry in found.usage if entry.step == "extract") == 2


async def test_only_what_came_before_is_cut(model: OpenAiServer, extractor_of: Extractors) -> None:
    long = "and so on " * 200
    await extractor_of().extract(replace(segment(long, "Yes, so it is.", context=(long,)), aside=frozenset({"msg_2"})))
    before, aside, _ = messages_in(model.requests[0])
    assert len(before["text"]) < 700
    assert (aside["text"], aside["read only"]) == (long, True)


async def test_halves_without_own_messages_ask_nothing(model: OpenAiServer, extractor_of: Extractors) -> None:
    aside = [f"word {n} " * 80 for n in range(4)]
    one = replace(segment(*aside, "I have a dog."), aside=frozenset(f"msg_{n}" for n in range(1, 5)))
    assert texts(await extractor_of(input_tokens=400).extract(one)) == ["Maria said: I have a dog."]
    assert len(model.requests) == 1
