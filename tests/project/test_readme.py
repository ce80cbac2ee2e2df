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
_FENCED = re.compile(r"^```.*?^```", re.MULTILINE | re.DOTALL)
_LINK = re.compile(r"\]\((?!https?://)([^)#\s]*)(?:#([^)\s]+))?\)")
_HEADING = re.compile(r"^#+ (.*)$", re.MULTILINE)
_ANCHOR = re.compile(r'<a id="([^"]+)">')
_IN_CODE = re.compile(r"\bdocs/([a-z0-9-]+\.md)(?:#([a-z0-9-]+))?")


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


def test_files_that_the_readme_has_made_are_not_taken_for_the_project() -> None:
    blocks = _blocks(ROOT / "README.md")
    made = {"chat.jsonl", *re.findall(r" > ([\w./-]+)", blocks), *re.findall(r"password_file=([\w./-]+)", blocks)}
    done = subprocess.run(["git", "check-ignore", *made], cwd=ROOT, capture_output=True, text=True, check=False, timeout=60)

    assert "questions.jsonl" in made
    assert set(done.stdout.split()) == made


def _anchors(document: Path) -> set[str]:
    """What a link into the document may name: an anchor of its own, or a heading as GitHub writes it (lower case, hyphens)."""
    text = _FENCED.sub("", document.read_text())
    headings = (re.sub(r"\[([^\]]*)\]\([^)]*\)", r"\1", heading) for heading in _HEADING.findall(text))
    return {re.sub(r"[^\w\- ]", "", heading.strip().lower()).replace(" ", "-") for heading in headings} | set(_ANCHOR.findall(text))


def _leads_nowhere(target: Path, anchor: str) -> bool:
    return not target.exists() or (bool(anchor) and anchor not in _anchors(target))


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: str(path.relative_to(ROOT)))
def test_links_between_documents_lead_somewhere(document: Path) -> None:
    links = _LINK.findall(_FENCED.sub("", document.read_text()))
    missing = [link for link in links if _leads_nowhere(document.parent / link[0] if link[0] else document, link[1])]

    assert missing == []


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: str(path.relative_to(ROOT)))
def test_an_anchor_is_given_once(document: Path) -> None:
    given = _ANCHOR.findall(document.read_text())

    assert len(given) == len(set(given))


def test_documents_that_the_code_names_are_there() -> None:
    tracked = subprocess.run(["git", "ls-files"], cwd=ROOT, capture_output=True, text=True, check=True, timeout=60).stdout.split()
    sources = [ROOT / name for name in tracked if name.endswith((".py", ".proto", ".sql", ".toml", ".yml")) and (ROOT / name).exists()]
    named = {(source, *link) for source in sources for link in _IN_CODE.findall(source.read_text())}

    assert len(named) > 10
    assert [link for link in named if _leads_nowhere(ROOT / "docs" / link[1], link[2])] == []
