"""What words and turns attend to, from what the pieces of a window do."""

import numpy as np
import pytest

from extract.compress.attention import Attention
from extract.compress.choosing import read_texts
from extract.compress.windows import Window

READ = read_texts(["the red boat", "a garden"], ())
# "boat" and "garden" have two pieces.
WINDOW = Window(((0, 0), (0, 1), (0, 2), (1, 0), (1, 1)), tuple(range(7)), (0, 1, 2, 4, 5, 7))


def test_where_all_attend_to_all_each_word_is_paid_one() -> None:
    attention = Attention(READ)
    attention.add(WINDOW, np.full((7, 7), 0.1, np.float32))
    np.testing.assert_allclose(attention.of(0, (True, True, True)), 1, rtol=1e-6)
    np.testing.assert_allclose(attention.of(1, (False, True)), [1], rtol=1e-6)
    assert attention.to_previous(1) == pytest.approx(4 / 7)
    assert attention.to_previous(0) is None


def test_a_word_to_which_all_attend_is_the_peak_and_a_turn_that_looks_back_says_so() -> None:
    paid = np.full((7, 7), 0.01, np.float32)
    paid[:, 2] = 1.0
    attention = Attention(READ)
    attention.add(WINDOW, paid)
    first, second, boat = attention.of(0, (True, True, True))
    assert boat > 3 > 1 > first == second
    back = attention.to_previous(1)
    assert back is not None
    assert back > 0.95


def test_turns_of_different_windows_say_nothing_of_each_other() -> None:
    attention = Attention(READ)
    attention.add(Window(((0, 0),), (1,), (0, 1)), np.ones((1, 1), np.float32))
    attention.add(Window(((1, 0), (1, 1)), (1, 2), (0, 1, 2)), np.ones((2, 2), np.float32))
    assert attention.to_previous(1) is None
