"""Who may do what: patterns, rights, the token file."""

import os
from pathlib import Path

import pytest

from graph.errors import PermissionDenied, Unauthenticated
from service.authorize import LOCAL, NOBODY, Action, Grant, Principal, authorize, may
from service.errors import InvalidSettings
from service.token_file import TokenFile, token_digest


def reader(pattern: str) -> Principal:
    return Principal("reader", (Grant(pattern, frozenset({Action.READ})),))


@pytest.mark.parametrize(
    ("pattern", "namespace", "matches"),
    [
        ("acme", "acme", True),
        ("acme", "acme/support", False),
        ("acme/*", "acme/support", True),
        ("acme/*", "acme", False),
        ("acme/*", "acme/support/maria", False),
        ("acme/*", "acmeX/support", False),
        ("acme/**", "acme/support/maria", True),
        ("acme/**", "acme", False),
        ("**", "anything/at/all", True),
        ("*", "one", True),
        ("*", "one/two", False),
        ("acme/*/maria", "acme/support/maria", True),
        ("a.c", "abc", False),
    ],
)
def test_a_pattern_matches_whole_names(pattern: str, namespace: str, matches: bool) -> None:
    assert may(reader(pattern), Action.READ, namespace) is matches


def test_a_right_is_only_what_was_granted() -> None:
    assert not may(reader("**"), Action.WRITE, "acme")
    assert not may(reader("**"), Action.ADMIN, "acme")
    assert all(may(LOCAL, action, "acme/x") for action in Action)
    assert not any(may(NOBODY, action, "acme") for action in Action)


def test_each_of_several_namespaces_must_be_allowed() -> None:
    authorize(reader("acme/*"), Action.READ, "acme/a", "acme/b")
    with pytest.raises(PermissionDenied):
        authorize(reader("acme/*"), Action.READ, "acme/a", "other")


def write(path: Path, text: str) -> Path:
    path.write_text(text)
    os.utime(path, ns=(path.stat().st_mtime_ns, path.stat().st_mtime_ns + 1_000_000))
    return path


FILE = """
[[token]]
name = "bot"
sha256 = "{digest}"
[[token.grant]]
namespaces = ["acme/**"]
rights = ["read", "write"]

[[token]]
name = "ops"
token = "an-operator-token-in-the-clear"
[[token.grant]]
namespaces = ["**"]
rights = ["read", "write", "admin"]
"""


def test_a_token_is_known_by_its_digest_or_itself(tmp_path: Path) -> None:
    tokens = TokenFile(write(tmp_path / "t.toml", FILE.format(digest=token_digest("bot-token-0123456789"))))
    bot = tokens.principal_of("bot-token-0123456789")
    assert bot.name == "bot"
    assert may(bot, Action.WRITE, "acme/x")
    assert not may(bot, Action.ADMIN, "acme/x")
    assert tokens.principal_of("an-operator-token-in-the-clear").name == "ops"
    for wrong in ("", "bot", token_digest("bot-token-0123456789")):
        with pytest.raises(Unauthenticated):
            tokens.principal_of(wrong)


def test_a_changed_file_counts_at_once_and_a_broken_one_does_not(tmp_path: Path) -> None:
    path = write(tmp_path / "t.toml", FILE.format(digest="0" * 64))
    tokens = TokenFile(path)
    write(path, FILE.format(digest="0" * 64).replace("an-operator-token-in-the-clear", "the-operators-next-token"))
    assert tokens.principal_of("the-operators-next-token").name == "ops"
    with pytest.raises(Unauthenticated):
        tokens.principal_of("an-operator-token-in-the-clear")
    write(path, "[[token]]\nname = ")
    assert tokens.principal_of("the-operators-next-token").name == "ops"
    path.unlink()
    tokens.reload()
    assert tokens.principal_of("the-operators-next-token").name == "ops"


@pytest.mark.parametrize(
    ("text", "field"),
    [
        ("", "token_file.token"),
        ("[[token]]\nname = 'x'\n", "token_file.token[0]"),
        ("[[token]]\nname = 'x'\nsha256 = 'abc'\n", "token_file.token[0].sha256"),
        ("[[token]]\nname = 'x'\ntoken = 'short'\n", "token_file.token[0].token"),
        (
            "[[token]]\nname='x'\ntoken='long-enough-to-be-good'\n[[token.grant]]\nnamespaces=['a']\nrights=['rule']\n",
            "token_file.token[0].grant[0].rights[0]",
        ),
        ("[[token]]\nname='x'\ntoken='long-enough-to-be-good'\nrole='x'\n", "token_file.token[0].role"),
        ("not toml", "token_file"),
    ],
)
def test_a_wrong_file_is_refused_with_the_place(tmp_path: Path, text: str, field: str) -> None:
    with pytest.raises(InvalidSettings) as raised:
        TokenFile(write(tmp_path / "t.toml", text))
    assert field in {violation.field for violation in raised.value.violations}
    assert "short" not in str(raised.value)


def test_a_file_that_is_not_there_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InvalidSettings, match="cannot be read"):
        TokenFile(tmp_path / "none.toml")
