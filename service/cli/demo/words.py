"""An explanation in words, for who sees one for the first time."""

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from structmem import Hit

_SIGNALS = {
    "lexical": "for words that it shares with the question",
    "lexical_window": "for such words in it and its neighbours",
    "dense": "for a meaning near the question's",
    "answer": "because it answers a question about this",
    "next": "for what the reply to it says",
    "previous": "for the message before it",
    "session": "because the whole session is about this",
    "facts": "for a fact that was extracted from it",
    "evidence": "for the message that it rests on",
    "speaker": "because the question names its speaker",
    "dates": "because its time is the question's",
    "when": "because the question asks for a time and it has one",
    "names": "because the question wants a name and it has one",
    "people": "because the question asks who and it speaks of people",
    "relations": "because the question asks how people are related",
    "reasons": "because the question asks why and it gives a reason",
    "asking": "taken away because it asks itself",
    "length": "for saying much",
    "spread": "taken away because better ones stand beside it",
    "graph": "for memories that lead to it",
}


def in_words(hit: "Hit") -> str:
    """Why a hit is where it is, in a sentence: what each signal added, greatest first. Empty without an explanation."""
    if hit.explanation is None:
        return ""
    parts = sorted(hit.explanation.contributions, key=lambda part: -abs(part.points))
    reasons = [f"{part.points:.2f} {_SIGNALS.get(part.signal, f'by {part.signal}')}" for part in parts]
    return f"Why it is first: its score of {hit.score:.2f} is the sum of {', '.join(reasons)}."
