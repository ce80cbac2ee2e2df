"""One server: started, stopped, killed and started again on the same home and ports."""

import os
import signal
import socket
import subprocess
import tempfile
import time
from dataclasses import replace
from pathlib import Path

import psutil

from tests.neo4j_server.certificate import make_certificate
from tests.neo4j_server.class_archive import class_archive, exercise
from tests.neo4j_server.jars import fetch_jars, jars_folder
from tests.neo4j_server.options import HOST, ServerOptions, configuration_text
from tests.neo4j_server.requirements import find_jdk, find_maven, java_version

# Ten seconds on an idle machine of two cores.
START_TIMEOUT_S = 180.0
STOP_TIMEOUT_S = 60.0
# Of one that writes the archive of its classes at its end.
_ARCHIVING_TIMEOUT_S = 180.0
USER = "neo4j"
_STARTED = b"Started."
_LOCKED = b"FileLockException"
# Starting takes 7.6 s of CPU with these and 12.3 s without (`make neo4j`'s server under `time`, JDK 25, two cores); with the archive of
# classes a third less again.
_QUICK = ("-XX:TieredStopAtLevel=1", "-XX:+UseSerialGC")
_OPENED = ("java.nio", "java.io", "sun.nio.ch", "java.util.concurrent")


class Neo4jServer:
    """A Neo4j Community server of this machine, in a home folder of its own.

    Attributes:
        options: how it runs; a change counts from the next start.
        uri: where Bolt listens, such as "bolt://127.0.0.1:40021".
        certificate: with TLS, the PEM file that clients have to trust.
    """

    def __init__(self, home: Path, options: ServerOptions | None = None) -> None:
        """Starts nothing yet. Raises Missing when the machine has no JDK that is new enough, or the jars cannot be had."""
        given = options or ServerOptions()
        self.home = home.resolve()
        self.options = replace(given, bolt_port=given.bolt_port or _free_port(), http_port=given.http_port or _free_port())
        self.certificate = self.home / "certificates" / "public.crt"
        self._java_home = find_jdk()
        self._jars = jars_folder() if jars_folder().is_dir() else fetch_jars(self._java_home, find_maven())
        self._process: subprocess.Popen[bytes] | None = None
        self._archive: Path | None = None
        self._log = self.home / "logs" / "console.log"

    @property
    def uri(self) -> str:
        """Where Bolt listens."""
        return f"bolt://{'localhost' if self.options.tls else HOST}:{self.options.bolt_port}"

    @property
    def pid(self) -> int | None:
        """The process's id while it runs."""
        return self._process.pid if self._process is not None and self._process.poll() is None else None

    def start(self) -> None:
        """Starts the server and returns once it answers. Raises RuntimeError, with the end of its log, when it does not."""
        if self.pid is not None:
            return
        if self.options.quick_start:
            self._archive = class_archive(self._java_home, self._train)
        self._prepare()
        seen = self._log.stat().st_size if self._log.exists() else 0
        self._launch()
        patience = time.monotonic() + START_TIMEOUT_S
        while _STARTED not in self._log.read_bytes()[seen:]:
            if self.pid is None:
                if _LOCKED in self._log.read_bytes()[seen:]:
                    raise RuntimeError(f"another Neo4j runs on the data in {self.home}")
                raise RuntimeError(f"Neo4j ended before it could serve:\n{self.log_tail()}")
            if time.monotonic() > patience:
                self.kill()
                raise RuntimeError(f"Neo4j was not ready after {START_TIMEOUT_S:.0f} s:\n{self.log_tail()}")
            time.sleep(0.05)

    def _train(self, archive: Path) -> None:
        """Runs a server that writes the archive of the classes which it loaded."""
        with tempfile.TemporaryDirectory() as home:
            server = Neo4jServer(Path(home), ServerOptions(heap="384m", java_options=(*_QUICK, f"-XX:ArchiveClassesAtExit={archive}")))
            server.start()
            try:
                exercise(server.uri)
                server.stop(_ARCHIVING_TIMEOUT_S)
            finally:
                server.kill()

    def stop(self, timeout: float = STOP_TIMEOUT_S) -> None:
        """Asks the server to end, and waits until it has; one that does not within so many seconds is killed."""
        if self._process is None or self.pid is None:
            return
        self._process.send_signal(signal.SIGTERM)
        try:
            self._process.wait(timeout)
        except subprocess.TimeoutExpired:
            self.kill()

    def kill(self) -> None:
        """Ends the server at once, with SIGKILL."""
        if self._process is not None and self.pid is not None:
            self._process.kill()
            self._process.wait()

    def wait(self) -> int:
        """Waits until the server ends by itself or is told to; returns its status."""
        assert self._process is not None
        return self._process.wait()

    def rss_mb(self) -> float:
        """The server's resident memory."""
        assert self.pid is not None
        return round(float(psutil.Process(self.pid).memory_info().rss) / 1_000_000, 1)

    def log_tail(self, lines: int = 20) -> str:
        """The end of what the server wrote."""
        return "\n".join(self._log.read_text(errors="replace").splitlines()[-lines:])

    def _prepare(self) -> None:
        for folder in ("conf", "logs"):
            (self.home / folder).mkdir(parents=True, exist_ok=True)
        if self.options.tls:
            make_certificate(self.certificate.parent)
        (self.home / "conf" / "neo4j.conf").write_text(configuration_text(self.options, self.certificate.parent))
        if self.options.password and not (self.home / "data" / "dbms").exists():
            self._set_password()

    def _set_password(self) -> None:
        command = [*self._java(), "org.neo4j.server.startup.Neo4jAdminCommand", "dbms", "set-initial-password", self.options.password]
        environment = os.environ | {"NEO4J_HOME": str(self.home), "NEO4J_CONF": str(self.home / "conf")}
        done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False, timeout=START_TIMEOUT_S)
        if done.returncode:
            raise RuntimeError(f"Neo4j's password could not be set:\n{done.stderr[-2000:]}")

    def _launch(self) -> None:
        memory = [
            f"-Xms{self.options.heap}",
            f"-Xmx{self.options.heap}",
            *self.options.java_options,
            *(_QUICK if self.options.quick_start else ()),
        ]
        place = [f"--home-dir={self.home}", f"--config-dir={self.home / 'conf'}", "--console-mode"]
        with self._log.open("ab") as log:
            self._process = subprocess.Popen(
                [*self._java(), *memory, "org.neo4j.server.Neo4jCommunity", *place],
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                start_new_session=True,  # Ctrl-C is for whoever started it, who then stops it in order
            )

    def _java(self) -> list[str]:
        """Java with Neo4j's jars and the rights that Neo4j's own start script gives it."""
        rights = [f"--add-opens=java.base/{package}=ALL-UNNAMED" for package in _OPENED]
        rights += ["--enable-native-access=ALL-UNNAMED", "--add-modules=jdk.incubator.vector"]
        if java_version(self._java_home) >= 23:  # which warns of what Netty does, and knows how to be told that it may
            rights.append("--sun-misc-unsafe-memory-access=allow")
        archive = [f"-XX:SharedArchiveFile={self._archive}", "-Xlog:cds=off"] if self._archive else []
        return [str(self._java_home / "bin" / "java"), "-cp", f"{self._jars}/*", *rights, *archive]


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind((HOST, 0))
        return int(probe.getsockname()[1])
