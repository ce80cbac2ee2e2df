#!/usr/bin/env bash
# rich 15.0.0: Console.print(..., soft_wrap=True) lets a long text run on, as it says, but of a Tree it cuts off each label at the console's width, without a
# sign that something is missing; crop=False and overflow="ignore" change nothing. Without soft_wrap the labels are wrapped, and whole. A tree renders its labels
# into lines of the width that is left beside its guides, and these lines are cropped before the console's own setting is looked at (reported, and closed, as
# https://github.com/Textualize/rich/issues/3785). Whoever writes a tree into a pipe or a file needs a console that is wide enough instead.
# Seen: of a label of twelve words at a width of 40 six are printed with soft_wrap, twelve without; of the same text outside a tree twelve either way.
# Fails when any of it changes.
set -euo pipefail
made=$(mktemp -d)
trap 'rm -rf "$made"' EXIT
cd "$made"
python3 -m venv venv
venv/bin/python -m pip install --quiet --disable-pip-version-check rich==15.0.0
cat >draw.py <<'PYTHON'
import io

from rich.console import Console
from rich.tree import Tree

WORDS = " ".join(f"word{number}" for number in range(12))


def printed(drawn, **how):
    out = io.StringIO()
    Console(file=out, width=40, highlight=False).print(drawn, **how)
    found = out.getvalue().count("word")
    print(type(drawn).__name__, how, found)
    return found


tree = Tree("top")
tree.add(WORDS)
assert printed(WORDS, soft_wrap=True) == printed(WORDS) == 12
assert printed(tree, soft_wrap=True) == printed(tree, soft_wrap=True, crop=False, overflow="ignore") == 6
assert printed(tree) == 12
PYTHON
venv/bin/python draw.py
