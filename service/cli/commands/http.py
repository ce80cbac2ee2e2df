"""`structmem http`."""

from pathlib import Path
from typing import Annotated

import typer

from service.cli.connection import (
    CertificatesOption,
    ConfigOption,
    ConnectionOptions,
    DataDirOption,
    TargetOption,
    TlsOption,
    TokenOption,
    address_of,
    settings_of,
)
from service.cli.failures import fail, reported


def http(
    host: Annotated[str, typer.Option(help="Address to listen on; other than loopback it needs --key-file.")] = "127.0.0.1",
    port: Annotated[int, typer.Option(min=0, max=65535, help="Port to listen on; 0: any free one.")] = 8000,
    prefix: Annotated[str, typer.Option(help="Namespace below which each user has one.")] = "users",
    key_file: Annotated[Path | None, typer.Option(help="File of the key that callers present.")] = None,
    wait: Annotated[bool, typer.Option("--wait", help="/add answers when everything is extracted.")] = False,
    max_body_mb: Annotated[float, typer.Option(min=0.001, max=100, help="Largest body, in MB.")] = 8.0,
    target: TargetOption = None,
    token: TokenOption = None,
    tls: TlsOption = False,
    root_certificates: CertificatesOption = None,
    data_dir: DataDirOption = None,
    config: ConfigOption = None,
) -> None:
    """Answers POST /add and POST /search over HTTP until it is told to stop, as benchmarks of agent memories ask (docs/http.md)."""
    with reported():
        from structmem import AsyncClient

        try:
            from structmem.http import HttpOptions, serve
        except ImportError as missing:
            fail(str(missing))
        options = HttpOptions(prefix=_checked(prefix), key=_key(key_file), waits=wait, max_body_mb=max_body_mb)
        connection = ConnectionOptions(target, token, tls, root_certificates, data_dir, config)
        settings = settings_of(connection)
        roots = root_certificates.read_bytes() if root_certificates else None
        with address_of(settings, create=True) as (address, is_here):
            presented = "" if is_here else settings.token.get_secret_value()

            def connect() -> AsyncClient:
                return AsyncClient(address, token=presented, tls=tls and not is_here, root_certificates=None if is_here else roots)

            try:
                serve(connect, options, host, port, lambda url: typer.echo(f"structmem answers at {url}"))
            except ValueError as error:
                fail(f"{error} (--key-file)")


def _checked(prefix: str) -> str:
    from graph.model import namespace_name_problem

    # Room for a user's segment and for the ids that are hashed.
    if problem := namespace_name_problem(f"{prefix}/x"):
        fail(f"--prefix: {problem}")
    if len(prefix) > 90:
        fail("--prefix: must be at most 90 characters")
    return prefix


def _key(file: Path | None) -> str:
    if file is None:
        return ""
    key = file.read_text("utf-8").strip()
    if len(key) < 16:
        fail(f"--key-file: {file}: a key has at least 16 characters; this one has {len(key)}")
    return key
