"""What must be on the machine: a JDK that Neo4j runs on, and Maven where the jars are not in the cache yet."""

import os
import re
import shutil
from collections.abc import Iterator
from pathlib import Path

from tests.neo4j_server.jars import jars_folder
from tests.neo4j_server.missing import Missing

# Neo4j 2026.x runs on Java 21 and 25 (https://neo4j.com/docs/operations-manual/current/installation/requirements/).
OLDEST_JAVA = 21
_JVM_FOLDERS = ("/usr/lib/jvm", "/usr/java", "/opt", "/opt/homebrew/opt", "/Library/Java/JavaVirtualMachines")
_RUNTIME = re.compile(r'^JAVA_RUNTIME_VERSION="([^"]+)', re.MULTILINE)
_VERSION = re.compile(r'^JAVA_VERSION="(\d+)', re.MULTILINE)


def find_jdk() -> Path:
    """The home of JAVA_HOME's JDK where it is new enough, else of the newest in the system's folders and on the PATH.

    Raises:
        Missing: there is none of OLDEST_JAVA or later.
    """
    named = os.environ.get("JAVA_HOME")
    if named and (version := java_version(Path(named))) and version >= OLDEST_JAVA:
        return Path(named)
    found = {home: version for home in _homes() if (version := java_version(home))}
    if named and (version := java_version(Path(named))):
        found[Path(named)] = version
    if not found or max(found.values()) < OLDEST_JAVA:
        seen = ", ".join(f"{version} in {home}" for home, version in sorted(found.items())) or "none at all"
        raise Missing(f"no JDK of {OLDEST_JAVA} or later: {seen}; install one, or let JAVA_HOME name it")
    return max(found, key=lambda home: (found[home], str(home)))


def find_maven() -> str:
    """The path of `mvn`. Raises Missing."""
    maven = shutil.which("mvn")
    if maven is None:
        raise Missing("no Maven: `mvn` is not on the PATH, and the jars of Neo4j are not in the cache yet")
    return maven


def missing() -> str:
    """Why no server can be started here, or "" when one can; downloads nothing."""
    try:
        find_jdk()
        if not jars_folder().is_dir():
            find_maven()
    except Missing as error:
        return str(error)
    return ""


def _homes() -> Iterator[Path]:
    for folder in map(Path, _JVM_FOLDERS):
        if folder.is_dir():
            for home in sorted(folder.iterdir()):
                yield from (home.resolve(), home / "Contents" / "Home", home / "libexec" / "openjdk.jdk" / "Contents" / "Home")
    if java := shutil.which("java"):
        yield Path(java).resolve().parent.parent


def java_version(home: Path) -> int:
    """The feature release that a JDK's `release` file names; 0 where there is none."""
    if not (home / "bin" / "java").is_file():
        return 0
    named = _VERSION.search(_release(home))
    return int(named[1]) if named else 0


def java_runtime(home: Path) -> str:
    """The very build that a JDK's `release` file names, such as "25.0.3+9-LTS"; its feature release where it names none."""
    named = _RUNTIME.search(_release(home))
    return named[1] if named else str(java_version(home))


def _release(home: Path) -> str:
    try:
        return (home / "release").read_text("utf-8", errors="replace")
    except OSError:
        return ""
