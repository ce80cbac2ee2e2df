"""Makes the blocking client from the asyncio one, word by word; with --check it says whether that is up to date."""

import re
import subprocess
import sys
from pathlib import Path

PACKAGE = Path(__file__).parent / "src" / "structmem"
NAMES = ("client", "listings", "summaries", "answering")
REPLACEMENTS = [
    (r"\basync (def|for|with)\b", r"\1"),
    (r"\bawait ", ""),
    (r"\b_async_(?=transport|listings|summaries|answering)", "_"),
    (r"\bAsync(?=Transport|Listings|Summaries|Answering|Client)", ""),
    (r"\bAsyncIterator\b", "Iterator"),
    (r"__aenter__", "__enter__"),
    (r"__aexit__", "__exit__"),
    (r'\A"""[^"]*"""', '"""The blocking form of `_async_{name}.py`, made from it by `make_sync_client.py`; change that one."""'),
]


def blocking(name: str) -> str:
    """The blocking form of the asyncio code of that name."""
    text = (PACKAGE / f"_async_{name}.py").read_text()
    for pattern, replacement in REPLACEMENTS:
        text = re.sub(pattern, replacement.replace("{name}", name), text)
    ruff = [sys.executable, "-m", "ruff"]
    for step in (["check", "--select", "I,UP028,F401", "--fix", "--unsafe-fixes", "--quiet", "-"], ["format", "-"]):
        command = [*ruff, *step, "--stdin-filename", str(PACKAGE / f"_{name}.py")]
        text = subprocess.run(command, input=text, capture_output=True, text=True, check=True).stdout
    return text


def main() -> int:
    """Writes the blocking files, or checks them."""
    stale = 0
    for name in NAMES:
        text, result = blocking(name), PACKAGE / f"_{name}.py"
        if "--check" not in sys.argv:
            result.write_text(text)
        elif not result.exists() or result.read_text() != text:
            print(f"{result.name} is out of date: run {Path(__file__).name}", file=sys.stderr)
            stale = 1
    return stale


if __name__ == "__main__":
    sys.exit(main())
