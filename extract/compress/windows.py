"""What a model reads in one pass: the pieces of words of one or more texts, as many as it has positions for."""

from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Window:
    """Words by number of text and place in it, the pieces of all of them, and where those of each word begin; one end more."""

    words: tuple[tuple[int, int], ...]
    pieces: tuple[int, ...]
    begins: tuple[int, ...]

    def by_word(self, of_pieces: Sequence[float]) -> list[float]:
        """Means over the pieces of each word."""
        return [sum(of_pieces[begin:end]) / (end - begin) for begin, end in zip(self.begins, self.begins[1:], strict=False)]


def windows_of(words: Sequence[tuple[int, int]], pieces: Sequence[int], word_ids: Sequence[int | None], most: int) -> list[Window]:
    """Cuts words into windows of at most so many pieces, between texts where one begins in the second half of a window, else between words.

    A word of more pieces is judged by its first ones, and one of no pieces (signs that the model does not know) by nobody.
    """
    of_word: dict[int, list[int]] = {}
    for piece, number in zip(pieces, word_ids, strict=True):
        if number is not None:
            of_word.setdefault(number, []).append(piece)
    windows: list[Window] = []
    running: list[int] = []
    length = 0
    for number, own in of_word.items():
        while running and length + len(own[:most]) > most:
            cut = _cut(words, running, of_word, most)
            windows.append(_window(words, running[:cut], of_word, most))
            running = running[cut:]
            length = sum(len(of_word[one][:most]) for one in running)
        running.append(number)
        length += len(own[:most])
    if running:
        windows.append(_window(words, running, of_word, most))
    return windows


def _cut(words: Sequence[tuple[int, int]], running: Sequence[int], of_word: dict[int, list[int]], most: int) -> int:
    """How many of the running words the window takes."""
    length = sum(len(of_word[one][:most]) for one in running)
    for count in range(len(running) - 1, 0, -1):
        length -= len(of_word[running[count]][:most])
        if length < most // 2:
            break
        if words[running[count]][0] != words[running[count - 1]][0]:
            return count
    return len(running)


def _window(words: Sequence[tuple[int, int]], numbers: Sequence[int], of_word: dict[int, list[int]], most: int) -> Window:
    begins = [0]
    pieces: list[int] = []
    for number in numbers:
        pieces += of_word[number][:most]
        begins.append(len(pieces))
    return Window(tuple(words[number] for number in numbers), tuple(pieces), tuple(begins))
