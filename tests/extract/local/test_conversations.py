"""What the rules make of whole conversations: assistants, modes, participants, and that it does not matter where segments end."""

from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from extract.local import LocalExtractor
from extract.local.extractor import extract_segment
from extract.port import EventDraft, Extraction, Segment, StatementDraft
from graph.model import EntityKind, ExtractionMode, Message, NodeKind, Role

Extract = Callable[..., Extraction]
TALK = [
    ("Maria", "My sister Clara moved to Porto last month because she got a job at Acme Labs."),
    ("Ana", "Nice! Where does she live?"),
    ("Maria", "Near the river. I visited her on Saturday and we had dinner with Tom."),
    ("Ana", "I started pottery classes in January and I sold my bike yesterday.", "a photo of a blue bowl"),
    ("Maria", "I don't drink coffee any more."),
]


def _statements(found: Extraction) -> Iterator[StatementDraft]:
    for event in found.events:
        yield from event.statements


def _texts(found: Extraction) -> list[str]:
    return [statement.text for statement in _statements(found)]


def test_an_event_binds_what_a_message_says_of_one_time_with_who_takes_part(extract: Extract) -> None:
    found = extract(*TALK)
    [move] = [event for event in found.events if "moved to Porto" in event.title]
    assert {statement.kind for statement in move.statements} == {NodeKind.FACT, NodeKind.RELATION}
    assert {(one.name, one.role) for one in move.participants} >= {("Maria", "speaker"), ("Porto", "place"), ("Acme Labs", "organisation")}
    sold = [event for event in found.events if "bike" in event.title]
    assert [event.time.start.date().isoformat() for event in sold if event.time] == ["2023-05-16"]


def test_a_cause_is_an_event_that_leads_to_its_effect(extract: Extract) -> None:
    found = extract(*TALK)
    [cause] = [event for event in found.events if event.causes]
    assert "got a job" in cause.title
    assert "moved to Porto" in found.events[cause.causes[0]].title


def test_what_was_done_for_something_enables_it(extract: Extract) -> None:
    found = extract(("Maria", "I saved money for two years so that we could travel to Japan."))
    [first] = [event for event in found.events if event.enables]
    assert not any(event.causes for event in found.events)
    assert "saved money" in first.title
    assert "Japan" in found.events[first.enables[0]].statements[0].text


def test_flat_gives_the_same_facts_without_relations_participants_and_mentions(extract: Extract) -> None:
    flat, full = extract(*TALK, mode=ExtractionMode.FLAT), extract(*TALK)
    assert _texts(flat) == [s.text for s in _statements(full) if s.kind is NodeKind.FACT]
    assert not any(event.participants or event.causes for event in flat.events)
    assert not any(statement.mentions for statement in _statements(flat))
    assert flat.mentions == {}


def test_messages_mention_the_names_in_them(extract: Extract) -> None:
    names = {mention.name: mention.kind for mention in extract(*TALK).mentions["msg_0"]}
    assert names["Porto"] is EntityKind.PLACE
    assert "Clara" in names


def test_an_assistants_list_is_one_fact_with_what_was_asked(extract: Extract) -> None:
    answer = (
        "Here are some:\n1. **Dune**: a classic\n2. **Emma**: another\n\n" + "They are long. " * 100 + "I recommend starting with Emma."
    )
    found = extract(("user", "I'm bored. What should I read?"), ("assistant", answer))
    texts = _texts(found)
    assert 'The assistant listed when asked "What should I read?": Dune, Emma.' in texts
    assert any("starting with Emma" in text for text in texts)
    assert len([text for text in texts if text.startswith("The assistant")]) <= 3


def test_an_assistants_prose_states_nothing(extract: Extract) -> None:
    assert _texts(extract(("assistant", "Paris is the capital of France. It has two million people. " * 40))) == []


def test_roles_of_an_assistant_chat_are_no_people(extract: Extract) -> None:
    found = extract(("user", "I live in Berlin and my boss is called Nora."), ("assistant", "- Berlin\n- Nora"))
    mentioned = {mention.name for statement in _statements(found) for mention in statement.mentions if mention.role == "speaker"}
    assert mentioned == set()
    assert any(text.startswith("The user lives in Berlin") for text in _texts(found))


def test_a_role_is_written_small_within_a_sentence(extract: Extract) -> None:
    found = extract(("user", "My sister Ana lives in Porto."))
    assert "Ana is the user's sister." in _texts(found)


