"""What the local model says: answers with every field of the schema, of the declared length, about what the request shows.

They are evidence of what calls cost, and of nothing else: their words are those of the messages, not what a model would make of them.
"""

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from bench.economics.shown import ShownMessage, memories_in, messages_in, step_of
from extract.tokens import count_tokens

# What else is said: an event binds three facts, of which the first one has a date, and one message in eight names something.
_FACTS_AN_EVENT = 3
_MESSAGES_AN_ENTITY = 8
_MOST_SENTENCES = 8


@dataclass(frozen=True, slots=True)
class AnswerLength:
    """How much is said.

    Attributes:
        messages_a_fact: a fact is made of every so many messages.
        fact_tokens: how long its text is.
        memories_a_sentence: a sentence of a summary is made of every so many events or summaries, at most eight a summary.
        sentence_tokens: how long it is.
    """

    messages_a_fact: float
    fact_tokens: int
    memories_a_sentence: int
    sentence_tokens: int

    def answer(self, body: Mapping[str, Any]) -> str:
        """The answer to a request, as compact JSON."""
        if step_of(body) != "extraction":
            said: object = {"summaries": list(self._summaries(body))}
        elif "events" in body["response_format"]["json_schema"]["schema"]["properties"]:
            said = self._events(messages_in(body))
        else:
            said = {"facts": self._facts(self._chosen(messages_in(body)))}
        return json.dumps(said, ensure_ascii=False, separators=(",", ":"))

    def _chosen(self, shown: list[ShownMessage]) -> list[ShownMessage]:
        own = [one for one in shown if one.own]
        count = round(len(own) / self.messages_a_fact)
        return [own[min(len(own) - 1, int(place * self.messages_a_fact))] for place in range(count)]

    def _facts(self, chosen: list[ShownMessage]) -> list[dict[str, object]]:
        return [
            {
                "text": _of_length(f"{one.speaker} said that {one.text}", self.fact_tokens),
                "messages": [one.number],
                "when": "",
                "date": "" if place % _FACTS_AN_EVENT else one.day,
                "confidence": 0.9,
            }
            for place, one in enumerate(chosen)
        ]

    def _events(self, shown: list[ShownMessage]) -> dict[str, object]:
        chosen = self._chosen(shown)
        events = []
        for part in dict.fromkeys(one.part for one in chosen):
            of_part = [one for one in chosen if one.part == part]
            for start in range(0, len(of_part), _FACTS_AN_EVENT):
                bound = of_part[start : start + _FACTS_AN_EVENT]
                shortened = [{"subject": one.speaker, "predicate": "said_that", "object": _of_length(one.text, 3)} for one in bound]
                facts = [fact | short for fact, short in zip(self._facts(bound), shortened, strict=True)]
                events.append({"title": _of_length(of_part[start].text, 6), "facts": facts, "relations": [], "causes": []})
        own = [one for one in shown if one.own]
        entities = [{"name": _of_length(one.text, 2), "type": "concept", "messages": [one.number]} for one in own[::_MESSAGES_AN_ENTITY]]
        return {"events": events, "entities": entities}

    def _summaries(self, body: Mapping[str, Any]) -> Iterator[dict[str, object]]:
        shown = memories_in(body)
        for summary in dict.fromkeys(one.summary for one in shown):
            memories = [one for one in shown if one.summary == summary]
            count = min(_MOST_SENTENCES, -(-len(memories) // self.memories_a_sentence))
            sentences = []
            for place in range(count):
                cited = memories[place * len(memories) // count : (place + 1) * len(memories) // count]
                text = _of_length(cited[0].text, self.sentence_tokens)
                sentences.append({"text": text, "sources": [one.number for one in cited], "date": ""})
            yield {"summary": summary, "title": _of_length(memories[0].text, 6), "sentences": sentences}


def _of_length(text: str, tokens: int) -> str:
    """The beginning of a text, of so many tokens; one that is shorter is said again."""
    words = text.split() or ["nothing"]
    words *= 1 + tokens // len(words)
    while len(words) > 1 and count_tokens(" ".join(words)) > tokens:
        words = words[: max(1, min(len(words) - 1, len(words) * tokens // count_tokens(" ".join(words))))]
    return " ".join(words)
