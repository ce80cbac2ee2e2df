import pytest

from bench.qa.f1 import f1


@pytest.mark.parametrize(
    ("category", "given", "expected", "score"),
    [
        ("single-hop", "The adoption agencies", "adoption agency", 1.0),
        ("single-hop", "7 May 2023", "7 May, 2023", 1.0),
        # Two of the three words of one are two of the four of the other.
        ("temporal", "on 7 May", "7 May 2023, Sunday", 4 / 7),
        ("single-hop", "a dog", "a cat", 0.0),
        ("single-hop", "", "cat", 0.0),
        ("single-hop", "the", "a", 0.0),
        # An occurrence counts once.
        ("single-hop", "cat cat", "cat", 2 / 3),
        ("open-domain", "likely yes", "Likely yes; he has a canoe", 1.0),
        ("single-hop", "likely yes", "Likely yes; he has a canoe", 2 * 2 / (2 + 5)),
        # Each expected part by the part that fits it best.
        ("multi-hop", "canoe, a cat", "cat, canoe", 1.0),
        ("multi-hop", "pottery", "pottery, swimming", 0.5),
        ("multi-hop", "cat", "grey cat, boat", (2 / 3) / 2),
    ],
)
def test_words_count_as_the_authors_of_locomo_count_them(category: str, given: str, expected: str, score: float) -> None:
    assert f1(category, given, expected) == pytest.approx(score)