def test_tools_and_systems_state_nothing(extract: Extract) -> None:
    sent_at = datetime(2023, 5, 17, tzinfo=UTC)
    messages = tuple(
        Message(f"m{int(role)}", "s", int(role), role.name, role, "I moved to Lisbon.", sent_at, sent_at)
        for role in (Role.SYSTEM, Role.TOOL)
    )
    assert extract_segment(Segment("n", "s", (), messages, UTC), ExtractionMode.EVENT).events == ()


def test_a_long_paste_gives_a_bounded_number_of_statements(extract: Extract) -> None:
    assert len(_texts(extract(("Maria", "I bought 3 boats in Porto. " * 5_000)))) <= 40


def _messages() -> list[Message]:
    start = datetime(2023, 5, 17, 9, tzinfo=UTC)
    return [
        Message(f"m{n}", "s", n, line[0], Role.USER, line[1], start + timedelta(minutes=n), start, image_caption="".join(line[2:]))
        for n, line in enumerate(TALK, 1)
    ]


@pytest.mark.parametrize("cut", range(2, len(TALK)))
def test_it_does_not_matter_where_segments_end(cut: int) -> None:
    messages = _messages()
    whole = extract_segment(Segment("n", "s", (), tuple(messages), UTC), ExtractionMode.EVENT)
    first = extract_segment(Segment("n", "s", (), tuple(messages[:cut]), UTC), ExtractionMode.EVENT)
    second = extract_segment(Segment("n", "s", tuple(messages[max(0, cut - 4) : cut]), tuple(messages[cut:]), UTC), ExtractionMode.EVENT)
    assert [_bare(event) for event in (*first.events, *second.events)] == [_bare(event) for event in whole.events]


def _bare(event: EventDraft) -> tuple[object, ...]:
    return event.title, event.statements, event.time, event.participants, bool(event.causes)


async def test_the_extractor_says_what_it_is() -> None:
    event, flat = LocalExtractor(), LocalExtractor(ExtractionMode.FLAT)
    assert event.spec.fingerprint == flat.spec.fingerprint
    assert event.spec != flat.spec
    with pytest.raises(ValueError, match="extracts"):
        LocalExtractor(ExtractionMode.OFF)
    found = await event.extract(Segment("n", "s", (), tuple(_messages()), UTC))
    assert found.usage[0].items == len(TALK)


_PHRASE = "I I'm I've we you my your our Ana Rex Lisbon Acme moved to in at because so that , . ! ? \n - “ ” ' '' sister dog is 7 🎉 é"
_WORDS = st.sampled_from(_PHRASE.split(" "))


@settings(max_examples=300, deadline=None)
@given(st.lists(st.one_of(st.text(max_size=60), st.lists(_WORDS, max_size=15).map(" ".join)), min_size=1, max_size=3), st.booleans())
def test_any_text_ends_well_and_evidence_is_the_messages_own(texts: list[str], assistant: bool) -> None:
    start = datetime(2023, 5, 17, 9, tzinfo=UTC)
    role = Role.ASSISTANT if assistant else Role.USER
    messages = tuple(Message(f"m{n}", "s", n + 1, f"S{n % 2}", role, text, start, start) for n, text in enumerate(texts))
    found = extract_segment(Segment("n", "s", (), messages, UTC), ExtractionMode.EVENT)
    ids = {message.id for message in messages}
    for statement in _statements(found):
        assert statement.text.strip()
        assert ids >= set(statement.evidence) != set()
    assert all(event.statements for event in found.events)
    assert all(0 <= index < len(found.events) for event in found.events for index in event.causes)


def test_what_a_message_states_twice_is_stated_once(extract: Any) -> None:
    text = "My sister Ruth lives in Porto. I like tea. My sister Ruth lives in Porto. I like tea. My sister Ruth is a cellist."
    statements = [one for event in extract(("Maria", text)).events for one in event.statements]
    stated = [(one.kind, one.text, one.predicate) for one in statements]
    assert len(stated) == len(set(stated)) >= 4


def test_a_message_that_is_read_in_part_is_told(extract: Any) -> None:
    many = " ".join(f"I bought {number} apples." for number in range(2, 60))
    long = "I like tea. " * 1_100
    endless = "I like tea and " * 200 + "coffee. I live in Ghent."
    found = extract(("Maria", many), ("Tom", "I like coffee."), ("Maria", long), ("Maria", endless))
    assert [one.reason for one in found.partial_failures] == ["MESSAGE_READ_IN_PART"] * 3
    first, second, third = (one.message for one in found.partial_failures)
    assert "message 1 the rules read the first 40 of 58 sentences" in first
    assert "message 3 the rules read the first 12,000 of 13,200 characters" in second
    assert "message 4 the rules read no sentence of more than 2,000 characters" in third
