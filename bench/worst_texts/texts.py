"""Texts that cost most: what expressions, tokenizers, stemmers and rules of time find hardest, each as long as wanted."""

import random

# What is repeated. A text of each kind was slow in some part of the way of a text, or is of a kind that was in another service.
_REPEATED = {
    "emoji": "😀",
    "families": "👨‍👩‍👧‍👦",
    "hearts": "❤️ ",
    "one word": "a",
    "hex": "0123456789abcdef",
    "links": "https://a.example/b?c=d&e=f ",
    "han": "漢",
    "japanese": "日本語のテキスト",
    "thai": "ภาษาไทย",
    "korean": "가나다 ",
    "ligatures": "ﷺ",
    "square signs": "㌖",
    "marks out of order": "\u0301\u0316",
    "marks on a letter": "a" + "\u0301\u0316" * 100,
    "digits": "7",
    "numbers": "2 ",
    "marks": "\u0301",
    "accents": "e\u0301\u0302",
    "zero-width": "\u200b",
    "joiners": "\u200d",
    "controls": "\x01",
    "lines": "a\n",
    "blank lines": "x" + "\n" * 400,
    "spaces": "x" + " " * 400,
    "no-break spaces": "\u00a0x",
    "bidi": "\u202eאב\u202cab",
    "quotes": '"',
    "quoted": '"a" ',
    "brackets": "([{",
    "apostrophes": "a'",
    "curly apostrophes": "’",
    "points": ".",
    "shouting": "! ",
    "commas": ", ",
    "questions": "Where? ",
    "names": ", Aaa",
    "and": "Ana and ",
    "dates": "on 8 May 2023, ",
    "days": "May 7 to ",
    "ranges": "May 3-5 ",
    "weekdays": "Monday ",
    "iso dates": "2023-05-08 ",
    "may": "may ",
    "since": "since May, ",
    "pronouns": "She was on Monday with my sister Ruth because it rained, so that ",
    "greetings": "hello Tom, ",
    "always": "please always ",
    "lists": "- item\n",
    "code": "```",
}


# Runs of digits that hardly repeat, from how many to how many digits: each is a term of its own, and nothing kept of the last ones helps.
_DIGIT_RUNS = {"digit runs": (1, 12), "long digit runs": (40, 40), "years": (4, 4)}
KINDS = (*_REPEATED, *_DIGIT_RUNS)


def worst_text(kind: str, characters: int) -> str:
    """So many characters of a kind; of the same kind and length, the same ones."""
    if kind in _DIGIT_RUNS:
        return _digit_runs(*_DIGIT_RUNS[kind], characters)
    sign = _REPEATED[kind]
    return (sign * (characters // len(sign) + 1))[:characters]


def _digit_runs(shortest: int, longest: int, characters: int) -> str:
    chance = random.Random(longest)
    runs: list[str] = []
    room = characters
    while room > 0:
        run = "".join(chance.choices("0123456789", k=chance.randint(shortest, longest)))
        runs.append(run)
        room -= len(run) + 1
    return " ".join(runs)[:characters]
