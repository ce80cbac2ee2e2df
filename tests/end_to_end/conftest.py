"""The command line as a user runs it: a real server process, a real store in a temporary directory."""

import contextlib
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from service.cli.app import app

COMMAND = [sys.executable, "-c", "from service.cli import main; main()"]


@dataclass
class Done:
    """A command that has ended."""

    code: int
    out: str
    err: str

    @property
    def document(self) -> Any:
        """The JSON document that it printed."""
        assert self.code == 0, self.err
        return json.loads(self.out)


@dataclass
class Shell:
    """Runs `structmem` in a directory, with the environment of a user who has set what `environment` says."""

    directory: Path
    environment: dict[str, str]

    def __call__(self, *arguments: str | Path, stdin: str = "") -> Done:
        """Runs a command to its end, in this process: it saves the imports."""
        others = {name: None for name in os.environ if name.startswith("STRUCTMEM_")}
        with contextlib.chdir(self.directory):
            done = CliRunner().invoke(app, [*map(str, arguments)], input=stdin, env=others | self.environment)
        assert done.exception is None or isinstance(done.exception, SystemExit), done.exc_info
        assert "Traceback" not in done.stderr, done.stderr
        return Done(done.exit_code, done.stdout, done.stderr)

    def process(self, *arguments: str | Path, stdin: str = "") -> Done:
        """Runs a command to its end, in a process of its own."""
        done = subprocess.run(
            [*COMMAND, *map(str, arguments)],
            input=stdin,
            capture_output=True,
            text=True,
            env=self._environment(),
            cwd=self.directory,
            timeout=60,
            check=False,
        )
        assert "Traceback" not in done.stderr, done.stderr
        return Done(done.returncode, done.stdout, done.stderr)

    def start(self, *arguments: str | Path) -> "subprocess.Popen[str]":
        """Starts a command."""
        log = (self.directory / "server.log").open("a")
        with log:
            return subprocess.Popen(
                [*COMMAND, *map(str, arguments)], text=True, env=self._environment(), cwd=self.directory, stdout=log, stderr=log
            )

    def _environment(self) -> dict[str, str]:
        kept = {name: value for name, value in os.environ.items() if not name.startswith("STRUCTMEM_")}
        return kept | self.environment


class Server:
    """A server process of `structmem serve`."""

    def __init__(self, shell: Shell, data: Path) -> None:
        self.data = data
        self._ready = shell.directory / f"ready-{time.monotonic_ns()}"
        arguments = (
            "serve",
            "--data-dir",
            data,
            "--listen",
            "127.0.0.1:0",
            "--ready-file",
            self._ready,
            "--idle",
            "0.2",
        )
        self.process = shell.start(*arguments, "--log-level", "error")
        deadline = time.monotonic() + 120  # the first start on a new Neo4j makes its indexes
        while not self._ready.exists():
            log = shell.directory / "server.log"
            assert self.process.poll() is None, log.read_text()
            assert time.monotonic() < deadline, log.read_text()
            time.sleep(0.02)
        self.address = self._ready.read_text().strip()

    def stop(self) -> int:
        """Asks it to end and gives its exit code."""
        self.process.send_signal(signal.SIGTERM)
        return self.process.wait(30)

    def kill(self) -> None:
        """Ends it as a power cut would."""
        self.process.kill()
        self.process.wait(10)


def _shell(directory: Path) -> Shell:
    return Shell(directory, {"STRUCTMEM_DATA_DIR": str(directory / "data"), "STRUCTMEM_EMBEDDER": "hashing"})


@pytest.fixture
def shell(tmp_path: Path) -> Shell:
    """A shell whose data directory is `data`, with the model-free embedder. No server runs."""
    return _shell(tmp_path)


@pytest.fixture(scope="session")
def new_shell() -> Callable[[Path], Shell]:
    """`new_shell(directory)`: a shell as `shell`, for as long as its user wants it."""
    return _shell


@contextlib.contextmanager
def _running(shell: Shell) -> Iterator[Server]:
    server = Server(shell, Path(shell.environment["STRUCTMEM_DATA_DIR"]))
    try:
        yield server
    finally:
        if server.process.poll() is None:
            server.kill()


@pytest.fixture(scope="session")
def serving() -> Callable[[Shell], Any]:
    """Runs a server on the shell's data directory for the length of a block."""
    return _running


@pytest.fixture(scope="session")
def beside_a_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Shell, Server]]:
    """A shell with a server on its data directory, for tests that use namespaces of their own."""
    shell = _shell(tmp_path_factory.mktemp("served"))
    with _running(shell) as server:
        yield shell, server


@pytest.fixture
def chat(tmp_path: Path) -> Path:
    """A small chat of two sessions, with local times."""
    said = [
        ("march", "Maria", "I moved to Lisbon last Friday.", "2024-03-05T18:00:00"),
        ("march", "Tom", "Already! Does your sister Ines live near you?", "2024-03-05T18:01:00"),
        ("march", "Maria", "My sister Ines lives in Porto. She plays the cello.", "2024-03-05T18:02:00"),
        ("march", "Tom", "I have booked a flight, I arrive on 14 June 2024.", "2024-03-05T18:03:00"),
        ("june", "Tom", "Thank you for the weekend in Sintra!", "2024-06-23T17:00:00"),
        ("june", "Maria", "I've changed my mind: I want to stay in Lisbon for good.", "2024-06-23T17:01:00"),
    ]
    file = tmp_path / "chat.jsonl"
    entries = ({"session": session, "speaker": speaker, "text": text, "sent_at": sent} for session, speaker, text, sent in said)
    file.write_text("".join(json.dumps(entry) + "\n" for entry in entries))
    return file
