"""What an assistant's message states: that it recommended or listed something. Its prose is not taken for facts about anyone."""

import re

from extract.local.sentences import sentences_of

_ITEM = re.compile(r"^[ \t]*(?:[-*•‣]|\d{1,2}[.)])\s+(?:\*\*|__)?(?P<title>[^\n*_:]{2,80})", re.MULTILINE)
_CODE = re.compile(r"```.*?(?:```|\Z)", re.DOTALL)
_ADVICE = re.compile(
    r"\b(?:recommend|suggest|advise|you (?:should|could|might want to)|consider|I['’]d (?:go|try|pick)|try)\b", re.IGNORECASE
)
MOST_ITEMS = 12
# Longer answers are read to here.
MOST_READ = 40_000
MOST_ADVICE = 2
_TITLE_WORDS = 8
_LONGEST = 300


def advice_of(text: str, question: str, speaker: str) -> list[str]:
    """At most three statements: the titles of a list, and the first sentences that recommend. `question` is what had been asked."""
    found: list[str] = []
    text = _CODE.sub("\n", text[:MOST_READ])
    asked = f' when asked "{_short(question)}"' if question else ""
    titles = [" ".join(match["title"].split()[:_TITLE_WORDS]).strip(" .-–") for match in _ITEM.finditer(text)]
    if len(titles) > 1:
        found.append(f"{speaker} listed{asked}: {', '.join(titles[:MOST_ITEMS])}.")
    prose = [
        one for one in sentences_of(_ITEM.sub("\n", text)) if _ADVICE.search(one) and one.endswith((".", "!")) and len(one.split()) > 4
    ]
    found.extend(f'{speaker} said{asked if not titles else ""}: "{_short(one)}"' for one in prose[:MOST_ADVICE])
    return found


def _short(text: str) -> str:
    return text if len(text) <= _LONGEST else text[:_LONGEST].rsplit(" ", 1)[0] + " …"
