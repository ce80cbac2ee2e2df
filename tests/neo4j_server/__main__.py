"""`make neo4j`: a server for development, in the foreground, with its data kept beside the project."""

import argparse
import os
import secrets
import signal
import sys
from pathlib import Path

from tests.neo4j_server.missing import Missing
from tests.neo4j_server.options import ServerOptions
from tests.neo4j_server.requirements import missing
from tests.neo4j_server.server import USER, Neo4jServer

# Neo4j refuses shorter passwords (dbms.security.auth_minimum_password_length).
_SHORTEST_PASSWORD = 8


def main() -> int:
    """Runs a server until Ctrl-C; returns the exit status."""
    parser = argparse.ArgumentParser(prog="python -m tests.neo4j_server", description="A Neo4j server for development.")
    parser.add_argument("--home", type=Path, default=Path(".neo4j"), help="folder of its data and logs (default: .neo4j)")
    parser.add_argument("--bolt-port", type=int, default=7687, help="port of Bolt, on loopback (default: 7687)")
    parser.add_argument("--http-port", type=int, default=7474, help="port of HTTP, on loopback (default: 7474)")
    parser.add_argument("--heap", default="1g", help="Java's heap (default: 1g)")
    parser.add_argument("--page-cache", default="512m", help="page cache (default: 512m)")
    parser.add_argument("--check", action="store_true", help="only say whether this machine has what the server needs")
    given = parser.parse_args()
    if given.check:
        if why := missing():
            print(f"neo4j: {why}", file=sys.stderr)
        return int(bool(why))
    try:
        password_file = _password_file(given.home)
        password = password_file.read_text("utf-8").strip()
        options = ServerOptions(
            bolt_port=given.bolt_port, http_port=given.http_port, password=password, heap=given.heap, page_cache=given.page_cache
        )
        return _run(Neo4jServer(given.home, options), password_file)
    except (Missing, RuntimeError) as error:
        print(f"neo4j: {error}", file=sys.stderr)
        return 1


def _password_file(home: Path) -> Path:
    """The file of the password, made at the first start: what STRUCTMEM_NEO4J_PASSWORD holds, else a random one."""
    path = home / "password"
    if not path.exists():
        password = os.environ.get("STRUCTMEM_NEO4J_PASSWORD") or secrets.token_urlsafe(12)
        if len(password) < _SHORTEST_PASSWORD:
            raise RuntimeError(f"STRUCTMEM_NEO4J_PASSWORD has fewer than {_SHORTEST_PASSWORD} characters, which Neo4j refuses")
        home.mkdir(parents=True, exist_ok=True)
        path.touch(mode=0o600)
        path.write_text(f"{password}\n", "utf-8")
    return path


def _run(server: Neo4jServer, password_file: Path) -> int:
    # Whoever starts it in the background may have SIGINT ignored, which a process inherits.
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, signal.default_int_handler)
    try:
        print("Starting Neo4j; the first time its jars are fetched, which takes some minutes", flush=True)
        server.start()
        print(f"Neo4j answers at {server.uri}, user {USER}, password {password_file.read_text('utf-8').strip()} (kept in {password_file})")
        print(f"  structmem serve --store neo4j --neo4j-uri {server.uri} --set neo4j_password_file={password_file}")
        print("Ctrl-C stops it.", flush=True)
        return server.wait()
    except KeyboardInterrupt:
        return 0
    finally:
        server.stop()


if __name__ == "__main__":
    sys.exit(main())
