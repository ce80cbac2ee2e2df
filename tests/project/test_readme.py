import re
import subprocess
from pathlib import Path

import pytest
from typer.main import get_command

from service.cli.app import app

ROOT = Path(__file__).parents[2]
DOCUMENTS = [ROOT / "README.md", ROOT / "CONTRIBUTING.md", *sorted((ROOT / "docs").glob("*.md")), ROOT / "clients" / "python" / "README.md"]
_COMMAND = re.compile(r"^(?:\.venv/bin/)?structmem ([a-z-]+)", re.MULTILINE)
_TARGET = re.compile(r"^make ([a-z0-9-]+)", re.MULTILINE)
_LINK = re.compile(r"\]\((?!https?://|#)([^)#]+)")


def _blocks(document: Path) -> str:
    """The text of fenced blocks."""
    return "\n".join(re.findall(r"^```\w*\n(.*?)^```", document.read_text(), re.MULTILINE | re.DOTALL))


def test_the_readme_starts_with_the_two_commands() -> None:
    first = re.search(r"^```\w*\n(.*?)^```", (ROOT / "README.md").read_text(), re.MULTILINE | re.DOTALL)

    assert first is not None
    assert [line.split("#")[0].strip() for line in first.group(1).splitlines()] == ["make demo", "make test"]


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: str(path.relative_to(ROOT)))
def test_every_command_of_the_documents_exists(document: Path) -> None:
    known = set(get_command(app).commands)  # type: ignore[attr-defined]

    assert set(_COMMAND.findall(_blocks(document))) <= known


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: str(path.relative_to(ROOT)))
def test_every_make_target_of_the_documents_exists(document: Path) -> None:
    listed = subprocess.run(["make", "help"], cwd=ROOT, capture_output=True, text=True, check=True, timeout=60).stdout
    targets = {line.split()[0] for line in listed.splitlines() if line}

    assert set(_TARGET.findall(_blocks(document))) <= targets


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: str(path.relative_to(ROOT)))
def test_links_between_documents_lead_somewhere(document: Path) -> None:
    missing = [link for link in _LINK.findall(document.read_text()) if not (document.parent / link).exists()]

    assert missing == []
