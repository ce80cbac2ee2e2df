"""Citations of a model's answer: read in pieces of any size, checked against what the model read, numbered anew."""

from datetime import UTC, datetime

import pytest

from extract.llm.citations import CitationReader, Rejection, holds
from graph.model import NodeKind
from graph.retrieval import ContextEntry

SAID = datetime(2023, 5, 8, 13, 56, tzinfo=UTC)


def memory(place: int, text: str) -> ContextEntry:
    return ContextEntry("acme", f"msg_{place}", NodeKind.MESSAGE, f"2023-05-08 Mon 13:56 {text}", SAID, "Sam", (f"msg_{place}",), place)


MEMORIES = [
    memory(1, "Sam: I moved to Bruges in May."),
    memory(2, 'Ana: Sam said "never again" to Ghent.'),
    memory(3, "Ana: 我搬到了里斯本。"),
]


def read(answer: str, size: int = 10_000) -> tuple[str, CitationReader]:
    """The text that is shown of an answer which comes in pieces of this size."""
    reader = CitationReader(MEMORIES)
    pieces = [reader.read(answer[start : start + size]) for start in range(0, len(answer), size)]
    return "".join((*pieces, reader.end())), reader


@pytest.mark.parametrize("size", [1, 2, 5, 10_000])
@pytest.mark.parametrize(
    ("answer", "shown", "cited", "rejected"),
    [
        ('Sam lives in Bruges [1: "moved to Bruges in May"].', "Sam lives in Bruges [1].", ["msg_1"], []),
        ('Not Ghent [2: "never again"], but Bruges [1].', "Not Ghent [1], but Bruges [2].", ["msg_2", "msg_1"], []),
        ('Bruges [1: "Bruges", 2: "Ghent"] [1].', "Bruges [1, 2] [1].", ["msg_1", "msg_2"], []),
        ('Sam said so [2: "Sam said "never again" to Ghent"].', "Sam said so [1].", ["msg_2"], []),
        ("Lisbon [3: “搬到了里斯本”]。", "Lisbon [1]。", ["msg_3"], []),
        ('Bruges [1: "I  MOVED to … in May."]!', "Bruges [1]!", ["msg_1"], []),
        ("He lives in Rome [7]. So he does.", "He lives in Rome. So he does.", [], [Rejection.NO_SUCH_MEMORY]),
        ('He lives in Rome [1: "moved to Rome"].', "He lives in Rome.", [], [Rejection.WORDS_NOT_FOUND]),
        ('Bruges [1: "moved to Rome"] [1: "Bruges"]', "Bruges [1]", ["msg_1"], [Rejection.WORDS_NOT_FOUND]),
        ("Bruges [0][1, 99].", "Bruges[1].", ["msg_1"], [Rejection.NO_SUCH_MEMORY, Rejection.NO_SUCH_MEMORY]),
        ("See [the list](http://x) at [10:30] and [1", "See [the list](http://x) at [10:30] and [1", [], []),
        ("<think>Which? [9] Sam.</think>\n\nBruges [1].", "Bruges [1].", ["msg_1"], []),
        ("<think>Which? [9] Sam lives", "", [], []),
        ("", "", [], []),
    ],
)
def test_marks_are_checked_and_numbered(size: int, answer: str, shown: str, cited: list[str], rejected: list[Rejection]) -> None:
    text, reader = read(answer, size)
    assert text == shown
    assert [citation.memory.node_id for citation in reader.citations] == cited
    assert [citation.number for citation in reader.citations] == list(range(1, len(cited) + 1))
    assert [one.reason for one in reader.rejected] == rejected
    assert not reader.not_in_memory


@pytest.mark.parametrize("size", [1, 4, 10_000])
@pytest.mark.parametrize("marker", ["NOT_IN_MEMORY\n", "NOT_IN_MEMORY: ", "**NOT_IN_MEMORY**\n\n", " not_in_memory".upper() + " - "])
def test_what_is_not_in_memory_is_marked_and_not_shown(size: int, marker: str) -> None:
    text, reader = read(f"{marker}They do not say where Tom lives.", size)
    assert (text, reader.not_in_memory) == ("They do not say where Tom lives.", True)


def test_a_marker_alone_is_an_answer() -> None:
    text, reader = read("NOT_IN_MEMORY")
    assert (text, reader.not_in_memory) == ("", True)


def test_the_quotes_of_a_memory_are_kept_once_each() -> None:
    _, reader = read('[1: "Bruges"] and [1: "in May"] and [1: "Bruges"] and [1]')
    [citation] = reader.citations
    assert citation.quotes == ("Bruges", "in May")


def test_the_text_does_not_wait_for_its_end() -> None:
    reader = CitationReader(MEMORIES)
    assert reader.read("Sam has lived there since May and ") == "Sam has lived there since May and"
    assert reader.read("likes it [1") == " likes it"
    assert reader.read(': "Bru') == ""
    assert reader.read('ges"] ') == " [1]"


def test_brackets_without_an_end_are_text_and_take_no_time() -> None:
    answer = "[1: " + '"a", 1: ' * 400 + "["
    text, reader = read(answer, 3)
    assert text == answer
    assert reader.citations == ()


@pytest.mark.parametrize(
    ("quote", "held"),
    [
        ("", True),
        ("moved to bruges", True),
        ("I moved … May", True),
        ("May ... moved", False),
        ("ove to Bru", False),
        ("moved to Bruges in May 2023", False),
        ("2023-05-08", True),
    ],
)
def test_quoted_words_stand_in_the_memory(quote: str, held: bool) -> None:
    assert holds(MEMORIES[0].text, quote) is held
