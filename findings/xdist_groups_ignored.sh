#!/usr/bin/env bash
# pytest-xdist 3.8.0 under pytest 9.2.0: `--dist loadgroup` groups nothing, without an error or a warning. Tests marked with one xdist_group are spread
# over the workers, and the ending "@group" of their ids is gone. With pytest 9.1.1 the same command keeps them on one worker.
# xdist writes the group into `item._nodeid`, which pytest 9.2 no longer reads (https://github.com/pytest-dev/pytest-xdist/issues/1386).
# Seen: pytest 9.1.1: "1 worker"; pytest 9.2.0: "2 workers". Fails when either changes.
set -euo pipefail
made=$(mktemp -d)
trap 'rm -rf "$made"' EXIT
cd "$made"
cat >test_group.py <<'PYTHON'
import time

import pytest


@pytest.mark.xdist_group("one")
@pytest.mark.parametrize("number", range(8))
def test_of_the_group(number):
    time.sleep(0.2)
PYTHON

workers() { # of the tests of the group, under this version of pytest
  python3 -m venv "$made/$1"
  "$made/$1/bin/python" -m pip install --quiet --disable-pip-version-check "pytest==$1" pytest-xdist==3.8.0
  "$made/$1/bin/python" -m pytest -p no:cacheprovider -n 2 --dist loadgroup -v test_group.py | grep -o '^\[gw[0-9]\]' | sort -u | wc -l
}
before=$(workers 9.1.1)
after=$(workers 9.2.0)
echo "Workers that ran tests of the one group: $before with pytest 9.1.1, $after with pytest 9.2.0 (pytest-xdist 3.8.0)."
[ "$before" = 1 ] && [ "$after" = 2 ]
