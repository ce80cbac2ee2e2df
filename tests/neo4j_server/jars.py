"""The jars of the server: fetched once by Maven, and kept in the user's cache between runs."""

import fcntl
import os
import re
import shutil
import subprocess
from pathlib import Path

from tests.neo4j_server.missing import Missing

POM = Path(__file__).parent / "pom.xml"
# 155 MB; half a minute on a usual line.
FETCH_TIMEOUT_S = 900


def server_version() -> str:
    """The version of Neo4j that `pom.xml` names."""
    found = re.search(r"<neo4j.version>([^<]+)<", POM.read_text("utf-8"))
    assert found is not None
    return found[1]


def jars_folder() -> Path:
    """Where the jars of this version are, once they are fetched: below `$XDG_CACHE_HOME/structmem`."""
    cache = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache")
    return cache / "structmem" / f"neo4j-{server_version()}"


def fetch_jars(java_home: Path, maven: str) -> Path:
    """Fetches the jars unless they are there, and returns their folder. Of several processes at once, one fetches and the others wait.

    Raises:
        Missing: Maven could not fetch them.
    """
    folder = jars_folder()
    folder.parent.mkdir(parents=True, exist_ok=True)
    with (folder.parent / f"{folder.name}.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not folder.is_dir():
            part = folder.with_name(f"{folder.name}.part")
            shutil.rmtree(part, ignore_errors=True)
            _copy_dependencies(java_home, maven, part)
            part.rename(folder)  # whole or not at all
    return folder


def _copy_dependencies(java_home: Path, maven: str, into: Path) -> None:
    command = [maven, "-q", "-B", "-f", str(POM), "dependency:copy-dependencies", f"-DoutputDirectory={into}"]
    environment = os.environ | {"JAVA_HOME": str(java_home)}
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False, timeout=FETCH_TIMEOUT_S)
    if done.returncode:
        told = next((line for line in done.stdout.splitlines() if line.startswith("[ERROR]")), f"status {done.returncode}")
        raise Missing(f"the jars of Neo4j {server_version()} could not be fetched: {told.removeprefix('[ERROR]').strip()[:300]}")
