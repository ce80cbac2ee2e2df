"""The values that a text names: days, times of day, amounts and numbers that identify, as they stand there.

Days are kept as words, not as dates: what "the 17th" is depends on a tense that a short message leaves out, and two texts about one thing
are compared by what they say.
"""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from graph.text import terms_of

_WORDS = {
    word: number
    for number, word in enumerate(
        ["zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten", "eleven", "twelve"]
    )
}
_HOURS = "|".join(list(_WORDS)[1:])
_MONTH = (
    r"jan(?:uary)?|feb(?:ruary)?|mar(?:ch)?|apr(?:il)?|may|june?|july?|aug(?:ust)?|sept?(?:ember)?|oct(?:ober)?|nov(?:ember)?|dec(?:ember)?"
)
_WEEKDAY = re.compile(r"\b(mon|tues?|wednes|thurs?|fri|satur|sun)days?\b")
_DAY = re.compile(
    rf"\b(?P<ordinal>\d{{1,2}})(?:st|nd|rd|th)\b|\b(?P<before>\d{{1,2}})\s+(?:of\s+)?(?P<month>{_MONTH})\b"
    rf"|\b(?P<named>{_MONTH})\.?\s+(?P<after>\d{{1,2}})\b(?!:)"
)
_NAMED_MONTH = re.compile(
    rf"\b(?:in|until|till|by|of|since|from|next|last|to|early|late|mid)\s+(?P<month>{_MONTH})\b"
    r"|\b(?P<sole>january|february|april|june|july|august|september|october|november|december)\b"
)
_CLOCK = re.compile(
    r"\b(?P<hour>[01]?\d|2[0-3])(?:[:.](?P<minute>[0-5]\d))?\s*(?P<half>am|pm|a\.m\.|p\.m\.)(?!\w)"
    r"|\b(?P<hour24>[01]?\d|2[0-3]):(?P<minute24>[0-5]\d)\b"
    r"|\b(?:at|to|until|till|from|by|around|the)\s+(?P<bare>1?\d|2[0-4])\b"
    r"(?=\s*(?:[.,;!?)]|$|o['’]clock|on\b|in the\b|instead|now|tomorrow|today|sharp|every|each))"
    r"|\bat\s+(?P<named>noon|midday|midnight)\b"
    rf"|\bhalf\s+(?:past\s+)?(?P<past>{_HOURS})\b|\b(?:at|by|until|to)\s+(?P<word>{_HOURS})\b"
    r"(?=\s*(?:[.,;!?)]|$|o['’]clock|on\b|in the\b|every|each|now|these))"
)
_AMOUNT = re.compile(
    r"(?P<sign>[€$£¥]\s?)?(?<![\w.,:-])(?P<number>\d{1,3}(?:,\d{3})+(?:\.\d+)?|\d+(?:[.,]\d+)?)(?!:\d)"
    r"\s?(?P<scale>k|bn|thousand|million)?(?![\d:])(?:\s?(?P<unit>%|€|[a-z]+))?"
)
_SPELLED = re.compile(rf"\b(?P<number>{'|'.join(list(_WORDS)[2:])})\s+(?P<unit>[a-z]{{3,}})\b")
_SCALES = {"k": 1e3, "thousand": 1e3, "million": 1e6, "bn": 1e9}
_MONEY = frozenset(["€", "euro", "euros", "eur", "dollar", "dollars", "usd", "pounds", "quid", "bucks", "francs", "chf", "gbp"])
# What follows a number and is no unit of it.
_NO_UNIT = frozenset(
    [
        "a",
        "an",
        "the",
        "and",
        "or",
        "to",
        "from",
        "in",
        "on",
        "at",
        "for",
        "of",
        "is",
        "are",
        "was",
        "were",
        "now",
        "instead",
        "per",
        "each",
        "every",
        "but",
        "so",
        "not",
        "then",
        "by",
        "with",
        "this",
        "that",
        "st",
        "nd",
        "rd",
        "th",
        "am",
        "pm",
        "o",
        "incl",
        "including",
    ]
)
_MONTHS = frozenset(["jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec"])
# Digits in groups, a version of letters and digits, an address: what identifies, and is no amount.
_CODE = re.compile(
    r"(?<!\w)\+?\d[\d().-]*[\s-][\d\s().-]{3,}\d(?!\w)|\b[\w.+-]+@[\w-]+\.[\w.]+\b|\b(?=[\w-]*\d[\w-]*\d)(?=[\w-]*[a-z])[a-z][\w-]{4,}\b"
)


