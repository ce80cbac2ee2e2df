"""What turns attend to, from what the pieces of a window do."""

import numpy as np
import pytest

from extract.compress.attention import attention_to_previous
from extract.compress.windows import Window

# Four turns of one, two, one and one word; the second word of the second has two pieces.
WINDOW = Window(((0, 0), (1, 0), (1, 1), (2, 0), (3, 0)), tuple(range(6)), (0, 1, 2, 4, 5, 6))


def test_where_all_attend_to_all_a_turn_gets_its_share_of_the_pieces() -> None:
    found = attention_to_previous(WINDOW, np.full((6, 6), 0.1, np.float32))
    assert found == {2: pytest.approx(3 / 4), 3: pytest.approx(1 / 5)}


def test_a_turn_that_looks_back_at_the_one_before_it_says_so() -> None:
    paid = np.full((6, 6), 0.01, np.float32)
    paid[5, 4] = 1.0
    # What comes later, and the turn itself, do not count.
    paid[4, 5] = paid[4, 4] = 9.0
    found = attention_to_previous(WINDOW, paid)
    assert found[3] == pytest.approx(1 / 1.04)
    assert found[2] == pytest.approx(3 / 4)


def test_it_takes_two_turns_before_one_in_the_same_window() -> None:
    apart = Window(((0, 0), (2, 0), (3, 0)), (0, 1, 2), (0, 1, 2, 3))
    assert attention_to_previous(apart, np.ones((3, 3), np.float32)) == {}
    assert attention_to_previous(WINDOW, np.zeros((6, 6), np.float32)) == {}
