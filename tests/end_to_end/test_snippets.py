"""Every Python snippet of the documents runs as it is shown, against a real server."""

import re
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).parents[2]
ADDRESS = "127.0.0.1:7600"
# Words that the snippets of each document print, in their order.
DOCUMENTS = {
    "README.md": ["Ruth"],
    "clients/python/README.md": ["Lisbon"],
    "docs/lightmem.md": ["Rex"],
    "docs/python-client.md": ["Lisbon", "moved to Lisbon", "msg_", "   from ", "query.text is required"],
}


def _snippets(document: str) -> list[str]:
    return re.findall(r"^```python\n(.*?)^```", (ROOT / document).read_text(), re.MULTILINE | re.DOTALL)


@pytest.mark.parametrize("document", DOCUMENTS)
def test_the_snippets_run_as_shown(shell: Any, serving: Callable[[Any], Any], tmp_path: Path, document: str) -> None:
    snippets = _snippets(document)
    assert len(snippets) == len(DOCUMENTS[document])
    with serving(shell) as server:
        for snippet, words in zip(snippets, DOCUMENTS[document], strict=True):
            assert ADDRESS in snippet
            command = [sys.executable, "-W", "error", "-c", snippet.replace(ADDRESS, server.address)]
            done = subprocess.run(command, capture_output=True, text=True, cwd=tmp_path, timeout=60, check=False)
            assert (done.returncode, done.stderr) == (0, ""), snippet
            assert words in done.stdout, snippet


def test_no_other_document_has_snippets_that_nobody_runs() -> None:
    documents = {str(path.relative_to(ROOT)) for path in [*ROOT.glob("*.md"), *ROOT.glob("docs/*.md"), *ROOT.glob("clients/*/*.md")]}
    assert {document for document in documents if _snippets(document)} == set(DOCUMENTS)
