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


def loaded(module: str, *suspects: str) -> list[str]:
    """Which of the suspects importing a module brings along."""
    code = f"import sys, {module}; print(*(name for name in {suspects!r} if name in sys.modules))"
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True, timeout=60)
    return done.stdout.split()


def test_serving_needs_no_test_tools_and_no_torch() -> None:
    assert loaded("service.app, service.cli.app", "torch", "pytest", "rank_bm25", "psutil", "hypothesis") == []


def test_the_service_is_not_kept_by_what_it_may_never_need() -> None:
    assert loaded("service.app", "scipy", "onnxruntime", "tokenizers", "networkx") == []


def test_a_command_that_asks_a_running_service_loads_no_store() -> None:
    code = (
        "import sys, pathlib; from service.cli.connection import running_service, settings_of, ConnectionOptions\n"
        "assert running_service(settings_of(ConnectionOptions(data_dir=pathlib.Path('nowhere')))) is None\n"
        "print(*(name for name in ('service.app', 'graph.store', 'numpy', 'apsw') if name in sys.modules))"
    )
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True, timeout=60)

    assert done.stdout.split() == []