@dataclass(frozen=True, slots=True)
class Values:
    """What a text names that can be compared.

    Attributes:
        days: days of a month.     weekdays, months: their first three letters.     clocks: minutes after midnight.
        amounts: numbers by their unit ("money", the stem of a word, "" for none).     codes: numbers and addresses that identify.
    """

    days: frozenset[int] = frozenset()
    weekdays: frozenset[str] = frozenset()
    months: frozenset[str] = frozenset()
    clocks: frozenset[int] = frozenset()
    amounts: Mapping[str, frozenset[float]] | None = None
    codes: frozenset[str] = frozenset()

    def __bool__(self) -> bool:
        return bool(self.days or self.weekdays or self.months or self.clocks or self.amounts or self.codes)

    @property
    def is_day(self) -> bool:
        """Whether a day is named."""
        return bool(self.days or self.weekdays or self.months)

    def differ(self, other: "Values") -> bool:
        """Whether both name something of one kind, and nothing of that kind in common."""
        if self.is_day and other.is_day:
            pairs = ((self.days, other.days), (self.weekdays, other.weekdays), (self.months, other.months))
            # "The 20th" and "Friday" may be one day.
            told = [(one, another) for one, another in pairs if one and another]
            if any(not set(one) & set(another) for one, another in told):
                return True
        if self.clocks and other.clocks and not self.clocks & other.clocks:
            # Half past seven may be meant for 19:30.
            return {clock % 720 for clock in self.clocks}.isdisjoint({clock % 720 for clock in other.clocks})
        if self.codes and other.codes and not self.codes & other.codes:
            return True
        mine, theirs = self.amounts or {}, other.amounts or {}
        return any(mine[unit].isdisjoint(theirs[unit]) for unit in mine.keys() & theirs.keys())

    def brings_other_than(self, other: "Values") -> bool:
        """Whether this names something of a kind that the other one names, and that is not among what that one names."""
        mine, theirs = self.amounts or {}, other.amounts or {}
        kinds = (
            (self.days, other.days),
            (self.weekdays, other.weekdays),
            (self.months, other.months),
            (self.clocks, other.clocks),
            (self.codes, other.codes),
        )
        return any(one and another and one - another for one, another in kinds) or any(
            mine[unit] - theirs[unit] for unit in mine.keys() & theirs.keys()
        )

    def share(self, other: "Values") -> bool:
        """Whether both name the same value of some kind."""
        mine, theirs = self.amounts or {}, other.amounts or {}
        return bool(
            self.days & other.days
            or self.weekdays & other.weekdays
            or self.clocks & other.clocks
            or self.codes & other.codes
            or any(mine[unit] & theirs[unit] for unit in mine.keys() & theirs.keys())
        )


NO_VALUES = Values()


def values_of(text: str) -> Values:
    """The values that a text names."""
    text = text.lower()
    weekdays = frozenset(match[1][:3] for match in _WEEKDAY.finditer(text))
    days: set[int] = set()
    months = {(match["month"] or match["sole"])[:3] for match in _NAMED_MONTH.finditer(text)}
    for match in _DAY.finditer(text):
        days.add(int(match["ordinal"] or match["before"] or match["after"]))
        if match["month"] or match["named"]:
            months.add((match["month"] or match["named"])[:3])
    if not any(map(str.isdigit, text)) and not _SPELLED.search(text) and "half" not in text and " at " not in text:
        return Values(frozenset(days), weekdays, frozenset(months)) if days or weekdays or months else NO_VALUES
    codes = frozenset(
        re.sub(r"[\s().-]", "", match[0]) for match in _CODE.finditer(text) if sum(map(str.isdigit, match[0])) > 3 or "@" in match[0]
    )
    bare = _DAY.sub(" ", _CLOCK.sub(" ", _CODE.sub(" ", text)))
    amounts: dict[str, set[float]] = {}
    for unit, number in _amounts(bare):
        amounts.setdefault(unit, set()).add(number)
    found = {unit: frozenset(numbers) for unit, numbers in amounts.items()}
    return Values(frozenset(days), weekdays, frozenset(months), frozenset(_clocks(text)), found or None, codes)


def _clocks(text: str) -> Iterator[int]:
    for match in _CLOCK.finditer(text):
        if match["hour"]:
            yield (int(match["hour"]) % 12 + (12 if match["half"].startswith("p") else 0)) * 60 + int(match["minute"] or 0)
        elif match["hour24"]:
            yield int(match["hour24"]) * 60 + int(match["minute24"])
        elif match["named"]:
            yield 0 if match["named"] == "midnight" else 720
        elif match["past"]:
            yield _WORDS[match["past"]] * 60 + 30
        else:
            yield int(match["bare"] or _WORDS[match["word"]]) * 60


def _amounts(text: str) -> Iterator[tuple[str, float]]:
    for match in _AMOUNT.finditer(text):
        grouped = re.search(r",\d{3}", match["number"])
        number = float(match["number"].replace(",", "" if grouped else ".")) * _SCALES.get(match["scale"] or "", 1.0)
        unit = match["unit"] or ""
        if match["sign"] or unit in _MONEY:
            yield "money", number
        elif unit[:3] not in _MONTHS or len(unit) < 3:
            year = len(match["number"]) == 4 and match["number"][:2] in ("19", "20") and not match["scale"]
            if not year:
                yield "" if unit in _NO_UNIT else _stem(unit), number
    for match in _SPELLED.finditer(text):
        if match["unit"] not in _NO_UNIT:
            yield _stem(match["unit"]), float(_WORDS[match["number"]])


def _stem(word: str) -> str:
    return next(iter(terms_of(word)), "")
