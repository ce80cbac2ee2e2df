"""Whether every message was given to be extracted once: whole, or in the parts that a long one is read in."""

from collections import Counter
from collections.abc import Iterable

# Who spoke, and what.
Said = tuple[str, str]


def covered_once(said: Iterable[Said], shown: Iterable[Said]) -> int:
    """How many of the messages were shown exactly once; `shown` are whole messages, and parts of others in any order.

    A message that was shown twice does not count, as one that was never shown does not; nor does one for each part that is of none.
    """
    wanted, left = Counter(said), Counter(shown)
    covered = sum(count for message, count in wanted.items() if left[message] == count)
    parts = Counter({message: count for message, count in left.items() if message not in wanted})
    for message, count in wanted.items():
        if not left[message] and count == 1:
            covered += _takes(message, parts)
    return max(0, covered - parts.total())


def _takes(message: Said, parts: Counter[Said]) -> bool:
    """Whether the message is made of some of the parts, which are then used up."""
    speaker, text = message
    if not text:
        return True
    # Where a text repeats itself, several parts may come first: each is tried.
    for part in [one for one, count in parts.items() if count and one[0] == speaker and one[1] and text.startswith(one[1])]:
        parts[part] -= 1
        if _takes((speaker, text[len(part[1]) :]), parts):
            return True
        parts[part] += 1
    return False
