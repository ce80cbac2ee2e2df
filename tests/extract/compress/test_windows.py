"""What a model reads at once: everything once, never more than it has places for, and turns together where they fit."""

from hypothesis import given
from hypothesis import strategies as st

from extract.compress.windows import windows_of


@given(st.lists(st.lists(st.integers(1, 9), max_size=12), max_size=8), st.integers(4, 30))
def test_each_word_is_read_once_in_its_order(texts: list[list[int]], most: int) -> None:
    words = [(number, place) for number, counts in enumerate(texts) for place in range(len(counts))]
    ids = [at for at, (number, place) in enumerate(words) for _ in range(texts[number][place])]
    windows = windows_of(words, list(range(len(ids))), ids, most)
    assert [word for window in windows for word in window.words] == words
    for window in windows:
        assert 0 < len(window.pieces) <= most
        assert len(window.begins) == len(window.words) + 1
        assert [end - begin for begin, end in zip(window.begins, window.begins[1:], strict=False)] == [
            min(most, texts[number][place]) for number, place in window.words
        ]


def test_a_window_ends_between_turns_where_one_begins_in_its_second_half() -> None:
    words = [(0, place) for place in range(7)] + [(1, place) for place in range(6)]
    first, second = windows_of(words, list(range(13)), list(range(13)), 10)
    assert {number for number, _ in first.words} == {0}
    assert {number for number, _ in second.words} == {1}
