from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from graph.text import date_terms, terms_of


@pytest.mark.parametrize(
    ("text", "terms"),
    [
        ("Ana's dogs were running", ("ana", "dog", "run")),
        ("Ana’s dogs", ("ana", "dog")),
        ("the 8th of the 3rd, 2nd and 1st", ("8", "3", "2", "1")),
        ("Zoë's CAFÉ", ("zoe", "cafe")),
        ("東京タワー", ("東京", "京タ", "タワ", "ワー")),
        ("iPhone手机", ("iphon", "手机")),
        ("हिन्दी", ("हिन्दी",)),
        ("привет, мир", ("привет", "мир")),
        ("ＦＵＬＬ ｗｉｄｔｈ", ("full", "width")),
        ("👍🏽 😀", ()),
        ("", ()),
    ],
)
def test_words_of_any_script_become_terms(text: str, terms: tuple[str, ...]) -> None:
    assert terms_of(text) == terms


@pytest.mark.parametrize("text", ["8 May 2023", "May 8th", "in May", "back in may", "between April and May", "since May's fair"])
def test_the_month_of_may_is_a_term(text: str) -> None:
    assert "may" in terms_of(text)


@pytest.mark.parametrize("text", ["I may go", "it may be late", "5 people may come", "What may happen?", "may I?"])
def test_the_verb_may_is_a_stop_word(text: str) -> None:
    assert "may" not in terms_of(text)


@given(st.dates())
def test_a_written_date_meets_the_terms_of_its_day(day: date) -> None:
    assert set(date_terms(day)) == set(terms_of(f"{day.day} {day:%B} {day.year:04d}"))


@given(st.text())
def test_any_text_has_terms_that_a_search_can_hold(text: str) -> None:
    terms = terms_of(text)
    assert all(0 < len(term) <= 64 and term == term.strip() for term in terms)
    assert terms_of(text) == terms


def test_of_a_text_that_grows_when_it_is_normalised_the_beginning_of_each_slice_is_searched() -> None:
    once = terms_of("\ufdfa")
    assert once == ("صلى", "الله", "عليه", "وسلم")
    assert terms_of("\ufdfa " * 300) == once * 300
    # A slice of 4,096 characters: twice as many are read of what becomes of it, and what follows it is read again.
    terms = terms_of("\ufdfa " * 2_048 + "Lisbon")
    assert terms.count("صلى") <= 2 * 4_096 / 18 + 1
    assert terms[-1] == "lisbon"


def test_words_are_whole_wherever_they_are_normalised() -> None:
    words = [f"été{number}" for number in range(600)]
    assert terms_of(" ".join(words)) == tuple(f"ete{number}" for number in range(600))


@given(st.lists(st.sampled_from(["Maria", "moved", "to", "Lisbon", "in", "March", "東京", "it's", "42"]), max_size=12))
def test_case_and_spacing_do_not_matter(words: list[str]) -> None:
    assert terms_of("  ".join(words).upper()) == terms_of(" ".join(words))


@pytest.mark.parametrize("operator", ['"exact phrase"', "NEAR(a b, 3)", "a* OR b", "col:value", "-not", "(", "\\", "'; DROP TABLE x; --"])
def test_search_operators_are_just_text(operator: str) -> None:
    assert all(term.isalnum() for term in terms_of(operator))
