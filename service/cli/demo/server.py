"""A server process of the demo's own."""

import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

_READY_S = 60.0


class ServerDidNotStart(RuntimeError):
    """The server ended, or was not ready in time; the text is its log."""


@contextmanager
def server(directory: Path) -> Iterator[str]:
    """Runs `structmem serve`, with its defaults, on a free port and gives its address once it can serve; stops it with SIGTERM."""
    with tempfile.TemporaryDirectory(prefix="structmem-demo-") as scratch:
        ready, log = Path(scratch) / "address", Path(scratch) / "log"
        command = [sys.executable, "-c", "from service.cli import main; main()", "serve"]
        command += ["--data-dir", str(directory), "--listen", "127.0.0.1:0", "--ready-file", str(ready), "--log-level", "warning"]
        # The demo shows the defaults, whatever is set for the user's own service.
        command += ["--config", os.devnull]
        environment = {name: value for name, value in os.environ.items() if not name.upper().startswith("STRUCTMEM_")}
        with log.open("wb") as output:
            process = subprocess.Popen(command, stdout=output, stderr=output, env=environment)
        try:
            yield _address(process, ready, log)
        finally:
            process.terminate()
            try:
                process.wait(30)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()


def _address(process: "subprocess.Popen[bytes]", ready: Path, log: Path) -> str:
    deadline = time.monotonic() + _READY_S
    while not ready.exists():
        if process.poll() is not None or time.monotonic() > deadline:
            raise ServerDidNotStart(log.read_text("utf-8", "replace").strip() or "it said nothing")
        time.sleep(0.05)
    return ready.read_text("utf-8").strip()
