"""The vocabulary of time expressions: months, weekdays, numbers, units, and the pieces of patterns made of them."""

import re

MONTHS = {
    name: number
    for number, names in enumerate(
        (
            ("january", "jan"),
            ("february", "feb"),
            ("march", "mar"),
            ("april", "apr"),
            ("may",),
            ("june", "jun"),
            ("july", "jul"),
            ("august", "aug"),
            ("september", "sept", "sep"),
            ("october", "oct"),
            ("november", "nov"),
            ("december", "dec"),
        ),
        start=1,
    )
    for name in names
}
WEEKDAYS = {
    name: number
    for number, names in enumerate(
        (
            ("monday", "mon"),
            ("tuesday", "tues", "tue"),
            ("wednesday", "weds", "wed"),
            ("thursday", "thurs", "thur", "thu"),
            ("friday", "fri"),
            ("saturday", "sat"),
            ("sunday", "sun"),
        )
    )
    for name in names
}
NUMBERS = {
    name: number
    for number, name in enumerate(
        (
            "zero",
            "one",
            "two",
            "three",
            "four",
            "five",
            "six",
            "seven",
            "eight",
            "nine",
            "ten",
            "eleven",
            "twelve",
            "thirteen",
            "fourteen",
            "fifteen",
            "sixteen",
            "seventeen",
            "eighteen",
            "nineteen",
            "twenty",
        )
    )
} | {"a": 1, "an": 1, "thirty": 30, "forty": 40, "fifty": 50}

# Vague counts, as the least and the most that people mean by them.
VAGUE = {"couple": (1, 3), "few": (2, 5), "several": (3, 7)}

# Hours of a day's parts; past 24 is the next day.
DAY_PARTS = {"morning": (5, 12), "afternoon": (12, 18), "evening": (18, 24), "night": (18, 28)}

DECADES = {
    "twenties": 2020,
    "thirties": 1930,
    "forties": 1940,
    "fifties": 1950,
    "sixties": 1960,
    "seventies": 1970,
    "eighties": 1980,
    "nineties": 1990,
}


def _any(words: object) -> str:
    return "|".join(sorted((str(word) for word in words), key=len, reverse=True))  # type: ignore[attr-defined]


MONTH = rf"(?:{_any(MONTHS)})\b\.?"
WEEKDAY = rf"(?:{_any(WEEKDAYS)})\b\.?"
FULL_WEEKDAY = "(?:mon|tues|wednes|thurs|fri|satur|sun)day"
DAY = r"(?:0?[1-9]|[12]\d|3[01])(?:st|nd|rd|th)?\b"
YEAR = r"(?:1[89]|20)\d\d\b(?![.,/:]\d)"
PART = f"(?:{_any(DAY_PARTS)})"
UNIT = "(?:second|minute|hour|day|week|weekend|month|year|decade)s?"
COUNT = (
    rf"(?:(?:a\s+|the\s+)?(?:couple(?:\s+of)?|few|several)|\d{{1,4}}|(?:{_any(w for w in NUMBERS if len(w) > 2)})"
    r"(?:-(?:one|two|three|four|five|six|seven|eight|nine))?|an?(?:\s+half)?|half\s+an?)"
)

# The words of which a text has one when it can match a rule; a number stands as "#".
MONTH_WORDS = frozenset(MONTHS)
WEEKDAY_WORDS = frozenset(WEEKDAYS) | {f"{day}s" for day in WEEKDAYS}
PART_WORDS = frozenset(DAY_PARTS) | {f"{part}s" for part in DAY_PARTS}
UNIT_WORDS = frozenset(
    f"{unit}{s}" for unit in ("second", "minute", "hour", "day", "week", "weekend", "month", "year", "decade") for s in ("", "s")
)
SEASON_WORDS = frozenset(f"{season}{tail}" for season in ("spring", "summer", "autumn", "fall", "winter") for tail in ("", "s", "time"))
DIGIT = frozenset({"#"})
_WORD = re.compile(r"[a-z]+")
_NUMBER = re.compile(r"\d")


def words_and_numbers(text: str) -> frozenset[str]:
    """The words of a text, in lower case, and "#" if there is a number in it."""
    words = frozenset(_WORD.findall(text.lower()))
    return words | DIGIT if _NUMBER.search(text) else words


def month_number(word: str) -> int:
    """1 to 12."""
    return MONTHS[word.strip(".").casefold()]


def weekday_number(word: str) -> int:
    """0 is Monday."""
    return WEEKDAYS[word.strip(".").casefold()]


def count_range(words: str) -> tuple[int, int] | None:
    """What a count means at least and at most: "three" is (3, 3), "a few" is (2, 5). None for parts of one."""
    tokens = words.casefold().replace("-", " ").split()
    for token in tokens:
        if token in VAGUE:
            return VAGUE[token]
    if "half" in tokens:
        return None
    if tokens[0].isdigit():
        return int(tokens[0]), int(tokens[0])
    number = sum(NUMBERS.get(token, 0) for token in tokens)
    return number, number
