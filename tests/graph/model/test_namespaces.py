import pytest

from graph.model import namespace_name_problem


@pytest.mark.parametrize("name", ["alice", "acme/support/maria", "a.b_c-d@e.org", "A1", "x" * 200, "/".join("abcdefgh")])
def test_good_names(name: str) -> None:
    assert namespace_name_problem(name) is None


@pytest.mark.parametrize(
    ("name", "problem"),
    [
        ("", "required"),
        ("x" * 201, "at most 200"),
        ("/".join("abcdefghi"), "at most 8 segments"),
        ("a//b", "segments"),
        ("/a", "segments"),
        ("a/", "segments"),
        ("..", "segments"),
        ("a/../b", "segments"),
        ("a b", "segments"),
        ("a\n", "segments"),
        ("naïve", "segments"),
        ("a\x00", "segments"),
        ("*", "segments"),
    ],
)
def test_bad_names_say_what_is_wrong(name: str, problem: str) -> None:
    assert problem in (namespace_name_problem(name) or "")
