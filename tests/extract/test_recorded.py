"""Recorded facts come back with the messages that they rest on, each once."""

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from extract.port import Segment
from extract.recorded import RecordedExtractor, RecordedFact, load_facts, recorded_extractors
from graph.errors import InvalidArgument
from graph.model import ExtractionMode, Message, Role

SAID = datetime(2023, 5, 17, 9, tzinfo=UTC)
FACTS = {
    "bench/talk": [RecordedFact("Maria moved to Lisbon in May 2023.", "Maria", ("t1",)), RecordedFact("Ana is glad.", "Ana", ("t2", "t1"))]
}


def _segment(*client_ids: str, namespace: str = "bench/talk", context: tuple[Message, ...] = ()) -> Segment:
    return Segment(namespace, "s", context, tuple(_message(one) for one in client_ids), UTC)


def _message(client_id: str) -> Message:
    seq = int(client_id[1:])
    sent_at = SAID + timedelta(minutes=seq)
    return Message(f"msg_{client_id}", "s", seq, "Maria", Role.USER, "…", sent_at, sent_at, client_id)


async def test_facts_come_with_their_evidence_and_times() -> None:
    found = await RecordedExtractor(FACTS).extract(_segment("t1", "t2"))
    first, second = (event.statements[0] for event in found.events)
    assert (first.text, first.evidence, first.speaker) == ("Maria moved to Lisbon in May 2023.", ("msg_t1",), "Maria")
    assert first.time is not None
    assert first.time.start == datetime(2023, 5, 1, tzinfo=UTC)
    assert second.evidence == ("msg_t2", "msg_t1")


async def test_each_fact_comes_once_however_the_session_is_cut() -> None:
    extractor = RecordedExtractor(FACTS)
    segments = [_segment("t1"), _segment("t2", context=(_message("t1"),))]
    texts = [event.statements[0].text for one in segments for event in (await extractor.extract(one)).events]
    assert texts == ["Maria moved to Lisbon in May 2023.", "Ana is glad."]


async def test_other_namespaces_have_other_facts() -> None:
    assert (await RecordedExtractor(FACTS).extract(_segment("t1", namespace="bench/other"))).events == ()


def _file(tmp_path: Path, conversations: Any) -> Path:
    path = tmp_path / "facts.json"
    path.write_text(json.dumps({"name": "own", "conversations": conversations}), "utf-8")
    return path


async def test_facts_are_read_from_a_file_of_the_benchmark_format(tmp_path: Path) -> None:
    path = _file(tmp_path, [{"id": "talk 1", "facts": [{"text": "Ana has a dog.", "speaker": "Ana", "evidence": ["t1"]}]}, {"id": "two"}])
    assert load_facts(path) == {"talk 1": (RecordedFact("Ana has a dog.", "Ana", ("t1",)),), "two": ()}
    [event] = (await RecordedExtractor(path).extract(_segment("t1", namespace="bench/talk_1"))).events
    assert event.statements[0].text == "Ana has a dog."


@pytest.mark.parametrize(
    ("fact", "field"),
    [
        ({"text": "", "speaker": "Ana", "evidence": ["t1"]}, r"conversations\[0\]\.facts\[0\]\.text"),
        ({"text": "x", "evidence": ["t1"]}, r"conversations\[0\]\.facts\[0\]\.speaker"),
        ({"text": "x", "speaker": "Ana", "evidence": []}, r"conversations\[0\]\.facts\[0\]\.evidence"),
        ("x", r"conversations\[0\]\.facts\[0\]\.evidence"),
    ],
)
def test_a_wrong_fact_is_refused_with_its_place(tmp_path: Path, fact: Any, field: str) -> None:
    with pytest.raises(InvalidArgument, match=field):
        load_facts(_file(tmp_path, [{"id": "talk", "facts": [fact]}]))


def test_a_file_that_is_no_json_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "broken.json"
    path.write_text("{", "utf-8")
    with pytest.raises(InvalidArgument, match="not a JSON file"):
        load_facts(path)


def test_other_facts_are_another_extractor() -> None:
    assert RecordedExtractor(FACTS).spec != RecordedExtractor({}).spec
    assert {mode: one.spec.mode for mode, one in recorded_extractors(FACTS).items()} == {
        ExtractionMode.EVENT: ExtractionMode.EVENT,
        ExtractionMode.FLAT: ExtractionMode.FLAT,
    }
