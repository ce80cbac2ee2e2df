"""A certificate for localhost that signs itself, for the server that speaks TLS."""

import shutil
import subprocess
from pathlib import Path

from tests.neo4j_server.missing import Missing


def make_certificate(folder: Path) -> Path:
    """Makes `private.key` and `public.crt` in the folder unless they are there; returns the certificate's path. Raises Missing."""
    certificate = folder / "public.crt"
    if certificate.exists():
        return certificate
    openssl = shutil.which("openssl")
    if openssl is None:
        raise Missing("no openssl on the PATH, which makes the certificate of a server with TLS")
    for part in ("trusted", "revoked"):
        (folder / part).mkdir(parents=True, exist_ok=True)
    command = [openssl, "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "30", "-subj", "/CN=localhost"]
    command += ["-addext", "subjectAltName=DNS:localhost,IP:127.0.0.1", "-keyout", str(folder / "private.key"), "-out", str(certificate)]
    subprocess.run(command, check=True, capture_output=True, timeout=60)
    return certificate
