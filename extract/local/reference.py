"""Who "she", "he" and "they" are, and where "there" is: the nearest mention that fits, in what the session said just before.

Where two fit equally, or none, the pronoun stays as it is. Nobody who speaks is meant by a pronoun of the third person.
"""

import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache

from extract.local.given_names import pronoun_of_name
from extract.local.kinship import ADJECTIVE, ANIMALS, PEOPLE, PERSONS, TITLES, pronoun_of
from extract.local.names import names_in
from extract.local.person import Voices
from extract.local.sentences import sentences_of
from graph.model import EntityKind

_NAME = rf"(?:(?:{TITLES})\s+)?[A-ZÀ-ÖØ-Þ][\w-]+(?:\s+[A-ZÀ-ÖØ-Þ][\w-]+)?"
_KIN = re.compile(
    rf"\b(?P<owner>[Mm]y|[Oo]ur|[Yy]our|{_NAME}['’]s)\s+(?P<phrase>{ADJECTIVE}(?:(?P<many>{PEOPLE}|(?:{ANIMALS})s)|(?P<kin>{PERSONS})|(?P<pet>{ANIMALS})))\b"
    rf"(?!['’]s\b)(?:,?\s+(?:(?:is\s+|was\s+)?(?:called|named)\s+)?(?P<name>{_NAME})\b(?!['’]))?"
)
_ROLE = re.compile(
    r"\b[Tt]he\s+(?P<phrase>landlord|landlady|doctor|dentist|teacher|plumber|electrician|vet|nurse|coach|boss|manager|midwife|"
    r"kids|twins|baby|neighbours|neighbors)\b"
)
# "Mum" as a name is one's own.
_PARENT = re.compile(r"(?<![\w'’])(?P<kin>Mum|Mom|Mummy|Dad|Daddy|Grandma|Grandpa|Granny|Nan)\b(?!['’]|\s+[A-Z])")
_PAIR = re.compile(rf"\b(?P<both>{_NAME}\s+and\s+{_NAME})\b")
_PRONOUN = re.compile(r"\b(?P<word>she|he|they|him|them|his|hers|her|their|there)\b(?P<tail>['’](?:s|ll|d|re|ve))?", re.IGNORECASE)
_NEEDED = re.compile(r"\b(?:she|he|they|him|them|his|her|their|there)\b", re.IGNORECASE)
# "There is a lake" names no place; "there" does after what one does somewhere.
_PLACED = re.compile(r"\b(?:is|are|was|were|['’]s|be|been|isn['’]t|wasn['’]t)\b", re.IGNORECASE)
_OPENS_CLAUSE = re.compile(
    r"(?:[,;:—–-]|\b(?:and|but|that|because|if|when|so|think|said|know|says|where|while|than|hope))\s*$", re.IGNORECASE
)
_POSSESSED = re.compile(r"\s+(?!(?:and|or|but|in|on|at|to|for|with|from|about|of|by|that|this|a|an|the|again|today|yesterday|"
                        r"tomorrow|every|"
                        r"last|next|when|because|so|if|as|up|out|off|more|most|who|what|how|there|here|later|soon|my|your|"
                        r"some|not|go|do|is|was)\b)\w")  # fmt: skip
_PERSONS = {
    "she": "she",
    "her": "she",
    "hers": "she",
    "he": "he",
    "him": "he",
    "his": "he",
    "they": "they",
    "them": "they",
    "their": "they",
}
_MOST_SENTENCES = 12
_PARTICIPLES = re.compile(
    r"\s+(?:\w+ly\s+|just\s+|also\s+|never\s+|always\s+|already\s+)?(?:been|got|had|gone|done|taken|made|seen|become)\b"
)


@dataclass(frozen=True, slots=True)
class Antecedent:
    """Something that a pronoun may stand for: how it is called, the pronoun that it takes ("" for she or he, "there" for a place)."""

    name: str
    pronoun: str
    subject: bool = False

    def fits(self, pronoun: str) -> bool:
        """Whether the pronoun may stand for it."""
        return self.pronoun == pronoun or (self.pronoun == "" and pronoun in {"she", "he"})


