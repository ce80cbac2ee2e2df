import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
LINT_IMPORTS = Path(sys.executable).parent / "lint-imports"


@pytest.mark.skipif(not LINT_IMPORTS.exists(), reason="import-linter is installed for checks, not for tests")
def test_imports_point_one_way() -> None:
    done = subprocess.run([LINT_IMPORTS, "--no-cache"], cwd=ROOT, capture_output=True, text=True, check=False, timeout=100)

    assert done.returncode == 0, done.stdout
    assert "0 broken" in done.stdout


def test_serving_needs_no_test_tools_and_no_torch() -> None:
    code = (
        "import sys, service.app, service.cli; print(*(name for name in ('torch', 'pytest', 'rank_bm25', 'psutil') if name in sys.modules))"
    )
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True, timeout=60)

    assert done.stdout.strip() == ""
