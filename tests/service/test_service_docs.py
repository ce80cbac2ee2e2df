"""The docs name what the code has: every reason, every setting."""

import re
from collections.abc import Iterator
from pathlib import Path

import service.errors
from graph.errors import StructMemError
from service.settings import Settings

DOCS = Path(__file__).parents[2] / "docs"


def below(kind: type[StructMemError]) -> Iterator[type[StructMemError]]:
    for child in kind.__subclasses__():
        yield child
        yield from below(child)


def test_every_reason_is_described_with_its_status() -> None:
    assert service.errors.ShuttingDown in set(below(StructMemError))
    raised = {
        (kind.reason, kind.status) for kind in below(StructMemError) if kind.__module__.partition(".")[0] in {"graph", "extract", "service"}
    }
    described = set(re.findall(r"^\| `([A-Z_]+)` \| ([A-Z_]+) \|", (DOCS / "errors.md").read_text(), re.MULTILINE))
    assert described == raised


def test_every_setting_is_described() -> None:
    described = set(re.findall(r"^\| `([a-z0-9_]+)` \|", (DOCS / "configuration.md").read_text(), re.MULTILINE))
    assert described == set(Settings.model_fields)