class References:
    """What was mentioned before, nearest last, and the pronouns of what comes next resolved to it."""

    def __init__(self, earlier: Callable[[], Sequence[tuple[str, Voices]]], voices: Voices, people: frozenset[str]) -> None:
        """`earlier` gives the texts of the messages before, oldest first, with who speaks in them; `people` are those who speak."""
        self._earlier = earlier
        self._voices = voices
        self._people = people
        self._here: list[str] = []

    def note(self, sentence: str) -> None:
        """This sentence of the message was read; what comes next may refer to it."""
        self._here.append(sentence)

    def resolve(self, sentence: str) -> tuple[str, str]:
        """The sentence with its first pronoun of each kind replaced, and whom it then begins with; as it is where that cannot be told."""
        if not _NEEDED.search(sentence):
            return sentence, ""
        out, at, about, done = [], 0, "", set[str]()
        own = _mentions(sentence, self._voices, self._people)
        for match in _PRONOUN.finditer(sentence):
            word = match["word"].casefold()
            pronoun = _PERSONS.get(word, "there")
            if pronoun in done or (pronoun == "there" and not _names_place(sentence, match)):
                continue
            done.add(pronoun)
            if any(one.fits(pronoun) and -1 < sentence.find(one.name.rpartition(" ")[2]) < match.start() for one in own):
                continue
            found = self._nearest(pronoun)
            if not found or found.casefold() in sentence.casefold():
                continue
            out.append(sentence[at : match.start()] + _written(found, word, match, sentence))
            at = match.end()
            about = found if match.start() == 0 else about
        whole = "".join(out) + sentence[at:]
        return whole[:1].upper() + whole[1:], about

    def _nearest(self, pronoun: str) -> str:
        for text, voices in (*((one, self._voices) for one in reversed(self._here)), *reversed(self._earlier())):
            mentions = _mentions(text, voices, self._people)
            fitting = [one for one in mentions if one.fits(pronoun) and one.name not in self._people]
            names = list(dict.fromkeys(one.name for one in fitting))
            if len(names) > 1:
                certain = list(dict.fromkeys(one.name for one in fitting if one.pronoun == pronoun))
                subject = [one.name for one in fitting if one.subject]
                names = certain if len(certain) == 1 else subject if pronoun not in {"they", "there"} and not certain else names
            if names:
                return names[0] if len(names) == 1 else ""
        return ""


def _names_place(sentence: str, match: re.Match[str]) -> bool:
    """Whether "there" is where something is, unlike in "and there was a lake"."""
    if match.start() == 0 or match["tail"]:
        return False
    return not _PLACED.match(sentence[match.end() :].lstrip()) or not _OPENS_CLAUSE.search(sentence[: match.start()])


def _written(name: str, word: str, match: re.Match[str], sentence: str) -> str:
    tail = (match["tail"] or "").replace("’", "'")
    rest = sentence[match.end() :]
    if word == "there":
        return f"in {name}"
    if word in {"his", "their", "hers"} or (word == "her" and _POSSESSED.match(rest)):
        return f"{name}'s"
    if tail == "'s":
        return f"{name} {'has' if _PARTICIPLES.match(rest) else 'is'}"
    return name + {"'ll": " will", "'d": " would", "'re": " are", "'ve": " have"}.get(tail, "")


@lru_cache(maxsize=256)
def _mentions(text: str, voices: Voices, people: frozenset[str]) -> tuple[Antecedent, ...]:
    """What a text mentions that a pronoun may stand for, in its order, each once."""
    found: dict[str, Antecedent] = {}
    for sentence in sentences_of(text)[:_MOST_SENTENCES]:
        for one in _of_sentence(sentence, voices.speaker, voices.listener, people):
            found.setdefault(one.name, one)
    return tuple(found.values())


def _of_sentence(sentence: str, speaker: str, listener: str, people: frozenset[str]) -> Iterator[Antecedent]:
    taken: set[str] = set()
    for match in _KIN.finditer(sentence):
        owner = {"my": speaker, "our": speaker, "your": listener}.get(match["owner"].casefold(), match["owner"][:-2])
        if not owner:
            continue
        pronoun = pronoun_of(match["kin"] or "") if match["kin"] else "they" if match["many"] else ""
        name = match["name"] if match["name"] and not match["many"] else f"{owner}'s {match['phrase']}"
        taken.update((name, owner, match["name"] or ""))
        yield Antecedent(name, pronoun or pronoun_of_name(name), match.start() < 5)
    for match in _ROLE.finditer(sentence):
        phrase = match["phrase"]
        yield Antecedent(f"the {phrase}", pronoun_of(phrase), match.start() < 5)
    for match in _PARENT.finditer(sentence):
        yield Antecedent(f"{speaker}'s {match['kin'].casefold()}", pronoun_of(match["kin"]), match.start() == 0)
    for match in _PAIR.finditer(sentence):
        yield Antecedent(match["both"], "they", match.start() < 5)
    for mention in names_in(sentence, people):
        if mention.name in taken:
            continue
        if mention.kind is EntityKind.PERSON:
            yield Antecedent(mention.name, pronoun_of_name(mention.name), sentence.startswith(mention.name))
        elif mention.kind is EntityKind.PLACE:
            yield Antecedent(mention.name, "there")
