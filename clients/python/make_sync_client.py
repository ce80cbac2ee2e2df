"""Makes the blocking client from the asyncio one, word by word; with --check it says whether that is up to date."""

import re
import subprocess
import sys
from pathlib import Path

PACKAGE = Path(__file__).parent / "src" / "structmem"
SOURCE, RESULT = PACKAGE / "_async_client.py", PACKAGE / "_client.py"
HEAD = '"""The blocking client. Made from `_async_client.py` by `make_sync_client.py`; change that one."""'
REPLACEMENTS = [
    (r'\A"""[^"]*"""', HEAD),
    (r"\basync (def|for|with)\b", r"\1"),
    (r"\bawait ", ""),
    (r"\b_async_transport\b", "_transport"),
    (r"\bAsyncTransport\b", "Transport"),
    (r"\bAsyncClient\b", "Client"),
    (r"\bAsyncIterator\b", "Iterator"),
    (r"__aenter__", "__enter__"),
    (r"__aexit__", "__exit__"),
]


def blocking(text: str) -> str:
    """The blocking form of asyncio code."""
    for pattern, replacement in REPLACEMENTS:
        text = re.sub(pattern, replacement, text)
    ruff = [sys.executable, "-m", "ruff"]
    for step in (["check", "--select", "I,UP028", "--fix", "--unsafe-fixes", "--quiet", "-"], ["format", "-"]):
        command = [*ruff, *step, "--stdin-filename", str(RESULT)]
        text = subprocess.run(command, input=text, capture_output=True, text=True, check=True).stdout
    return text


def main() -> int:
    """Writes the blocking client, or checks it."""
    text = blocking(SOURCE.read_text())
    if "--check" in sys.argv:
        fresh = RESULT.exists() and RESULT.read_text() == text
        if not fresh:
            print(f"{RESULT.name} is out of date: run {Path(__file__).name}", file=sys.stderr)
        return 0 if fresh else 1
    RESULT.write_text(text)
    return 0


if __name__ == "__main__":
    sys.exit(main())
