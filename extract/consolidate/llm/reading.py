"""From the model's text to drafts: each sentence is held to what it cites, and what is left out is counted."""

import re
from collections import Counter
from dataclasses import dataclass, field
from datetime import date, tzinfo
from typing import Any

from pydantic import BaseModel
from pydantic_core import from_json

from extract.consolidate.llm.prompting import NumberedGroups
from extract.consolidate.local.titles import cut
from extract.consolidate.port import SentenceDraft, SummaryDraft
from extract.llm.answer import one_line, strict_schema
from extract.llm.dates import span_of_date
from extract.llm.reading import json_in
from extract.local.dating import date_note
from graph.text import MONTHS, terms_of

_MOST_TEXT = 800
_MOST_SENTENCES = 24
_ISO_DAY = re.compile(r"(?<!\d)(\d{4})-(\d{2})-(\d{2})(?!\d)")
_MONTH = {month: number for number, month in enumerate(MONTHS, 1)}
_DAY = re.compile(rf"(?i)(?<!\d)(\d{{1,2}})(?:st|nd|rd|th)? (?:of )?({'|'.join(MONTHS)}),? (\d{{4}})(?!\d)")


class _Sentence(BaseModel):
    text: str
    sources: list[int]
    date: str


class _Summary(BaseModel):
    summary: int
    title: str
    sentences: list[_Sentence]


class _Answer(BaseModel):
    summaries: list[_Summary]


def answer_schema() -> dict[str, Any]:
    """The JSON schema of an answer."""
    schema = strict_schema(_Answer.model_json_schema())
    assert isinstance(schema, dict)
    return schema


@dataclass(slots=True)
class Reading:
    """The drafts that can be used, by the number of their group, and of each group what was left out, counted by why."""

    drafts: dict[int, SummaryDraft] = field(default_factory=dict)
    left_out: dict[int, Counter[str]] = field(default_factory=dict)


def read_answer(text: str, shown: NumberedGroups, complete: bool) -> Reading:
    """What an answer says of the groups shown; of one that was cut off (not `complete`), what stands before the cut.

    A group is missing from the drafts where nothing that can be used is said of it; an answer that is no JSON of the form says nothing. An
    empty list of sentences does: that there is nothing worth keeping. The last list of an answer that was cut off may have lost its own.
    """
    reading = Reading()
    try:
        data = from_json(json_in(text).encode(errors="replace"), allow_partial=not complete)
    except ValueError:
        return reading
    given = data.get("summaries") if isinstance(data, dict) else None
    summaries = given if isinstance(given, list) else []
    for one in summaries:
        number = one.get("summary") if isinstance(one, dict) else None
        if not isinstance(number, int) or number not in shown.groups or number in reading.drafts:
            continue
        left_out: Counter[str] = Counter()
        draft = _draft(one, number, shown, left_out)
        says_nothing = one.get("sentences") == [] and (complete or one is not summaries[-1])
        if draft.sentences or says_nothing:
            reading.drafts[number] = draft
        reading.left_out[number] = left_out
    return reading


def _draft(data: dict[str, Any], number: int, shown: NumberedGroups, left_out: Counter[str]) -> SummaryDraft:
    sources = shown.sources[number]
    found: dict[tuple[str, ...], tuple[str, list[int]]] = {}
    sentences = data.get("sentences")
    for sentence in sentences if isinstance(sentences, list) else ():
        if not isinstance(sentence, dict) or not isinstance(sentence.get("text"), str):
            left_out["sentences that are none"] += 1
            continue
        text = one_line(sentence["text"][: 2 * _MOST_TEXT])
        cited = _cited(sentence.get("sources"), sources, left_out)
        why = _unusable(text, cited)
        if why:
            left_out[why] += 1
            continue
        same = tuple(sorted(set(terms_of(text))))
        if same in found:
            left_out["sentences that repeat another one"] += 1
            found[same][1].extend(cited)
        elif len(found) == _MOST_SENTENCES:
            left_out[f"sentences beyond {_MOST_SENTENCES}"] += 1
        else:
            found[same] = (_dated(text, sentence.get("date"), shown.groups[number].zone, left_out), cited)
    title = data.get("title")
    return SummaryDraft(
        cut(one_line(title[:_MOST_TEXT])) if isinstance(title, str) else "",
        tuple(SentenceDraft(text, tuple(sources[one].id for one in sorted(set(cited)))) for text, cited in found.values()),
    )


def _cited(numbers: object, sources: dict[int, Any], left_out: Counter[str]) -> list[int]:
    given = [one for one in numbers if isinstance(one, int) and not isinstance(one, bool)] if isinstance(numbers, list) else []
    outside = set(given) - set(sources)
    left_out["sources outside of the window"] += len(outside)
    return [one for one in given if one not in outside]


def _unusable(text: str, cited: list[int]) -> str:
    if not terms_of(text):
        return "sentences without words"
    if len(text) > _MOST_TEXT:
        return f"sentences longer than {_MOST_TEXT} characters"
    if not cited:
        return "sentences without a source"
    days = [(int(year), int(month), int(day)) for year, month, day in _ISO_DAY.findall(text)]
    days += [(int(year), _MONTH[month.lower()], int(day)) for day, month, year in _DAY.findall(text)]
    if not all(_is_day(*one) for one in days):
        return "sentences with a date that is not in the calendar"
    return ""


def _dated(text: str, iso: object, zone: tzinfo, left_out: Counter[str]) -> str:
    if not isinstance(iso, str) or not iso.strip():
        return text
    try:
        note = date_note(span_of_date(iso.strip(), zone), zone)
    except (ValueError, OverflowError):
        left_out["dates that are not in the calendar"] += 1
        return text
    if note.casefold() in text.casefold() or iso.strip() in text:
        return text
    body, end = (text[:-1], text[-1]) if text[-1:] in {".", "!"} else (text, "")
    return f"{body} ({note}){end}"


def _is_day(year: int, month: int, day: int) -> bool:
    try:
        date(year, month, day)
    except ValueError:
        return False
    return True
