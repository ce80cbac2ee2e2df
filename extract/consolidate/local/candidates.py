"""What a group's sources say, as sentences that a summary may take: dated, without repetitions, each with its sources."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, tzinfo

from extract.consolidate.local.aspects import Aspect, aspect_of
from extract.consolidate.port import Source, SourceSentence
from extract.local.dating import date_note
from graph.store.port import Float16Vector
from graph.text import terms_of

# A statement is a sentence or two; what is longer is a quotation, of which the beginning tells what it is.
_MOST_TEXT = 400
_HAS_YEAR = re.compile(r"\b(?:1[89]|20)\d\d\b")


@dataclass(slots=True)
class Candidate:
    """A sentence with its terms. `order` counts what was said in the group; `source_ids` grow where another source says the same."""

    text: str
    terms: tuple[str, ...]
    source_ids: dict[str, None]
    said_at: datetime
    order: int
    aspect: Aspect | None
    dated: bool
    vector: Float16Vector | None


def candidates_of(sources: Sequence[Source], zone: tzinfo, say_when_said: bool) -> list[Candidate]:
    """The distinct sentences of the sources, in their order. `say_when_said`: those without a year tell when they were said."""
    found: dict[tuple[str, ...], Candidate] = {}
    for source in sources:
        for sentence in source.sentences:
            text = _dated(sentence, source, zone, say_when_said)
            terms = terms_of(text)
            if not terms:
                continue
            # Without the note, so that the same said on two days is one sentence.
            same = tuple(sorted(set(terms_of(sentence.text))))
            if same in found:
                found[same].source_ids[source.id] = None
                continue
            found[same] = Candidate(
                text,
                terms,
                {source.id: None},
                source.said_to,
                len(found),
                aspect_of(sentence.text),
                sentence.time is not None or _HAS_YEAR.search(sentence.text) is not None,
                sentence.vector,
            )
    return list(found.values())


def _dated(sentence: SourceSentence, source: Source, zone: tzinfo, say_when_said: bool) -> str:
    text = " ".join(sentence.text.split())
    if len(text) > _MOST_TEXT:
        text = f"{text[:_MOST_TEXT].rsplit(' ', 1)[0]} …"
    if sentence.time is not None:
        note = date_note(sentence.time, zone)
        return text if note.casefold() in text.casefold() else _with_note(text, note)
    if say_when_said and not _HAS_YEAR.search(text):
        day = source.said_to.astimezone(zone)
        return _with_note(text, f"said on {day.day} {day:%B} {day.year}")
    return text


def _with_note(text: str, note: str) -> str:
    body, end = (text[:-1], text[-1]) if text[-1:] in {".", "!"} else (text, "")
    return f"{body} ({note}){end}"
