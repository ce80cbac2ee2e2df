"""Long texts in slices, so that no single step holds up other threads for long: an expression, a tokenizer or a split runs to its end."""

from collections.abc import Iterator

# About a millisecond of the slowest expressions.
SLICE = 4_096
# A slice ends at white space that stands this near its end, so that hardly a word is cut.
_NEAR = 1_024


def slices_of(text: str, size: int = SLICE, ends: tuple[str, ...] = (" ", "\n")) -> Iterator[str]:
    """The text in order, in slices of at most `size` characters; each ends after one of `ends`, the first that is found near its end.

    A short text is one slice; the slices joined are the text.
    """
    begin = 0
    while len(text) - begin > size:
        limit = begin + size
        near = limit - min(_NEAR, size // 2)
        places = ((text.rfind(end, near, limit), len(end)) for end in ends)
        cut = next((place + length for place, length in places if place >= 0), limit)
        yield text[begin:cut]
        begin = cut
    if begin < len(text):
        yield text[begin:]
