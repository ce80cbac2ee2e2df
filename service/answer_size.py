"""Keeping answers below what clients take: room that elements fill, and runs of elements that are sent at once."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import TypeVar

from google.protobuf.message import Message

from service.errors import ElementTooLarge

M = TypeVar("M", bound=Message)
# The tag and the length of an element within an answer.
_FRAME = 8
# What stands beside the elements of an answer: page token, plan, counts.
_BESIDE = 32 * 1024


@dataclass(frozen=True, slots=True)
class RunBounds:
    """How long runs are.

    Attributes:
        count, bytes: of one run; a single element that is larger is a run of its own.     largest: bytes of an answer.
    """

    count: int
    bytes: int
    largest: int


class Room:
    """What an answer of at most `limit` bytes still has room for."""

    def __init__(self, limit: int) -> None:
        self.limit = limit
        self.left = limit - _BESIDE

    def takes(self, element: Message) -> bool:
        """Whether there is room for the element, which then is taken."""
        size = element.ByteSize() + _FRAME
        if size > self.left:
            return False
        self.left -= size
        return True

    def reserve(self, elements: Iterable[Message]) -> None:
        """Keeps room for elements that may come instead of others."""
        self.left -= sum(element.ByteSize() + _FRAME for element in elements)

    def fill(self, elements: Iterable[M]) -> tuple[list[M], bool]:
        """The elements that there is room for, in their order, and whether some were left out; smaller ones after those are not."""
        taken: list[M] = []
        whole = True
        for element in elements:
            if self.takes(element):
                taken.append(element)
            else:
                whole = False
        return taken, not whole

    def need(self, element: M, id_: str, next_page_token: str = "") -> M:
        """The element, for which there must be room. Raises ElementTooLarge."""
        if not self.takes(element):
            raise ElementTooLarge(id_, element.ByteSize(), self.limit - _BESIDE - _FRAME, next_page_token)
        return element


def runs(elements: Iterable[M], bounds: RunBounds, id_of: Callable[[M], str]) -> list[list[M]]:
    """The elements in runs, each an answer of a stream; `id_of` names one that is too large.

    Raises:
        ElementTooLarge: one alone is larger than an answer may be.
    """
    found: list[list[M]] = []
    left = 0
    for element in elements:
        size = element.ByteSize() + _FRAME
        if size + _BESIDE > bounds.largest:
            raise ElementTooLarge(id_of(element), size - _FRAME, bounds.largest - _BESIDE - _FRAME)
        if not found or size > left or len(found[-1]) == bounds.count:
            found.append([])
            left = bounds.bytes
        found[-1].append(element)
        left -= size
    return found
