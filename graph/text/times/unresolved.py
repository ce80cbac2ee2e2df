"""Times that count from something whose own time is not known: "when I was ten", "three days later"."""

import re

_UNIT = r"(?:minute|hour|day|week|month|year|decade)s?"
_UNRESOLVED = re.compile(
    rf"\b(?:(?:when|since|until|till|before|after|while)\s+(?:I|we|he|she|they|you|my\s+\w+|[A-Z]\w+)\s+(?:was|were|turned|got|is|am)\s+"
    rf"(?:about\s+|only\s+|still\s+|just\s+|almost\s+)?(?:\d{{1,2}}|an?\s+(?:\w+\s+)?(?:kid|child|boy|girl|teenager|teen|student|baby)|young(?:er)?|little|"
    rf"small|kids|children|teenagers|students|in\s+(?:high\s+)?(?:school|college|university)|at\s+(?:school|college|university|uni)|"
    rf"(?:two|three|four|five|six|seven|eight|nine|ten|eleven|twelve|thirteen|fourteen|fifteen|sixteen|seventeen|eighteen|nineteen|twenty)\b)|"
    rf"(?:a|an|one|two|three|four|five|six|a\s+few|several|\d+)\s+{_UNIT}\s+(?:later|afterwards|earlier|before\s+that|after\s+that)|"
    rf"the\s+(?:next|following)\s+(?:day|morning|week|month|year)|the\s+(?:day|week|night|morning)\s+(?:before|after)\s+(?:the|my|our|his|her)\s+\w+|"
    rf"as\s+a\s+(?:kid|child|teenager|boy|girl|student)|back\s+then|in\s+(?:my|his|her|our|their)\s+(?:childhood|youth|teens|twenties|thirties|forties))\b",
    re.IGNORECASE,
)


def unresolved_time(text: str) -> str:
    """The words of a text that name a time which nothing in it dates; empty when there are none."""
    match = _UNRESOLVED.search(text)
    return match.group() if match else ""
