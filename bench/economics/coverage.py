"""Whether every message was given to be extracted once: whole, in the parts that a long one is read in, or compressed."""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC

from bench.dataset import ChatMessage, Conversation
from bench.economics.shown import ShownMessage
from extract.compress.choosing import read_texts

# Messages of one session as they follow each other.
Run = tuple[ChatMessage, ...]


@dataclass(frozen=True, slots=True)
class Coverage:
    """How many messages were shown exactly once, and which messages each run showed, its context included."""

    covered: int
    runs: tuple[Run, ...]


def coverage(conversation: Conversation, shown: Iterable[Sequence[ShownMessage]], compressed: bool) -> Coverage:
    """Finds each run that was shown in the conversation, by speakers, times and texts, and reads what was shown of each message.

    A message that was shown twice is not covered, as one that was never shown is not; nor is one for each line that is of none.
    `compressed`: whether words may be missing.
    """
    texts: dict[str, list[str]] = defaultdict(list)
    runs: list[Run] = []
    strange = 0
    for lines in shown:
        own = [not line.before for line in lines]
        # Where several runs look alike, the first that has not been shown is meant.
        found = min(
            _places(conversation, lines),
            key=lambda run: sum(message.id in texts for message, is_own in zip(run, own, strict=True) if is_own),
            default=None,
        )
        if found is None:
            strange += sum(own)
            continue
        runs.append(found)
        for message, line in zip(found, lines, strict=True):
            if not line.before:
                texts[message.id].append(line.text)
    covered = sum(_is_shown_once(message.text, texts.get(message.id, []), compressed) for message in conversation.messages)
    return Coverage(max(0, covered - strange), tuple(runs))


def _places(conversation: Conversation, lines: Sequence[ShownMessage]) -> Iterator[Run]:
    """Every run of messages that the lines may stand for."""
    for session in conversation.sessions:
        for start in range(len(session.messages) - len(lines) + 1):
            run = session.messages[start : start + len(lines)]
            if all(map(_may_be, lines, run)):
                yield run


def _may_be(line: ShownMessage, message: ChatMessage) -> bool:
    if line.speaker != message.speaker or line.minute not in ("", f"{message.sent_at.astimezone(UTC):%Y-%m-%d %H:%M}"):
        return False
    # Of context the beginning is shown. Parts are cut, and compressed texts are parted by lines, where white space was.
    return line.before or _in_order("".join(line.text.split()), message.text)


def _is_shown_once(text: str, shown: Sequence[str], compressed: bool) -> bool:
    """Whether these are, one after the other, the parts of the text or of what a compressor may leave of it."""
    told = "".join(shown)
    if told == text:
        return len(shown) == 1 or bool(text)
    if not compressed or not told:
        return False
    [whole] = read_texts([text], ())
    words = [word.written for word in whole.words]
    must_stay = [word for word, stays in zip(words, whole.stays, strict=True) if stays]
    return _in_order(must_stay, told.split()) and _in_order(told.split(), words)


def _in_order(some: Iterable[str], of: Iterable[str]) -> bool:
    """Whether all of these stand among those, in this order."""
    left = iter(of)
    return all(one in left for one in some)
