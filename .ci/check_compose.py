"""Checks docker-compose.yml beyond its schema: what it refers to is there, images are pinned, ports are loopback's, hadolint is content."""

import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from ruamel.yaml import YAML

ROOT = Path(__file__).parents[1]
# Neo4j's start script writes neo4j.conf.
WRITES_ITS_ROOT = {"neo4j"}
HADOLINT = Path(sys.executable).parent / "hadolint"


def problems(compose: dict[str, Any]) -> Iterator[str]:
    """What is wrong, a sentence each."""
    services = compose["services"]
    for name, service in services.items():
        yield from (f"{name}: {problem}" for problem in _dangling(service, compose))
        yield from (f"{name}: {problem}" for problem in _careless(service))
        if not service.get("read_only") and name not in WRITES_ITS_ROOT:
            yield f"{name}: its root file system can be written to"
        for other in service.get("depends_on", {}):
            if other in services and "healthcheck" not in services[other]:
                yield f"{name}: waits for {other}, which has no health check"
    yield from _versions(services)


def _dangling(service: dict[str, Any], compose: dict[str, Any]) -> Iterator[str]:
    for other in service.get("depends_on", {}):
        if other not in compose["services"]:
            yield f"depends_on names {other}, which is no service"
    for kind in ("secrets", "networks"):
        for one in service.get(kind, []):
            if one not in compose.get(kind, {}):
                yield f"{kind} names {one}, which is not defined"
    for volume in service.get("volumes", []):
        source = volume.partition(":")[0]
        if not source.startswith((".", "/")) and source not in compose.get("volumes", {}):
            yield f"volumes names {source}, which is not defined"
    secrets = {f"/run/secrets/{one}" for one in service.get("secrets", [])}
    for variable, value in service.get("environment", {}).items():
        if str(value).startswith("/run/secrets/") and value not in secrets:
            yield f"{variable} is {value}, a secret that the service is not given"
        host = re.match(r"(?:bolt|neo4j)://([^:/]+)", str(value))
        if host and host[1] not in service.get("depends_on", {}):
            yield f"{variable} reaches {host[1]}, which it does not wait for"


def _careless(service: dict[str, Any]) -> Iterator[str]:
    if not re.search(r":[^:/]*\d+\.\d+", service["image"]):
        yield f"the image {service['image']} is not pinned"
    for port in service.get("ports", []):
        if not str(port).startswith("127.0.0.1:"):
            yield f"port {port} is open to more than loopback"
    for variable, value in service.get("environment", {}).items():
        if re.search("PASSWORD|TOKEN|AUTH|KEY", variable) and not str(value).startswith("/run/secrets/"):
            yield f"{variable} is not the file of a secret"
    for volume in service.get("volumes", []):
        if volume.startswith((".", "/", "~")):
            yield f"{volume} is a folder of the host, not a volume"
    for wanted in ("user", "healthcheck", "mem_limit", "cap_drop", "security_opt", "restart"):
        if wanted not in service:
            yield f"has no {wanted}"


def _versions(services: dict[str, Any]) -> Iterator[str]:
    pom = (ROOT / "tests" / "neo4j_server" / "pom.xml").read_text()
    tested = re.search(r"<neo4j.version>([^<]+)<", pom)
    image = services["neo4j"]["image"]
    if tested is None or image != f"neo4j:{tested[1]}":
        yield f"neo4j: {image} is not the version that the tests run ({tested and tested[1]})"


def _lint(dockerfile: str) -> bool:
    """Whether hadolint has nothing to say. Compose reads `$$` as `$`."""
    done = subprocess.run([HADOLINT, "-"], input=dockerfile.replace("$$", "$"), text=True, check=False)
    return done.returncode == 0


def main() -> int:
    """Prints what is wrong; the status is 1 when anything is."""
    compose = YAML(typ="safe").load((ROOT / "docker-compose.yml").read_text())
    found = list(problems(compose))
    for problem in found:
        print(f"docker-compose.yml: {problem}", file=sys.stderr)
    clean = _lint(compose["services"]["structmem"]["build"]["dockerfile_inline"])
    return int(bool(found) or not clean)


if __name__ == "__main__":
    sys.exit(main())
