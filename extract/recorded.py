"""An extractor that replays facts recorded in a file: benchmarks compare retrieval over known facts with it."""

import hashlib
import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from extract.port import EntityMention, EventDraft, Extraction, Segment, StatementDraft
from graph.errors import InvalidArgument
from graph.model import EntityKind, ExtractionMode, ExtractorSpec, NodeKind
from graph.text.names import is_role_name
from graph.text.times import find_times

_TITLE_LENGTH = 80


@dataclass(frozen=True, slots=True)
class RecordedFact:
    """A fact with the client ids of the messages that it rests on."""

    text: str
    speaker: str
    evidence: tuple[str, ...]


class RecordedExtractor:
    """Replays facts by namespace. A fact comes out with the segment that holds the first message of its evidence, once.

    Evidence in other segments is left out, as no extractor would have seen it.
    """

    def __init__(self, facts: Mapping[str, Sequence[RecordedFact]] | Path, mode: ExtractionMode = ExtractionMode.EVENT) -> None:
        """`facts` by name of the namespace or its last segment; or a file for `load_facts`, whose conversations' ids are these names.

        Raises:
            InvalidArgument: see `load_facts`.
        """
        if isinstance(facts, Path):
            facts = {_as_segment(conversation): found for conversation, found in load_facts(facts).items()}
        self._by_anchor: dict[tuple[str, str], list[RecordedFact]] = {}
        digest = hashlib.sha256()
        for namespace in sorted(facts):
            for fact in facts[namespace]:
                self._by_anchor.setdefault((namespace, fact.evidence[0]), []).append(fact)
                digest.update(json.dumps([namespace, fact.text, fact.speaker, fact.evidence]).encode())
        self._spec = ExtractorSpec("recorded", digest.hexdigest()[:16], mode)

    @property
    def spec(self) -> ExtractorSpec:
        """The fingerprint is that of the facts."""
        return self._spec

    async def extract(self, segment: Segment) -> Extraction:
        """An event for each recorded fact."""
        known = {message.client_id: message for message in (*segment.context, *segment.messages) if message.client_id}
        events = []
        for message in segment.own:
            for fact in self._facts_of(segment.namespace, message.client_id):
                spans = find_times(fact.text, message.sent_at, segment.zone)
                evidence = tuple(known[client_id].id for client_id in fact.evidence if client_id in known)
                speaker = (EntityMention(fact.speaker, EntityKind.PERSON, "speaker"),) if not is_role_name(fact.speaker) else ()
                statement = StatementDraft(NodeKind.FACT, fact.text, fact.speaker, evidence, speaker, time=spans[0] if spans else None)
                events.append(EventDraft(fact.text[:_TITLE_LENGTH], (statement,), statement.time, speaker))
        return Extraction(tuple(events))

    def _facts_of(self, namespace: str, client_id: str) -> Sequence[RecordedFact]:
        whole = self._by_anchor.get((namespace, client_id))
        return whole if whole is not None else self._by_anchor.get((namespace.rpartition("/")[2], client_id), ())


def recorded_extractors(facts: Mapping[str, Sequence[RecordedFact]]) -> dict[ExtractionMode, RecordedExtractor]:
    """One for each mode that extracts, as the pipeline asks for them."""
    return {mode: RecordedExtractor(facts, mode) for mode in (ExtractionMode.EVENT, ExtractionMode.FLAT)}


def load_facts(path: Path) -> dict[str, tuple[RecordedFact, ...]]:
    """The facts of a file in the neutral benchmark format, by the id of their conversation.

    Raises:
        InvalidArgument: the file is no JSON, or a conversation or fact of it is not as the format says; names the place.
    """
    try:
        document = json.loads(path.read_text("utf-8"))
    except (UnicodeDecodeError, json.JSONDecodeError):
        raise InvalidArgument.of("data", "is not a JSON file") from None
    conversations = document.get("conversations") if isinstance(document, dict) else None
    if not isinstance(conversations, list):
        raise InvalidArgument.of("conversations", "must be a list")
    return {
        _text(conversation, "id", f"conversations[{number}]"): tuple(
            _fact(fact, f"conversations[{number}].facts[{index}]") for index, fact in enumerate(conversation.get("facts") or ())
        )
        for number, conversation in enumerate(conversations)
    }


def _as_segment(conversation: str) -> str:
    """A conversation's id as a segment of a namespace's name, which has no other characters."""
    return re.sub(r"[^A-Za-z0-9_.-]", "_", conversation)


def _fact(fact: object, place: str) -> RecordedFact:
    evidence = fact.get("evidence") if isinstance(fact, dict) else None
    if not isinstance(evidence, list) or not evidence or not all(isinstance(one, str) and one for one in evidence):
        raise InvalidArgument.of(f"{place}.evidence", "must be a list of message ids, at least one")
    return RecordedFact(_text(fact, "text", place), _text(fact, "speaker", place), tuple(evidence))


def _text(value: object, field: str, place: str) -> str:
    text = value.get(field) if isinstance(value, dict) else None
    if not isinstance(text, str) or not text:
        raise InvalidArgument.of(f"{place}.{field}", "must be a text that is not empty")
    return text
